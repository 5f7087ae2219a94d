import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { Server } from 'socket.io';
import { Crowd } from './crowd.js';
import { listen, Started, startExample, startPart, until, within } from './example.js';
import { Spreader } from './spreader.js';

// 900 clients, and a browser, while that which serves them is replaced. What they notice is a Close frame; the bounds hold on a machine that is slow, too.
const HUBS = 150, DOTNET_HUBS = 150, SOCKETS = 300, PLAIN = 300, TABS = 6, REQUESTERS = 4, ALL = HUBS + DOTNET_HUBS + SOCKETS + PLAIN + TABS;
const TEST_MS = 300_000, OVER_S = 8, CHROMIUM = '/usr/bin/chromium';
const SOCKET_IO = { 'io:Match:PathPrefixes:0': '/socket.io', 'io:Affinity:Rules:0:SocketIO': '', 'io:Health:Http:Path': '/', 'io:Health:Http:Rise': '1' };
// How many times as many as evenly spread may be told within a second: less would fail when a slow machine pauses for a moment, and at once would be twice as many.
const MOST = 4;

test('the example replaces three backends, and its clients notice nothing but Close frames', { timeout: TEST_MS }, async () => {
  const example = startPart('RollingDeploy', ['--urls=http://127.0.0.1:0', '--clients=30', '--StickyWs:Pools:app:Drain:Over=00:00:01']);
  const { code, errors } = await example.end(TEST_MS / 2);
  assert.equal(code, 0, `${example.lines.join('\n')}\n${errors}`);
});

test('three backends are replaced one by one', { timeout: TEST_MS }, async context => {
  const started = new Started(context);
  const backends = await startBackends(started, ['a', 'b', 'c']);
  const drain = { 'app:Drain:Over': `00:00:${OVER_S}`, 'io:Drain:Over': `00:00:${OVER_S}` };
  const balancer = started.add(await startExample('RollingDeploy', { ...SOCKET_IO, ...drain }, listed(backends), ['balancer']));
  const received = [];
  let told = 0;
  try {
    const clients = await Clients.arrive(started, balancer.url);
    for (const name of ['a', 'b', 'c']) {
      const old = backends.filter(backend => backend.name === name);
      const successors = await startBackends(started, [`${name}2`]);
      backends.push(...successors);
      await Promise.all(successors.map(({ pool, name, address }) => order(balancer, 'PUT', `${pool}/${name}?address=${address}`)));
      const drains = await Promise.all(old.map(({ pool, name }) => order(balancer, 'DELETE', `${pool}/${name}`)));
      assert.ok(drains.every(({ total, cut, left }) => total > 0 && cut === 0 && left === 0), JSON.stringify(drains));
      told = Math.max(told, drains.reduce((sum, { total }) => sum + total, 0));
      for (const backend of old) {
        received.push(await backend.received());
        backends.splice(backends.indexOf(backend), 1);
        await backend.end();
      }
      await clients.untilComplete();
    }
    await clients.leave();
    for (const backend of backends) received.push(await backend.received());
    clients.check(context, { code: 1012, received, least: told, mostInASecond: MOST * told / OVER_S });
  } catch (error) {
    throw new Error(`${error.stack}\n${balancer.output()}`);
  }
});

