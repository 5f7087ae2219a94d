import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { listen } from './example.js';

const PAGE = fileURLToPath(new URL('../../src/StickyWs.Dashboard/Page/', import.meta.url));
const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' };
const REASONS = ['ClientClosed', 'BackendClosed', 'HandedOff', 'ClientReset', 'IdleTimeout', 'MaxAge'];

/** The dashboard's page on answers that are made up: as many tunnels as are wanted, and all of them busy. What is asked for is counted. */
export class Simulated {
  #server = createServer((request, response) => this.#answer(request, response));
  #streams = new Set();
  #begun = Date.now();
  #timers = [];
  mostTunnelsAnswered = 0;

  /** The status of every answer, if it is to be no good one. */
  failing = 0;
  asked = 0;

  /** What was asked, as path and query. */
  asks = [];

  /** By path, or "POST": what answers instead, with the query; a number is a status. It may take its time. */
  instead = new Map();

  /**
   * @param {number} tunnels how many are open
   * @param {{ backends?: number, opensPerSecond?: number, hostile?: string }} options
   */
  constructor(tunnels, { backends = 12, opensPerSecond = 0, hostile = '' } = {}) {
    Object.assign(this, { tunnels, opensPerSecond, hostile });
    this.names = Array.from({ length: backends }, (_, i) => `backend-${String.fromCharCode(97 + (i % 26))}${i < 26 ? '' : Math.floor(i / 26)}`);
  }

