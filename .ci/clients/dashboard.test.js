import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { backendSettings, listen, startExample, within } from './example.js';
import { Simulated } from './simulated.js';

const CHROMIUM = '/usr/bin/chromium',
  TEST_MS = 90_000,
  SIMULATED = 100_000,
  MOST_HEAP = 100e6,
  MOST_NODES = 30_000;
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const UNPACED = ['--disable-frame-rate-limit']; // The time from one frame to the next is what a frame takes then, not the screen's pace.
const MARKUP = '<img src=x onerror=document.title="broken">';

describe('the page of the dashboard', { skip: existsSync(CHROMIUM) ? false : `no ${CHROMIUM}` }, () => {
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
  });
  after(() => browser?.close());

  describe('of the Quickstart', () => {
    let example, context, page, faults;
    before(async () => {
      example = await startExample('Quickstart', { ...(await backendSettings('demo', ['a', 'b', 'c'])), 'demo:Drain:Over': '00:00:01' }, { Traffic: 'false' });
      ({ context, page, faults } = await open(browser, `${example.url}/stickyws`));
    });
    after(async () => {
      await context?.close();
      await example?.stop();
    });

    test('is alive at once, under its own policy, and asks nobody else', { timeout: TEST_MS }, async t => {
      await page.locator('.card[aria-label="Backend a"] .state', { hasText: 'Healthy' }).waitFor();
      const { firstState, hosts } = await page.evaluate(() => ({
        firstState:
          performance.getEntriesByType('resource').find(entry => entry.name.endsWith('/state')).responseEnd -
          performance.getEntriesByType('navigation')[0].responseEnd,
        hosts: [...new Set(performance.getEntriesByType('resource').map(entry => new URL(entry.name).host))],
      }));
      t.diagnostic(`the first state was there ${Math.round(firstState)} ms after the page`);
      assert.equal(page.url(), `${example.url}/stickyws/`);
      assert.deepEqual(hosts, [new URL(example.url).host]);
      assert.equal(await page.locator('#link').textContent(), 'Live');
      assert.deepEqual(faults, []);
    });

    test('shows a tunnel that opens, with the ports that the kernel knows', { timeout: TEST_MS }, async () => {
      const client = await connect(example.url, '/ws');
      const shown = await page.locator('#tunnel-rows button.tuple', { hasText: `:${client._socket.localPort} ` }).textContent();
      const [, source, listener, upstream, backend] = /^127\.0\.0\.1:(\d+) → :(\d+) ~ :(\d+) → 127\.0\.0\.1:(\d+)$/.exec(shown).map(Number);
      assert.deepEqual([source, listener], [client._socket.localPort, Number(new URL(example.url).port)]);
      const kernel = (await readFile('/proc/net/tcp', 'utf8'))
        .split('\n')
        .slice(1)
        .map(line => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === '01')
        .map(([, local, remote]) => [local, remote].map(end => parseInt(end.split(':')[1], 16)).join(' '));
      assert.ok(kernel.includes(`${source} ${listener}`), 'the connection of the client');
      assert.ok(kernel.includes(`${upstream} ${backend}`), 'the connection to the backend');
      client.close(1000);
      await page.locator('#end-rows', { hasText: `127.0.0.1:${source}` }).waitFor();
    });

    test('leads from a client and a time to why its tunnel ended', { timeout: TEST_MS }, async () => {
      const client = await connect(example.url, '/ws');
      const end = `127.0.0.1:${client._socket.localPort}`;
      await page.locator('#tunnel-rows', { hasText: end }).waitFor();
      client.terminate();
      const now = new Date();
      await page.fill('#words', `${end} ${now.getHours()}:${String(now.getMinutes()).padStart(2, '0')}`);
      const row = page.locator('#end-rows tr', { hasText: end });
      await row.locator('strong', { hasText: /Client(Closed|Reset)/ }).waitFor();
      await page.locator('#ends-note', { hasText: 'Showing the last 1 of 1 end kept that fit between' }).waitFor(); // Not before the search.
      assert.equal(await page.locator('#end-rows tr').count(), 1);
      await page.click('#clear');
    });

    test('turns a backend that is stopped, and back', { timeout: TEST_MS }, async () => {
      const card = page.locator('.card[aria-label="Backend c"]');
      await fetch(`${example.url}/quickstart/backends/c?running=false`, { method: 'PUT' });
      await card.locator('.state', { hasText: 'Unhealthy' }).waitFor();
      await fetch(`${example.url}/quickstart/backends/c?running=true`, { method: 'PUT' });
      await card.locator('.state', { hasText: /Healthy$/ }).waitFor();
    });

    test('drains a backend, after a question that counts, until it says empty', { timeout: TEST_MS }, async () => {
      const clients = await Promise.all(Array.from({ length: 6 }, () => connect(example.url, '/ws')));
      const gone = Promise.race(clients.map(client => new Promise(closed => client.once('close', closed))));
      const card = page.locator('.card[aria-label="Backend b"]');
      await card.locator('dd', { hasText: /^2$/ }).first().waitFor();
      await card.getByRole('button', { name: 'Hand off demo/b' }).click();
      await page.locator('#ask-effect', { hasText: '2 of 2 tunnels are told to go' }).waitFor();
      await page.keyboard.press('Escape');
      await page.locator('#ask').waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Hand off demo/b');
      assert.equal(await card.locator('.state', { hasText: 'Draining' }).count(), 0);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Hand off', exact: true }).click();
      await card.locator('.left', { hasText: /^empty/ }).waitFor();
      assert.equal(await within(TEST_MS / 3, 'the Close frame', gone), 1012);
      await page.locator('#end-rows tr', { hasText: "besides the balancer's own, 1012, to both" }).first().waitFor();
      await card.getByRole('button', { name: 'Undrain demo/b' }).click();
      await page.locator('#ask').getByRole('button', { name: 'Undrain' }).click();
      await card.locator('.state', { hasText: /Healthy$/ }).waitFor();
      clients.forEach(client => client.terminate());
    });

    test('is neither read nor steered by another origin', { timeout: TEST_MS }, async () => {
      const other = await listen(
        createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>other</title>')),
      );
      const foreign = await context.newPage();
      try {
        await foreign.goto(`http://127.0.0.1:${other.address().port}/`);
        const came = await foreign.evaluate(async target => {
          // An opaque answer says nothing; a browser may also keep it back as a whole (Cross-Origin-Resource-Policy).
          const outcome = promise =>
            promise.then(
              response => (response.type === 'opaque' ? 'not read' : `read: ${response.status}`),
              () => 'not read',
            );
          const framed = document.createElement('iframe');
          framed.src = `${target}/stickyws/`;
          const loaded = new Promise(done => {
            framed.onload = done;
          });
          document.body.append(framed);
          await loaded;
          return [
            await outcome(fetch(`${target}/stickyws/state`)),
            await outcome(fetch(`${target}/stickyws/state`, { mode: 'no-cors' })),
            await outcome(fetch(`${target}/stickyws/pools/demo:cut`, { method: 'POST', headers: { 'X-StickyWs': '1' } })),
            await outcome(fetch(`${target}/stickyws/pools/demo:cut`, { method: 'POST', mode: 'no-cors' })),
          ];
        }, example.url);
        assert.deepEqual(came, ['not read', 'not read', 'not read', 'not read']);
        assert.match(foreign.frames()[1].url(), /^chrome-error:/);
        const state = await (await fetch(`${example.url}/stickyws/state`)).json();
        assert.deepEqual(
          state.pools[0].backends.map(backend => backend.mode),
          ['On', 'On', 'On'],
        );
        // What was tried is an order, for whoever may give one.
        const own = await fetch(`${example.url}/stickyws/pools/demo:cut?dryRun=true`, { method: 'POST', headers: { 'X-StickyWs': '1' } });
        assert.equal(own.status, 200);
      } finally {
        await foreign.close();
        other.close();
      }
    });

    test('has no serious fault in the eyes of axe', { timeout: TEST_MS }, async () => {
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 1280],
        ['light', 360],
      ])
        await audit(browser, `${example.url}/stickyws/`, colorScheme, width);
      assert.deepEqual(faults, []);
    });
  });

  test(`holds a sample of ${SIMULATED} tunnels, and says so`, { timeout: TEST_MS }, async t => {
    const simulated = new Simulated(SIMULATED, { opensPerSecond: 20, hostile: MARKUP });
    await simulated.listen();
    const unpaced = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...ARGUMENTS, ...UNPACED] });
    try {
      const { context, page, faults } = await open(unpaced, simulated.url);
      await page.locator('#flow-note', { hasText: /Showing 500 of 100,\d{3} tunnels open/ }).waitFor();
      await page.locator('#tunnel-rows tr').nth(49).waitFor();
      const devtools = await context.newCDPSession(page);
      t.diagnostic(await framesOf(page, devtools));

      // It answers while all of that goes on, and what it keeps does not grow with the tunnels.
      const sorted = page.waitForResponse(response => response.url().includes('sort=busiest'));
      await page.selectOption('#sort', 'busiest');
      await sorted;
      await page.click('#pause');
      assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
      await page.click('#pause');
      await devtools.send('HeapProfiler.collectGarbage');
      const { usedSize } = await devtools.send('Runtime.getHeapUsage'),
        { nodes } = await devtools.send('Memory.getDOMCounters');
      t.diagnostic(`heap ${(usedSize / 1e6).toFixed(1)} MB, ${nodes} nodes`);
      assert.ok(usedSize < MOST_HEAP, `${usedSize} bytes`);
      assert.ok(nodes < MOST_NODES, `${nodes} nodes`);
      assert.ok(simulated.mostTunnelsAnswered <= 500, `${simulated.mostTunnelsAnswered} tunnels in one answer`);

      // Markup in the names and paths stayed text.
      assert.match(await page.locator('.card h4').nth(1).textContent(), /<img src=x/);
      await page.locator('#tunnel-rows td', { hasText: MARKUP }).first().waitFor();
      assert.equal(await page.locator('main img').count(), 0);
      assert.match(await page.title(), /tunnels · StickyWs$/);
      assert.deepEqual(faults, []);
    } finally {
      await unpaced.close();
      simulated.close();
    }
  });

  test('says that nobody answers, waits longer each time, and comes back; hidden it asks nothing', { timeout: TEST_MS }, async () => {
    const simulated = new Simulated(3);
    await simulated.listen();
    const { context, page } = await open(browser, simulated.url);
    try {
      await page.locator('#link', { hasText: 'Live' }).waitFor();
      simulated.failing = 401;
      await page.locator('#link', { hasText: /not signed in.*Trying again in 2\.0 s/ }).waitFor();
      simulated.failing = 0;
      await page.locator('#link', { hasText: 'Live' }).waitFor();
      await hide(page, true);
      await page.locator('#link', { hasText: 'Resting' }).waitFor();
      await simulated.quiet();
      await hide(page, false);
      await page.locator('#link', { hasText: 'Live' }).waitFor();
    } finally {
      await context.close();
      simulated.close();
    }
  });
});

