import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { freePorts, listen, spawnExample, Started, until, within } from './example.js';

// examples/Gateway with its one file of settings, which is edited while it runs.
const TEST_MS = 60_000, STEP_MS = 30_000;

test('a gateway serves the pools of its file, and those of the edited file', { timeout: TEST_MS }, async context => {
  const started = new Started(context);
  const addresses = await Promise.all(['a', 'b', 'c'].map(name => startBackend(started, name)));
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  started.add(folder, () => rmSync(folder, { recursive: true }));
  const [file, [port]] = [join(folder, 'gateway.json'), await freePorts(1)];
  const write = (...backends) => writeFileSync(file, JSON.stringify({
    Kestrel: { Endpoints: { one: { Url: `http://127.0.0.1:${port}` } } },
    StickyWs: { Pools: { web: { Http: 'Direct', Match: { PathPrefixes: ['/api', '/ws'] }, Backends: Object.fromEntries(backends.map(i => [`b${i}`, { Address: addresses[i] }])) } } },
  }));
  write(0, 1);

  const gateway = spawnExample('Gateway', [file], 'ignore');
  const exited = new Promise(done => gateway.once('close', done));
  started.add(gateway, async () => {
    gateway.kill('SIGTERM');
    await exited;
  });
  let output = '';
  gateway.stdout.on('data', data => { output += data; });
  await until(() => output.includes('Application started'), () => `the start: ${output}`, STEP_MS);

  const ask = path => fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(STEP_MS) });
  const text = async () => (await ask('/api/x')).text();
  assert.deepEqual((await Promise.all([text(), text(), text(), text()])).sort(), ['a', 'a', 'b', 'b']);
  assert.equal((await ask('/other')).status, 404);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const heard = new Promise((told, failed) => socket.once('message', data => told(String(data))).once('error', failed));
  assert.match(await within(STEP_MS, 'the backend to speak', heard), /^[ab]$/);

  write(2);
  await until(async () => await text() === 'c', () => `the edited file: ${output}`, STEP_MS);
  const echo = new Promise(told => socket.once('message', data => told(String(data))));
  socket.send('still here');
  assert.equal(await within(STEP_MS, 'the tunnel to go on', echo), 'still here');
  socket.close();
});

async function startBackend(started, name) {
  const server = createServer((_, response) => response.end(name));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', socket => {
    socket.send(name);
    socket.on('message', data => socket.send(String(data)));
  });
  await listen(server);
  started.add(server, () => new Promise(closed => {
    for (const socket of sockets.clients) socket.terminate();
    server.close(closed);
    server.closeAllConnections();
  }));
  return `http://127.0.0.1:${server.address().port}`;
}
