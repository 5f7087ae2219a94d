import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { listen, startExample, within } from './example.js';

const CONNECTIONS = 60, MESSAGES = 5, TEST_MS = 60_000;
const backends = [];
let balancer;

before(async () => {
  for (const name of ['a', 'b', 'c']) backends.push(await startBackend(name));
  balancer = await startExample('Minimal', {
    ...Object.fromEntries(backends.map(({ name, address }) => [`chat:Backends:${name}:Address`, address])),
    'chat:Affinity:Rules:0:SocketIO': '',
  });
});
after(async () => {
  await balancer?.stop();
  await Promise.all(backends.map(({ server }) => server.close()));
});

test(`${CONNECTIONS} Socket.IO clients stay with polling`, { timeout: TEST_MS }, () => talk({ transports: ['polling'] }, async () => {}));

test(`${CONNECTIONS} Socket.IO clients start with polling and upgrade to a WebSocket`, { timeout: TEST_MS }, () =>
  talk({}, async ({ socket }) => {
    const { engine } = socket.io;
    if (engine.transport.name !== 'websocket') await within(TEST_MS / 2, 'the upgrade', new Promise(done => engine.once('upgrade', done)));
    assert.equal(engine.transport.name, 'websocket');
  }));

async function talk(options, settle) {
  const clients = Array.from({ length: CONNECTIONS }, () => connect(options));
  try {
    await Promise.all(clients.map(({ connected }) => connected));
    await speak(clients, 'before');
    await Promise.all(clients.map(settle));
    await speak(clients, 'after');
    assert.deepEqual(clients.flatMap(({ errors }) => errors), []);
    assert.ok(clients.every(({ places }) => places.size === 1), 'nobody changes the backend');
    assert.deepEqual([...new Set(clients.flatMap(({ places }) => [...places]))].sort(), ['a', 'b', 'c'], 'all backends take part');
  } finally {
    for (const { socket } of clients) socket.disconnect();
  }
}

async function speak(clients, when) {
  await Promise.all(clients.flatMap(({ socket, places }, i) => Array.from({ length: MESSAGES }, async (_, n) => {
    const text = `${when} ${i}.${n}`;
    const [place, echo] = await socket.timeout(TEST_MS / 2).emitWithAck('echo', text);
    assert.equal(echo, text);
    places.add(place);
  })));
}

// A client that never tries again: one refused request is one failure.
function connect(options) {
  const socket = io(balancer.url, { ...options, forceNew: true, reconnection: false });
  const errors = [];
  socket.on('disconnect', reason => { if (reason !== 'io client disconnect') errors.push(reason); });
  socket.io.engine.on('upgradeError', error => errors.push(error.message));
  const connected = new Promise((done, failed) => {
    socket.once('connect', done);
    socket.once('connect_error', error => failed(new Error(`connect_error: ${error.message} ${error.context?.responseText ?? ''}`)));
  });
  return { socket, connected, errors, places: new Set() };
}

async function startBackend(name) {
  const http = createServer((request, response) => response.end('OK'));   // for the health probe of examples/Minimal
  const server = new Server(http);
  server.on('connection', socket => socket.on('echo', (text, answer) => answer([name, text])));
  await listen(http);
  return { name, server, address: `http://127.0.0.1:${http.address().port}` };
}
