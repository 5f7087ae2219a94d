import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { listen, startExample, within } from './example.js';

// What Socket.IO's connection-state recovery needs of a balancer. A client that comes back has a new sid, which nobody knows; who it was (pid) and what it has heard (offset) stand in its first
// packet, behind the choice of a backend. With the adapter that Socket.IO brings, only the backend that it left can restore it.
const TEST_MS = 60_000, CLIENTS = 12;
const backends = [];

before(async () => {
  for (const name of ['a', 'b', 'c']) backends.push(await startBackend(name));
});
after(() => Promise.all(backends.map(({ server }) => server.close())));

for (const transports of [['polling', 'websocket'], ['websocket'], ['polling']]) {
  test(`${CLIENTS} clients over ${transports} are restored where a rule knows them without their sid`, { timeout: TEST_MS }, () =>
    withBalancer({ 'chat:Affinity:Rules:0:SocketIO': '', 'chat:Affinity:Rules:1:Query:Name': 'user' }, async url => {
      const found = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => leaveAndComeBack(url, transports, `user-${i}`)));
      assert.ok(found.every(({ before, after }) => before === after), 'everybody is back at the backend that was left');
      assert.ok(found.every(({ recovered }) => recovered), 'everybody is restored');
      assert.ok(found.every(({ heard }) => heard.join() === 'first,missed'), 'nothing is missed');
      assert.ok(new Set(found.map(({ before }) => before)).size > 1, 'several backends take part');
    }));
}

test('a client is not restored where the sid alone is known', { timeout: TEST_MS }, () =>
  withBalancer({ 'chat:Affinity:Rules:0:SocketIO': '' }, async url => {
    const { before, after, recovered, heard } = await leaveAndComeBack(url, ['polling', 'websocket'], 'ann');
    assert.notEqual(after, before, 'a new sid takes its turn');
    assert.equal(recovered, false);
    assert.ok(!heard.includes('missed'), 'what it missed is lost');
  }));

async function withBalancer(rules, run) {
  const pool = Object.fromEntries(backends.map(({ name, address }) => [`chat:Backends:${name}:Address`, address]));
  const balancer = await startExample('Minimal', { ...pool, ...rules });
  try {
    await run(balancer.url);
  } finally {
    await balancer.stop();
  }
}

async function leaveAndComeBack(url, transports, user) {
  const socket = io(url, { transports, query: { user }, forceNew: true, reconnection: false });
  const heard = [];
  socket.on('news', text => heard.push(text));
  try {
    const first = once(socket, 'news');
    await once(socket, 'connect');
    const before = await socket.timeout(TEST_MS / 4).emitWithAck('where');
    await first;
    const home = backends.find(({ name }) => name === before);
    const left = new Promise(done => home.leaving.set(user, done));
    socket.io.engine.close();
    await within(TEST_MS / 4, 'the backend to see the client leave', left);
    home.server.to(user).emit('news', 'missed');
    const back = once(socket, 'connect');
    socket.connect();
    await back;
    const after = await socket.timeout(TEST_MS / 4).emitWithAck('where');
    return { before, after, recovered: Boolean(socket.recovered), heard };
  } finally {
    socket.disconnect();
  }
}

function once(socket, event) {
  return within(TEST_MS / 4, event, new Promise((done, failed) => {
    socket.once(event, done);
    if (event === 'connect') socket.once('connect_error', failed);
  }));
}

async function startBackend(name) {
  const http = createServer((request, response) => response.end('OK'));   // for the health probe of examples/Minimal
  const server = new Server(http, { connectionStateRecovery: {} });
  const leaving = new Map();
  server.on('connection', socket => {
    const { user } = socket.handshake.query;
    socket.on('where', answer => answer(name));
    socket.on('disconnect', () => leaving.get(user)?.());
    if (socket.recovered) return;
    socket.join(user);
    socket.emit('news', 'first');
  });
  await listen(http);
  return { name, server, leaving, address: `http://127.0.0.1:${http.address().port}` };
}
