import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { backendSettings, startExample } from './example.js';

const CHROMIUM = '/usr/bin/chromium', TEST_MS = 90_000, CHATS = 9;
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

describe('the page of the Quickstart', { skip: existsSync(CHROMIUM) ? false : `no ${CHROMIUM}` }, () => {
  const faults = [], foreign = [];
  let browser, quickstart, page;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
    const backends = await backendSettings('demo', ['a', 'b', 'c']);
    quickstart = await startExample('Quickstart', { ...backends, 'demo:Drain:Over': '00:00:01', 'demo:Health:Http:Timeout': '00:00:30' });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(TEST_MS / 3);
    page.on('pageerror', error => faults.push(error.message));
    page.on('console', message => { if (message.type() === 'error') faults.push(message.text()); });
    page.on('request', request => { if (!request.url().startsWith(quickstart.url)) foreign.push(request.url()); });
    await page.goto(quickstart.url);
  });
  after(async () => {
    await browser?.close();
    await quickstart?.stop();
  });

  const seen = async () => (await (await fetch(`${quickstart.url}/quickstart`)).json());
  const state = async () => (await (await fetch(`${quickstart.url}/stickyws/state`)).json());
  const backend = async name => (await state()).pools[0].backends.find(backend => backend.name === name);
  const card = name => page.getByRole('article', { name: `Backend ${name}`, exact: true });

  /** What is asked for, as soon as it is as wanted. */
  const eventually = async (what, ask, isWanted) => {
    for (const end = Date.now() + TEST_MS / 3; ;) {
      const value = await ask();
      if (isWanted(value)) return value;
      if (Date.now() > end) assert.fail(`Waited in vain for ${what}: ${JSON.stringify(value)}`);
      await new Promise(done => setTimeout(done, 100));
    }
  };

  test('is the dashboard, with the story in three captions', { timeout: TEST_MS }, async () => {
    assert.equal(new URL(page.url()).pathname, '/stickyws/');
    assert.deepEqual(await page.locator('.story-captions h3').allTextContents(), ['Balanced per request', 'Routed once', 'Dropped to L4']);
    await page.locator('#link.live').waitFor();
  });

  test('is alive by itself: requests are balanced, and WebSockets are open and carry messages', { timeout: TEST_MS }, async () => {
    await page.locator('.story-fact', { hasText: /\d+ by a, \d+ by b, \d+ by c/ }).waitFor();
    await page.locator('.story-fact', { hasText: /[1-9]\d* clients? chatting/ }).waitFor();
    await page.locator('.story-fact', { hasText: /[1-9]\d* messages? echoed/ }).waitFor();
    await page.locator('#tunnel-rows tr th, #tunnel-rows tr td').first().waitFor();

    // What the balancer counts is what the clients count: the traffic goes through it. New ones come all the time, so it is asked until both agree.
    await eventually('as many tunnels as clients', async () => [(await state()).tunnels, (await seen()).traffic.chats.open], ([tunnels, open]) => tunnels === open && open === CHATS);
    assert.equal((await seen()).traffic.failedRequests, 0);
  });

  test('stops the traffic and starts it again', { timeout: TEST_MS }, async () => {
    await page.click('.story-power');
    await page.locator('.story-power', { hasText: 'Start the traffic' }).waitFor();
    await eventually('no tunnel', state, ({ tunnels }) => tunnels === 0);
    await page.locator('.story-fact', { hasText: '0 clients chatting' }).waitFor();
    const before = await eventually('no open chat', seen, ({ traffic }) => traffic.chats.open === 0);
    assert.deepEqual([before.traffic.isOn, before.traffic.chats.told, before.traffic.chats.broken], [false, 0, 0]);

    await page.click('.story-power');
    await page.locator('.story-power', { hasText: 'Stop the traffic' }).waitFor();
    await eventually('tunnels', state, ({ tunnels }) => tunnels === CHATS);
    await eventually('answers', seen, ({ traffic }) => sum(traffic.answers) > sum(before.traffic.answers));
  });

  test('hands the clients of a backend over until it is empty, and no request fails', { timeout: TEST_MS }, async () => {
    const { tunnels } = await eventually('tunnels of b', () => backend('b'), ({ tunnels }) => tunnels > 0);
    const before = await seen();
    await card('b').getByRole('button', { name: 'Hand off' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Hand off' }).click();

    await card('b').locator('.drain', { hasText: 'empty' }).waitFor();
    await page.locator('.story-noticed', { hasText: /[1-9]\d* goodbyes? \(Close 1012\)/ }).waitFor();
    assert.equal((await backend('b')).tunnels, 0);
    await eventually('all clients elsewhere', state, ({ tunnels }) => tunnels === CHATS);
    const { traffic } = await seen();
    assert.ok(traffic.chats.told > 0 && traffic.chats.told <= before.traffic.chats.told + CHATS, `${traffic.chats.told} were told, of ${tunnels}`);
    assert.deepEqual([traffic.failedRequests, traffic.chats.broken, traffic.chats.refused], [0, 0, 0]);
    await card('b').locator('.Draining').waitFor();
  });

  test('brings it back', { timeout: TEST_MS }, async () => {
    await card('b').getByRole('button', { name: 'Undrain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undrain' }).click();
    await card('b').locator('.Healthy').waitFor();
    const before = await seen();
    await eventually('answers of b', seen, ({ traffic }) => traffic.answers.b > before.traffic.answers.b);
  });

  test('crashes a backend and revives it', { timeout: TEST_MS }, async () => {
    await page.getByRole('button', { name: 'Crash c' }).click();
    await card('c').locator('.Unhealthy').waitFor();
    await eventually('all clients elsewhere', state, ({ tunnels, pools }) => tunnels === CHATS && pools[0].backends.find(backend => backend.name === 'c').tunnels === 0);
    await page.getByRole('button', { name: 'Revive c' }).click();
    await card('c').locator('.Healthy').waitFor();
  });

  test('asked nobody else for anything, and nothing was amiss', () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(faults, []);
  });
});

const sum = answers => Object.values(answers).reduce((total, count) => total + count, 0);
