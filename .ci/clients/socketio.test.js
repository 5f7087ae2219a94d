import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { listen, startExample, within } from './example.js';

const CONNECTIONS = 200, MESSAGES = 5, TEST_MS = 120_000;
const redis = process.env.STICKYWS_REDIS;
const backends = [], balancers = [];
let front;

before(async () => {
  for (const name of ['a', 'b', 'c']) backends.push(await startBackend(name));
  const pool = Object.fromEntries(backends.map(({ name, address }) => [`chat:Backends:${name}:Address`, address]));
  balancers.push(await startExample('Minimal', { ...pool, 'chat:Affinity:Rules:0:SocketIO': '' }));
  if (!redis) return;
  const shared = { 'StickyWs:Redis:Configuration': redis, 'StickyWs:Redis:KeyPrefix': `clients:${process.pid}:`, 'StickyWs:Pins:StoreTimeout': '00:00:05' };
  for (let i = 0; i < 2; i++) balancers.push(await startExample('SharedPins', pool, shared));
  front = await startFront(balancers.slice(1).map(({ url }) => url));
});
after(async () => {
  front?.closeAllConnections();
  front?.close();
  await Promise.all(balancers.map(balancer => balancer.stop()));
  await Promise.all(backends.map(({ server }) => server.close()));
});

for (const [where, url, skip] of [
  ['one instance', () => balancers[0].url, false],
  ['two instances that share their pins', () => `http://127.0.0.1:${front.address().port}`, redis ? false : 'no STICKYWS_REDIS'],
]) {
  test(`${CONNECTIONS} Socket.IO clients stay with polling, through ${where}`, { timeout: TEST_MS, skip }, () => talk(url(), { transports: ['polling'] }, async () => {}));

  test(`${CONNECTIONS} Socket.IO clients start with polling and upgrade to a WebSocket, through ${where}`, { timeout: TEST_MS, skip }, () =>
    talk(url(), {}, async ({ socket }) => {
      const { engine } = socket.io;
      if (engine.transport.name !== 'websocket') await within(TEST_MS / 2, 'the upgrade', new Promise(done => engine.once('upgrade', done)));
      assert.equal(engine.transport.name, 'websocket');
    }));
}

async function talk(url, options, settle) {
  const clients = Array.from({ length: CONNECTIONS }, () => connect(url, options));
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
function connect(url, options) {
  const socket = io(url, { ...options, forceNew: true, reconnection: false });
  const errors = [];
  socket.on('disconnect', reason => { if (reason !== 'io client disconnect') errors.push(reason); });
  socket.io.engine.on('upgradeError', error => errors.push(error.message));
  const connected = new Promise((done, failed) => {
    socket.once('connect', done);
    socket.once('connect_error', error => failed(new Error(`connect_error: ${error.message} ${error.context?.responseText ?? ''}`)));
  });
  return { socket, connected, errors, places: new Set() };
}

// In front of the instances: every request goes to another one than the request before, whoever sent it.
async function startFront(urls) {
  let turn = 0;
  const onward = ({ method, url, headers }) => request(urls[turn++ % urls.length] + url, { method, headers });
  const server = createServer((from, to) => {
    const out = onward(from);
    out.on('response', answer => answer.pipe(to.writeHead(answer.statusCode, answer.rawHeaders)));
    out.on('error', () => to.destroy());
    from.pipe(out);
  });
  server.on('upgrade', (from, client) => {
    const out = onward(from);
    out.on('upgrade', (answer, backend, behind) => {
      const headers = answer.rawHeaders.map((text, i) => text + (i % 2 ? '\r\n' : ': ')).join('');
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
      client.write(behind);
      client.pipe(backend).pipe(client);
      for (const [one, other] of [[client, backend], [backend, client]]) one.on('error', () => other.destroy());
    });
    out.on('response', answer => client.end(`HTTP/1.1 ${answer.statusCode} Declined\r\nConnection: close\r\n\r\n`));
    out.on('error', () => client.destroy());
    out.end();
  });
  return listen(server);
}

async function startBackend(name) {
  const http = createServer((request, response) => response.end('OK'));   // for the health probe of examples/Minimal
  const server = new Server(http);
  server.on('connection', socket => socket.on('echo', (text, answer) => answer([name, text])));
  await listen(http);
  return { name, server, address: `http://127.0.0.1:${http.address().port}` };
}
