import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { backendSettings, startExample } from './example.js';

const CHROMIUM = '/usr/bin/chromium', TEST_MS = 60_000;
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

describe('a browser', { skip: existsSync(CHROMIUM) ? false : `no ${CHROMIUM}` }, () => {
  let browser;
  before(async () => { browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS }); });
  after(() => browser?.close());

  describe('on the page of SignalRChat', () => {
    let chat, context, page;
    before(async () => {
      chat = await startExample('SignalRChat', await backendSettings('chat', ['a', 'b', 'c']));
      ({ context, page } = await open(browser, chat.url));
    });
    after(async () => {
      await context?.close();
      await chat?.stop();
    });

    for (const transport of ['LongPolling', 'ServerSentEvents', 'WebSockets']) {
      test(`joins by ${transport}, sends and sees its message, and gets no cookie`, { timeout: TEST_MS }, async () => {
        await page.fill('#name', transport);
        await page.selectOption('#transport', transport);
        await page.click('#join button');
        await page.locator('#speaker option', { hasText: transport }).waitFor({ state: 'attached' });
        await page.selectOption('#speaker', transport);
        await page.fill('#text', `hello by ${transport}`);
        await page.click('#say button');
        await page.locator('#chat li', { hasText: `${transport}: hello by ${transport}` }).waitFor();
        assert.equal(await page.textContent('#trouble'), '');
        assert.deepEqual(await context.cookies(), []);
      });
    }
  });

  describe('on the page of SharedState', () => {
    let notes, context, page;
    before(async () => {
      notes = await startExample('SharedState', await backendSettings('notes', ['a', 'b', 'c']));
      ({ context, page } = await open(browser, notes.url));
    });
    after(async () => {
      await context?.close();
      await notes?.stop();
    });

    test('gets a cookie with the 101, and comes back to its notes', { timeout: TEST_MS }, async () => {
      await page.locator('#log li', { hasText: 'New on' }).waitFor();
      const backend = await page.textContent('#badge');
      const [cookie] = await context.cookies();
      assert.equal(cookie?.name, 'StickyWs');
      assert.equal(cookie.httpOnly, true);
      await add(page, 'milk');
      await add(page, 'bread');
      await page.reload();
      await page.locator('#log li', { hasText: `On ${backend}, which has 2 notes in memory.` }).waitFor();
    });

    test('is moved when its backend is killed, and its notes are loaded from the cache', { timeout: TEST_MS }, async () => {
      const client = await page.textContent('#client');
      for (let moves = 0; moves < 2; moves++) {
        const from = await page.textContent('#badge');
        await page.click('#kill');
        await page.locator('#log li', { hasText: `Moved from ${from} to ` }).waitFor();
        assert.match(await page.textContent('#log li.moved'), new RegExp(`Moved from ${from} to [abc], ${2 + moves} notes loaded.`));
        assert.equal(await page.textContent('#client'), client);
        await add(page, `after move ${moves}`);
      }
    });
  });
});

async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 720 } });
  context.setDefaultTimeout(TEST_MS / 3);
  const page = await context.newPage();
  await page.goto(url);
  return { context, page };
}

async function add(page, note) {
  await page.fill('#text', note);
  await page.click('#add button');
  await page.locator('#notes li', { hasText: note }).waitFor();
}