test('two balancers are replaced one after the other', { timeout: TEST_MS }, async context => {
  const [shutdownS, delayS, reserveS] = [20, 2, 6];
  const started = new Started(context);
  const backends = await startBackends(started, ['a', 'b', 'c']);
  const spreader = started.add(new Spreader(), () => spreader.close());
  await spreader.listen();
  // The instances share nothing: a client's query leads it to the same backend on both of them.
  const keys = { 'app:Affinity:Rules:1:Query:Name': 'client', 'io:Affinity:Rules:1:Query:Name': 'client' };
  const others = {
    ...listed(backends),
    shutdownTimeoutSeconds: shutdownS,
    'StickyWs:Shutdown:ReadinessDelay': `00:00:0${delayS}`,
    'StickyWs:Shutdown:Reserve': `00:00:0${reserveS}`,
  };
  const start = async () => {
    const balancer = started.add(await startExample('RollingDeploy', { ...SOCKET_IO, ...keys }, others, ['balancer']));
    spreader.add(balancer.url);
    return balancer;
  };
  const balancers = [];
  try {
    for (let i = 0; i < 2; i++) balancers.push(await start());
    const clients = await Clients.arrive(started, spreader.url);
    for (let i = 0; i < 2; i++) {
      const old = balancers[i];
      assert.equal(await old.stop(shutdownS * 1000), 0);
      assert.doesNotMatch(old.output(), /were aborted/);
      spreader.remove(old.url);
      balancers[i] = await start();
      await clients.untilComplete();
    }
    await clients.leave();
    const received = await Promise.all(backends.map(backend => backend.received()));
    clients.check(context, { code: 1001, received, least: ALL, mostInASecond: MOST * ALL / (shutdownS - delayS - reserveS) });
  } catch (error) {
    throw new Error(`${error.stack}\n${balancers.map(balancer => balancer.output()).join('\n')}`);
  }
});

/** The crowd of this process, hubs of .NET in another, and a browser. */
class Clients {
  #crowd;
  #dotnet;
  #browser;
  #page;

  static async arrive(started, url) {
    const clients = new Clients();
    clients.#crowd = started.add(new Crowd(url), () => clients.#crowd.leave());
    clients.#dotnet = started.add(startPart('RollingDeploy', ['clients', `--url=${url}`, `--hubs=${DOTNET_HUBS}`]), () => clients.#dotnet.end());
    await Promise.all([
      clients.#dotnet.first(),
      clients.#crowd.arrive({ hubs: HUBS, sockets: SOCKETS, plain: PLAIN, requesters: REQUESTERS }),
      clients.#open(started, url),
    ]);
    await clients.untilComplete();
    return clients;
  }