async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(TEST_MS / 3);
  const page = await context.newPage(),
    faults = [];
  page.on('pageerror', error => faults.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(url);
  return { context, page, faults };
}

/** What a frame takes while the flow is live: from one to the next, the thread's work for it, and the picture's own part. For whoever measures. */
async function framesOf(page, devtools, count = 300) {
  await devtools.send('Performance.enable');
  const work = async () => (await devtools.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  const before = await work();
  const { apart, drawn } = await page.evaluate(async count => {
    const { frames } = await import(new URL('page/flow.js', location.href));
    const apart = [],
      drawn = [];
    for (let last = await new Promise(requestAnimationFrame), live = frames.count; apart.length < count;) {
      const now = await new Promise(requestAnimationFrame);
      if (frames.count > live) {
        apart.push(now - last); // The picture moved since the frame before.
        drawn.push(frames.times[(frames.count - 1) % frames.times.length]);
      }
      [last, live] = [now, frames.count];
    }
    return { apart, drawn };
  }, count);
  const each = ((await work()) - before) / count;
  const at = (times, share) => times.sort((a, b) => a - b)[Math.floor(times.length * share)].toFixed(2);
  return `frame: median ${at(apart, 0.5)} ms, 99th ${at(apart, 0.99)} ms; work of the thread ${each.toFixed(2)} ms a frame; drawing: median ${at(drawn, 0.5)} ms, 99th ${at(drawn, 0.99)} ms`;
}

async function audit(browser, url, colorScheme, width) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true }); // For axe's own code.
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('.card').first().waitFor();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(
      grave.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(node => node.html)
            .join(' ')}`,
      ),
      [],
      `${colorScheme}, ${width} px`,
    );
  } finally {
    await context.close();
  }
}

// As a browser does when another tab is in front.
async function hide(page, hidden) {
  await page.evaluate(isHidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

function connect(url, path) {
  const client = new WebSocket(url.replace('http', 'ws') + path);
  return new Promise((opened, failed) => {
    client.once('error', failed);
    client.once('message', () => opened(client));
  });
}
