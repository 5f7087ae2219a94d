import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { freePorts, startExample, within } from './example.js';

// Clients with TLS libraries of their own against an https endpoint whose TLS ends in the raw lane.
const CHROMIUM = '/usr/bin/chromium', TEST_MS = 60_000;
const run = promisify(execFile);
const has = program => spawnSync(program, ['--version']).error === undefined;
const hasOpenSsl = spawnSync('openssl', ['version']).error === undefined;

for (const mode of ['Auto', 'OpenSsl']) {
  describe(`TLS in the raw lane, Transport:Tls=${mode}`, { skip: process.platform !== 'linux' || !hasOpenSsl ? 'no Linux, or no openssl' : false }, () => {
    let folder, certificate, port, backend, balancer;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'stickyws-'));
      certificate = join(folder, 'certificate.pem');
      const key = join(folder, 'key.pem');
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost',
        '-addext', 'subjectAltName=DNS:localhost', '-days', '2', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
      [port] = await freePorts(1);
      backend = await startExample('EchoBackend', {}, { name: 'a' });
      balancer = await startExample('Minimal', { 'chat:Backends:a:Address': backend.url }, {
        'Kestrel:Endpoints:Secure:Url': `https://127.0.0.1:${port}`,
        'Kestrel:Endpoints:Secure:Certificate:Path': certificate,
        'Kestrel:Endpoints:Secure:Certificate:KeyPath': key,
        'StickyWs:Transport:Tls': mode,
      });
      assert.match(balancer.output(), /TLS ends in the raw lane/);
      await untilServed({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(certificate) });
    });
    after(async () => {
      await balancer?.stop();
      await backend?.stop();
      if (folder) rmSync(folder, { recursive: true });
    });

    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      test(`node: a WebSocket over ${version} echoes, and a second one resumes the session`, { timeout: TEST_MS }, async () => {
        const options = () => ({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(certificate), minVersion: version, maxVersion: version });
        let session;
        const first = await open(options(), ticket => { session = ticket; });
        assert.equal(first.getProtocol(), version);
        assert.equal(await echo(first, 'first'), 'first');
        await within(TEST_MS / 2, 'a ticket', new Promise(given => { const look = () => (session ? given() : setTimeout(look, 20)); look(); }));
        first.end();
        const second = await open({ ...options(), session });
        assert.equal(second.isSessionReused(), true);
        assert.equal(await echo(second, 'x'.repeat(10_000)), 'x'.repeat(10_000));
        second.end();
        await new Promise(ended => second.once('close', ended).resume());
      });
    }

    test('curl: HTTP/1.1 and HTTP/2, TLS 1.2 and 1.3', { timeout: TEST_MS, skip: has('curl') ? false : 'no curl' }, async () => {
      for (const http of ['--http1.1', '--http2']) {
        for (const tls of ['1.2', '1.3']) {
          const { stdout } = await run('curl', ['-sS', http, '--cacert', certificate, '--resolve', `localhost:${port}:127.0.0.1`, `--tlsv${tls}`, '--tls-max', tls,
            '-w', '%{http_version}', `https://localhost:${port}/`, `https://localhost:${port}/again`]);
          assert.match(stdout, /This is a\./);
          if (/HTTP2/.test(execFileSync('curl', ['--version']))) assert.match(stdout, http === '--http2' ? /2$/ : /1\.1$/);
        }
      }
    });

    test('openssl s_client: key updates, asked for and not', { timeout: TEST_MS }, async () => {
      const output = await client(['-tls1_3'], ['k', 'K', 'k', 'K', request()]);
      assert.match(output, /HTTP\/1\.1 200[^]*This is a\./);
      assert.match(output, /Verify return code: 0 \(ok\)/);
    });

    test('openssl s_client: what has to be refused is', { timeout: TEST_MS }, async () => {
      assert.match(await client(['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], []), /alert protocol version|no protocols available|unsupported protocol/);
      assert.match(await client(['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0'], []), /handshake failure/);
      assert.match(await client(['-tls1_2', '-legacy_renegotiation'], ['R', request()]), /no renegotiation/);
      const session = join(folder, 'session');
      await client(['-tls1_3', '-sess_out', session], [request()]);
      const early = join(folder, 'early');
      writeFileSync(early, request());
      assert.match(await client(['-tls1_3', '-sess_in', session, '-early_data', early], [request()]), /Early data was (not sent|rejected)/);
    });

    test('python: a WebSocket echoes, and its end is a close_notify', { timeout: TEST_MS, skip: has('python3') ? false : 'no python3' }, async () => {
      const { stdout } = await run('python3', ['-c', PYTHON, String(port), certificate]);
      assert.match(stdout, /^TLSv1\.3 hello from python\nended in order\n$/);
    });

    test('a browser: a page and a WebSocket', { timeout: TEST_MS, skip: existsSync(CHROMIUM) ? false : `no ${CHROMIUM}` }, async () => {
      const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP localhost 127.0.0.1'] });
      try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const page = await context.newPage();
        await page.goto(`https://localhost:${port}/`);
        assert.match(await page.textContent('body'), /This is a\./);
        const heard = await page.evaluate(() => new Promise((heard, failed) => {
          const socket = new WebSocket(`wss://${location.host}/chat`);
          const all = [];
          socket.onopen = () => { for (let i = 0; i < 20; i++) socket.send(`message ${i} ${'x'.repeat(i * 1000)}`); };
          socket.onmessage = message => { if (message.data.startsWith('message')) all.push(message.data.length); if (all.length === 20) { socket.close(); heard(all); } };
          socket.onerror = () => failed(new Error('The WebSocket failed.'));
        }));
        assert.equal(heard.length, 20);
      } finally {
        await browser.close();
      }
    });

    function request() {
      return 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    }

    // s_client reads its commands from lines of their own, so each is written when the one before has had its time.
    async function client(options, inputs) {
      const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', certificate, ...options]);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', data => { output += data; });
      const exited = new Promise(done => child.once('close', done));
      child.stdin.on('error', () => {});
      await Promise.race([exited, new Promise(ready => { const look = () => (/Verify return code|\n---\n$/.test(output) ? ready() : setTimeout(look, 20)); look(); })]);
      for (const input of inputs) {
        child.stdin.write(input.includes('\n') ? input : `${input}\n`);
        await Promise.race([exited, new Promise(done => setTimeout(done, 100))]);
      }
      if (inputs.length === 0) child.stdin.end();
      const patience = setTimeout(() => child.kill('SIGKILL'), TEST_MS / 2);
      await exited;
      clearTimeout(patience);
      return output;
    }
  });
}