  async listen() {
    await listen(this.#server);
    this.url = `http://127.0.0.1:${this.#server.address().port}/stickyws/`;
    if (this.opensPerSecond > 0) this.#timers.push(setInterval(() => this.#happen(), 1000 / this.opensPerSecond));
  }

  close() {
    this.#timers.forEach(clearInterval);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Waits for a time in which nothing is asked, longer than the page's looks are apart, and for no stream to be open. */
  async quiet(milliseconds = 3000) {
    for (let before = -1; this.#streams.size > 0 || before !== this.asked;) {
      before = this.asked;
      await new Promise(done => setTimeout(done, milliseconds));
    }
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://localhost');
    const path = url.pathname.replace('/stickyws/', ''),
      query = Object.fromEntries(url.searchParams);
    const json = body => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
    if (path === '' || path.startsWith('page/')) {
      const name = path === '' ? 'index.html' : path.slice('page/'.length);
      const bytes = await readFile(PAGE + name).catch(() => null);
      if (!bytes) response.writeHead(404).end();
      else response.setHeader('Content-Type', TYPES[name.split('.').at(-1)]).end(bytes);
      return;
    }
    this.asked++;
    this.asks.push({ path, query });
    const instead = this.instead.get(request.method === 'POST' ? 'POST' : path);
    const answer = instead && (await instead(query));
    if (this.failing) response.writeHead(this.failing).end();
    else if (typeof answer === 'number')
      response.writeHead(answer, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ status: answer, detail: `It is ${answer}.` }));
    else if (answer) json(answer);
    else if (path === 'events') {
      response.setHeader('Content-Type', 'text/event-stream').write('retry: 2000\n\n');
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      this.#tell(response, 'snapshot', { at: this.#now(), missed: 0, state: this.state() });
    } else if (path === 'state') json({ ...this.state(), steering: { allowed: true } });
    else if (path === 'drains') json({ at: this.#now(), drains: [] });
    else if (path === 'tunnels') json(this.page(query));
    else if (path === 'flows') json({ at: this.#now(), open: this.tunnels, fitting: this.tunnels, flows: this.flows() });
    else if (path === 'ends')
      json({
        at: this.#now(),
        kept: 1000,
        fitting: 1000,
        shown: Math.min(1000, query.limit),
        ends: Array.from({ length: Math.min(1000, query.limit) }, (_, i) => this.end(i)),
      });
    else if (path === 'refusals')
      json({ at: this.#now(), kept: 40, fitting: 40, shown: 40, refusals: Array.from({ length: 40 }, (_, i) => this.refusal(i)) });
    else if (request.method === 'POST')
      json({
        at: this.#now(),
        action: 'stop',
        target: 'x',
        dryRun: true,
        drains: [],
        backends: [],
        plan: { backends: 1, tunnels: 8334, requests: 3, handshakes: 1, told: 8334, cut: 0, leavesNone: [] },
      });
    else response.writeHead(404).end();
  }

  #tell(stream, event, data) {
    stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #happen() {
    const i = this.tunnels++,
      tunnel = this.tunnel(i);
    for (const stream of this.#streams) this.#tell(stream, 'tunnel-opened', { at: this.#now(), tunnel });
  }

  #now = () => new Date().toISOString();
  #seconds = () => (Date.now() - this.#begun) / 1000;

  state() {
    return {
      at: this.#now(),
      revision: 3,
      tunnels: this.tunnels,
      readOnly: false,
      process: {
        version: '1.0.0',
        startedAt: this.#now(),
        uptimeSeconds: this.#seconds(),
        machine: 'edge-1',
        processId: 1,
        runtime: '.NET 10.0.1',
        lanes: { raw: true, kind: 'io_uring', tls: true },
        reactors: [
          { number: 0, sockets: this.tunnels, ailing: false },
          { number: 1, sockets: this.tunnels, ailing: false },
        ],
        listeners: ['https://10.0.0.1:443', 'http://10.0.0.1:80'],
      },
      pools: [
        {
          name: 'chat',
          policy: 'LeastTunnels',
          panicking: false,
          awaited: false,
          webSockets: 'Sniffed',
          affinity: ['Cookie'],
          handshakesWaiting: 0,
          requestsWaiting: 2,
          backends: this.names.map((_, i) => this.backend(i)),
        },
      ],
    };
  }

  backend(i) {
    const isDown = i === 2,
      tunnels = Math.floor(this.tunnels / this.names.length);
    return {
      pool: 'chat',
      name: this.names[i] + (i === 1 ? this.hostile : ''),
      address: `http://10.0.1.${i}:5000`,
      state: isDown ? 'Unhealthy' : 'Healthy',
      cause: isDown ? 'probe: no answer in 1 s' : 'probe: 200',
      mode: 'On',
      since: new Date(this.#begun - 60_000).toISOString(),
      eligible: !isDown,
      weight: 1,
      configuredWeight: 1,
      share: i === 3 ? 0.4 : 1,
      effectiveWeight: i === 3 ? 0.4 : 1,
      tunnels,
      requests: i,
      handshakes: 1,
      bytesToBackend: Math.floor(this.#seconds() * 90_000 * (i + 1)),
      bytesToClient: Math.floor(this.#seconds() * 700_000 * (i + 1)),
      breaker: isDown ? 'Isolated' : 'Closed',
      ...(isDown ? { conviction: { at: this.#now(), by: 'probe', cause: 'no answer in 1 s', hearsay: false } } : {}),
      probes: Array.from({ length: 30 }, (_, n) => ({
        at: this.#now(),
        ok: !isDown || n < 24,
        seconds: 0.002 + ((n * 7) % 5) / 1000,
        ...(isDown && n >= 24 ? { why: 'no answer in 1 s' } : {}),
      })),
      recent: {
        seconds: 60,
        handshakes: { count: 1200, failed: isDown ? 12 : 0, p50: 0.0031, p99: 0.018 },
        requests: { count: 12_000, failed: 0, p50: 0.0012, p99: 0.022 },
        opened: 1200,
        ended: 1100,
        kept: 1000,
        moved: 12,
        held: 3,
        new: 185,
      },
    };
  }

  tunnel(i) {
    const b = i % this.names.length,
      port = 1024 + (i % 60_000);
    return {
      id: `t${i}`,
      pool: 'chat',
      backend: this.names[b] + (b === 1 ? this.hostile : ''),
      lane: 'raw',
      kind: 'io_uring',
      reactor: i % 2,
      tls: i % 3 === 0 ? 'none' : 'client',
      client: { source: `203.0.${i % 7}.${i % 3}:${port}`, destination: i % 3 === 0 ? '10.0.0.1:80' : '10.0.0.1:443' },
      upstream: { source: `10.0.0.1:${port}`, destination: `10.0.1.${b}:5000` },
      bytesToBackend: Math.floor(this.#seconds() * (i % 300)),
      bytesToClient: Math.floor(this.#seconds() * (i % 4000)),
      rateToBackend: i % 300,
      rateToClient: i % 4000,
      ageSeconds: this.#seconds() + (i % 5000),
      idleSeconds: i % 30,
      pin: ((i * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0'),
      tie: 'Pinned',
      frames: true,
      told: false,
      host: 'chat.example',
      path: `/ws${this.hostile}`,
      chosenBy: 'LeastTunnels',
      pinOutcome: 'new',
      handshakeSeconds: 0.003,
    };
  }

  page({ limit, sample, after }) {
    const shown = Math.min(Number(sample ?? limit ?? 100), this.tunnels),
      from = Number(after ?? 0),
      step = sample ? Math.max(1, (Math.floor(this.tunnels / shown) - 1) | 1) : 1;
    this.mostTunnelsAnswered = Math.max(this.mostTunnelsAnswered, shown);
    return {
      at: this.#now(),
      open: this.tunnels,
      fitting: this.tunnels,
      shown,
      next: sample ? undefined : String(from + shown),
      tunnels: Array.from({ length: shown }, (_, i) => this.tunnel(from + i * step)),
    };
  }

  flows() {
    return this.names.flatMap((_, i) =>
      ['10.0.0.1:443', '10.0.0.1:80'].map((listener, n) => {
        const { pool, name, tunnels, bytesToBackend, bytesToClient } = this.backend(i);
        return {
          listener,
          pool,
          backend: name,
          lane: 'raw',
          kind: 'io_uring',
          tls: n === 0 ? 'client' : 'none',
          tunnels: Math.floor(tunnels * (n === 0 ? 0.67 : 0.33)),
          bytesToBackend,
          bytesToClient,
        };
      }),
    );
  }

  end(i) {
    const { kind, reactor, tls, rateToBackend, rateToClient, idleSeconds, pin, tie, frames, told, ...tunnel } = this.tunnel(i);
    return {
      ...tunnel,
      id: `e${i}`,
      at: new Date(this.#begun - i * 900).toISOString(),
      reason: REASONS[i % REASONS.length],
      farewell: 'both',
      clientCloseCode: 1001,
      backendCloseCode: 1000,
      ownCloseCode: REASONS[i % REASONS.length] === 'HandedOff' ? 1012 : undefined,
      openedAt: this.#now(),
      method: 'GET',
    };
  }

  refusal(i) {
    return {
      at: new Date(this.#begun - i * 1300).toISOString(),
      id: `r${i}`,
      kind: i % 2 ? 'handshake' : 'request',
      pool: 'chat',
      lane: 'raw',
      status: 503,
      cause: i % 2 ? 'NoBackend' : 'QueueFull',
      client: { source: `203.0.113.7:${5000 + i}`, destination: '10.0.0.1:443' },
      seconds: 0.2,
      method: 'GET',
      host: 'chat.example',
      path: `/ws${this.hostile}`,
    };
  }
}