  untilComplete() {
    return until(() => this.#crowd.isComplete && this.#ofDotnet.Connected === DOTNET_HUBS, 'all clients to be connected');
  }

  async leave() {
    this.tabs = this.#page ? await this.#page.evaluate(() => window.leave()) : [];
    await this.#browser?.close();
    await this.#crowd.leave();
    assert.equal((await this.#dotnet.end()).code, 0);
  }

  check(context, { code, received, least, mostInASecond }) {
    const { closes, failures, requests, acknowledged, sent } = this.#crowd;
    const dotnet = this.#ofDotnet;
    const codes = count([...closes.map(close => close.code), ...this.tabs.flatMap(tab => tab.codes), ...Object.entries(dotnet.Codes).flatMap(([code, times]) => Array(times).fill(Number(code)))]);
    const most = mostWithinASecond(closes.map(close => close.at)) + dotnet.MostReconnectsInASecond;
    context.diagnostic(`close codes ${JSON.stringify(codes)}; at most ${most} within a second; ${requests} requests`);

    assert.deepEqual(Object.keys(codes), [String(code)]);
    assert.ok(codes[code] >= least, `${codes[code]} goodbyes`);
    assert.ok(most <= mostInASecond, `${most} within a second, ${mostInASecond} may be`);
    assert.deepEqual([...failures, ...dotnet.Failures], []);
    assert.ok(requests > 0);

    const arrived = new Map();
    for (const [client, numbers] of received.flatMap(Object.entries)) arrived.set(client, new Set([...arrived.get(client) ?? [], ...numbers]));
    const lost = (client, numbers) => numbers.filter(number => !arrived.get(client)?.has(number)).map(number => `${client}: ${number}`);
    const known = [...acknowledged, ...this.tabs.map(tab => [tab.name, tab.acknowledged]),
      ...Object.entries(dotnet.Acknowledged).map(([client, last]) => [client, Array.from({ length: last }, (_, i) => i + 1)])];
    assert.equal(known.filter(([, numbers]) => numbers.length > 0).length, this.#page ? ALL : ALL - TABS, 'everybody was heard');
    assert.deepEqual(known.flatMap(([client, numbers]) => lost(client, numbers)), [], 'acknowledged and lost');
    assert.deepEqual([...sent].flatMap(([client, numbers]) => lost(client, numbers)), [], 'sent on an open connection and lost');
  }

  get #ofDotnet() {
    return JSON.parse(this.#dotnet.lines.at(-1));
  }

  async #open(started, url) {
    if (!existsSync(CHROMIUM)) return;
    this.#browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
    started.add(this.#browser, () => this.#browser.close());
    this.#page = await this.#browser.newPage();
    await this.#page.goto(`${url}/hello`);
    await this.#page.evaluate(inBrowser, TABS);
  }
}

// In the page: sockets that come back, as in node.
function inBrowser(count) {
  let isLeaving = false;
  const tabs = Array.from({ length: count }, (_, i) => {
    const tab = { name: `tab-${i}`, codes: [], acknowledged: [] };
    let number = 0;
    const connect = () => {
      const socket = tab.socket = new WebSocket(`ws://${location.host}/ws?client=${tab.name}`);
      const timer = setInterval(() => { if (socket.readyState === WebSocket.OPEN) socket.send(`${tab.name} ${++number}`); }, 1000);
      socket.onmessage = ({ data }) => tab.acknowledged.push(Number(data));
      socket.onclose = ({ code }) => {
        clearInterval(timer);
        if (isLeaving) return;
        tab.codes.push(code);
        setTimeout(connect, 1000 * Math.random());
      };
    };
    connect();
    return tab;
  });
  window.leave = () => {
    isLeaving = true;
    return tabs.map(({ name, codes, acknowledged, socket }) => {
      socket.close();
      return { name, codes, acknowledged };
    });
  };
}

// Of each name one of .NET (SignalR, plain WebSockets, plain HTTP) and one of Socket.IO.
async function startBackends(started, names) {
  return (await Promise.all(names.map(name => Promise.all([startApp(started, name), startSocketIO(started, name)])))).flat();
}

async function startApp(started, name) {
  const part = started.add(startPart('RollingDeploy', ['backend']), () => part.end());
  const address = await part.first();
  return { pool: 'app', name, address, received: async () => (await fetch(`${address}/received`)).json(), end: () => part.end() };
}

async function startSocketIO(started, name) {
  const http = createServer((request, response) => response.end('OK'));
  const server = started.add(new Server(http), () => server.close());
  const received = {};
  server.on('connection', socket => socket.on('say', (client, number, answer) => {
    (received[client] ??= []).push(number);
    answer();
  }));
  await listen(http);
  return { pool: 'io', name, address: `http://127.0.0.1:${http.address().port}`, received: async () => received, end: () => server.close() };
}

function listed(backends) {
  return Object.fromEntries(backends.map(({ pool, name, address }) => [`Backends:${pool}:${name}`, address]));
}

async function order(balancer, method, what) {
  const answer = await within(TEST_MS / 3, `${method} ${what}`, fetch(`${balancer.url}/backends/${what}`, { method }));
  assert.equal(answer.status, 200, `${method} ${what}`);
  const text = await answer.text();
  return text && JSON.parse(text);
}

function count(items) {
  const counts = {};
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}

function mostWithinASecond(times) {
  const sorted = times.toSorted((one, other) => one - other);
  let most = 0, from = 0;
  for (let to = 0; to < sorted.length; to++) {
    while (sorted[to] - sorted[from] >= 1000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

// Node 20 can spin for ever when it frees its handles at the end of a process that had thousands of sockets. All results are written by now.
process.on('exit', code => process.reallyExit(process.exitCode ?? code));