const PYTHON = `
import base64, os, socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost", suppress_ragged_eofs=False) as s:
    key = base64.b64encode(os.urandom(16)).decode()
    s.sendall(("GET /chat HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: %s\\r\\n\\r\\n" % key).encode())
    stream = s.makefile("rb")
    assert b" 101 " in stream.readline()
    while stream.readline() != b"\\r\\n": pass
    def send(opcode, text):
        s.sendall(bytes([0x80 | opcode, 0x80 | len(text)]) + b"\\0\\0\\0\\0" + text)
    def receive():
        head = stream.read(2)
        return stream.read(head[1]).decode()
    text = b"hello from python"
    send(1, text)
    heard = receive()
    while heard != text.decode(): heard = receive()
    print(s.version(), heard)
    send(8, b"\\x03\\xe8")
    while stream.read(1): pass
    print("ended in order")
`;

// A WebSocket by hand on a connection of node's own TLS.
async function open(options, onSession = () => {}) {
  const socket = connect(options);
  socket.on('session', onSession);
  socket.buffered = Buffer.alloc(0);
  socket.on('data', data => { socket.buffered = Buffer.concat([socket.buffered, data]); socket.emit('more'); });
  await new Promise((secured, failed) => { socket.once('secureConnect', secured); socket.once('error', failed); });
  socket.write(`GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
  await until(socket, () => socket.buffered.includes('\r\n\r\n'));
  assert.match(socket.buffered.toString('latin1'), /^HTTP\/1\.1 101 /);
  socket.buffered = socket.buffered.subarray(socket.buffered.indexOf('\r\n\r\n') + 4);
  return socket;
}

// Until the backend is known to be healthy: its first probe may take a while on a busy machine.
async function untilServed(options) {
  const status = () => new Promise((answered, failed) => get({ ...options, agent: false }, answer => answered(answer.resume().statusCode)).once('error', failed));
  for (const begun = Date.now(); await status() === 503;) {
    assert.ok(Date.now() - begun < TEST_MS, 'no healthy backend');
    await new Promise(later => setTimeout(later, 50));
  }
}

async function echo(socket, text) {
  const length = text.length < 126 ? [0x80 | text.length] : [0x80 | 126, text.length >> 8, text.length & 255];
  socket.write(Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), Buffer.from(text)]));
  while (true) {
    const heard = await frame(socket);
    if (heard === text) return heard;
  }
}

async function frame(socket) {
  await until(socket, () => socket.buffered.length >= 4);
  const short = socket.buffered[1] & 127;
  const [head, length] = short < 126 ? [2, short] : [4, socket.buffered.readUInt16BE(2)];
  await until(socket, () => socket.buffered.length >= head + length);
  const text = socket.buffered.subarray(head, head + length).toString();
  socket.buffered = socket.buffered.subarray(head + length);
  return text;
}

async function until(socket, isTrue) {
  while (!isTrue()) {
    if (socket.destroyed || socket.readableEnded) throw new Error('The connection ended.');
    await new Promise(more => {
      const look = () => { socket.off('more', look).off('close', look); more(); };
      socket.on('more', look).on('close', look);
    });
  }
}
