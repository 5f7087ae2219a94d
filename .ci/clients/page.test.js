import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Simulated } from './simulated.js';

const CHROMIUM = '/usr/bin/chromium',
  TEST_MS = 60_000;
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'];

describe("the parts of the dashboard's page", { skip: existsSync(CHROMIUM) ? false : `no ${CHROMIUM}` }, () => {
  let browser, simulated, context, page;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
  });
  after(() => browser?.close());
  beforeEach(async () => {
    simulated = new Simulated(30);
    await simulated.listen();
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(TEST_MS / 3);
    page = await context.newPage();
  });
  afterEach(async () => {
    await context.close();
    simulated.close();
  });

  const asksOf = path => simulated.asks.filter(ask => ask.path === path).map(ask => ask.query);
  const eventually = async (what, isSo) => {
    for (const end = Date.now() + TEST_MS / 3; !isSo();) {
      assert.ok(Date.now() < end, `Waited in vain for ${what}.`);
      await new Promise(done => setTimeout(done, 20));
    }
  };

  /** Where a value is not as its schema of OpenAPI says. */
  const faultsOf = (schemas, schema, value, at) => {
    if (schema.$ref) return faultsOf(schemas, schemas[schema.$ref.split('/').at(-1)], value, at);
    if (schema.allOf) return schema.allOf.flatMap(one => faultsOf(schemas, one, value, at));
    const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
    if (schema.type !== type && !(schema.type === 'number' && type === 'integer')) return [`${at} is ${type}, not ${schema.type}`];
    if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${value}`];
    if (type === 'array') return value.flatMap((one, i) => faultsOf(schemas, schema.items, one, `${at}[${i}]`));
    if (type !== 'object') return [];
    const { properties = {}, required = [] } = schema;
    return [
      ...required.filter(name => !(name in value)).map(name => `${at}.${name} is missing`),
      ...Object.entries(value).flatMap(([name, one]) =>
        properties[name] ? faultsOf(schemas, properties[name], one, `${at}.${name}`) : [`${at}.${name} is unknown`]),
    ];
  };

  test('what is made up is what the API would answer', { timeout: TEST_MS }, async () => {
    const { paths, components } = JSON.parse(await readFile(new URL('../../src/StickyWs.Dashboard/openapi.json', import.meta.url), 'utf8'));
    for (const asked of ['state', 'tunnels?limit=20', 'flows', 'ends?limit=20', 'refusals', 'drains']) {
      const { schema } = paths[`/${asked.split('?')[0]}`].get.responses['200'].content['application/json'];
      assert.deepEqual(faultsOf(components.schemas, schema, await (await fetch(simulated.url + asked)).json(), asked), []);
    }
  });

  /** On a page without the dashboard: a list, what is put into it step by step, and what is seen of it. */
  const listed = (steps, focus) =>
    inModule('dom.js', ({ sync, make }, [steps, focus]) => {
      const list = document.body.appendChild(make('ul')),
        seen = [];
      for (const step of steps) {
        const watch = new MutationObserver(() => {});
        watch.observe(list, { childList: true });
        sync(list, step.split(''), key => key, key => make('li', {}, make('button', {}, key)), () => {});
        const changes = watch.takeRecords();
        seen.push({
          shown: list.textContent,
          placed: changes.reduce((sum, change) => sum + change.addedNodes.length, 0),
          focus: document.activeElement.textContent === focus,
        });
        if (seen.length === 1 && focus) [...list.querySelectorAll('button')].find(button => button.textContent === focus).focus();
      }
      return seen;
    }, [steps, focus]);

  async function inModule(name, run, argument) {
    await context.route(`${simulated.url}blank`, route => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>blank</title>' }));
    await page.goto(`${simulated.url}blank`);
    return await page.evaluate(
      async ([name, code, argument]) => (0, eval)(`(${code})`)(await import(new URL(`page/${name}`, location.href)), argument),
      [name, run.toString(), argument],
    );
  }

  test('a list with a key that is there twice shows both, and does not grow', { timeout: TEST_MS }, async () => {
    const seen = await listed(['aab', 'aab', 'aab', 'baa', 'ab', 'b', 'bbbb', '']);
    assert.deepEqual(seen.map(({ shown }) => shown), ['aab', 'aab', 'aab', 'baa', 'ab', 'b', 'bbbb', '']);
    assert.deepEqual(seen.slice(0, 4).map(({ placed }) => placed), [3, 0, 0, 1]);
  });

  test('a list moves only what has to move', { timeout: TEST_MS }, async () => {
    const placed = async (from, to) => (await listed([from, to]))[1].placed;
    assert.equal(await placed('abcdefgh', 'bcdefgh'), 0, 'the first is gone');
    assert.equal(await placed('abcdefgh', 'xabcdefg'), 1, 'a new one comes first');
    assert.equal(await placed('abcdefgh', 'bcdefgha'), 1, 'the first becomes the last');
    assert.equal(await placed('abcdefgh', 'habcdefg'), 1, 'the last becomes the first');
    assert.equal(await placed('abcdefgh', 'bhgfxa'), 4, 'much changes: two of them, and one is new');
  });

  test('a list keeps the focus, however it is shuffled', { timeout: TEST_MS }, async () => {
    const steps = ['abcdefgh', 'bcdefgh', 'efgh', 'hgfe', 'xeyhzgf', 'gfehx', 'e', 'abcde', 'edcba', 'ae'];
    const seen = await listed(steps, 'e');
    assert.deepEqual(seen.map(({ shown }) => shown), steps);
    assert.deepEqual(seen.slice(1).map(({ focus }) => focus), steps.slice(1).map(() => true));
  });

  test('a row keeps the focus while rows before it go, and a pressed column does', { timeout: TEST_MS }, async () => {
    let first = 0;
    simulated.instead.set('tunnels', ({ sample }) => {
      const tunnels = Array.from({ length: 20 - first }, (_, i) => simulated.tunnel(first + i));
      if (!sample && first < 10) first++;
      return { at: new Date().toISOString(), open: 30, fitting: 30, shown: tunnels.length, tunnels };
    });
    await page.goto(simulated.url);
    const name = await page.locator('#tunnel-rows button.tuple').nth(12).textContent();
    await page.locator('#tunnel-rows button.tuple').nth(12).focus();
    await page.locator('#tunnel-rows tr').nth(10).waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), name);

    await page.getByRole('button', { name: 'Idle', exact: true }).press('Enter');
    await page.locator('th[aria-sort="descending"]', { hasText: 'Idle' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Idle');
    await page.getByRole('button', { name: 'Backend', exact: true }).press('Enter');
    await page.locator('th[aria-sort="ascending"]', { hasText: 'Backend' }).waitFor();
    assert.equal(await page.locator('th[aria-sort]').count(), 1);
    await page.selectOption('#sort', 'busiest');
    await page.locator('th[aria-sort]').waitFor({ state: 'detached' });
  });

  test('hidden while it asks, it opens no stream', { timeout: TEST_MS }, async () => {
    let answer;
    const held = new Promise(done => {
      answer = done;
    });
    simulated.instead.set('drains', () => held);
    await page.goto(simulated.url);
    await eventually('the first look', () => asksOf('drains').length > 0);
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const answered = page.waitForResponse(response => response.url().endsWith('/drains'));
    answer({ at: new Date().toISOString(), drains: [] });
    await answered;
    await simulated.quiet();
    assert.deepEqual(asksOf('events'), []);
    assert.match(await page.locator('#link').textContent(), /^Resting/);
  });

  test('after a defect it goes on', { timeout: TEST_MS }, async () => {
    await page.goto(simulated.url);
    await page.locator('#link', { hasText: 'Live' }).waitFor();
    simulated.instead.set('state', () => ({ at: 'nonsense' }));
    await page.locator('#link', { hasText: 'defect' }).waitFor();
    simulated.instead.delete('state');
    await page.locator('#link', { hasText: 'Live' }).waitFor();
  });

  test('turns a search to the other end once', { timeout: TEST_MS }, async () => {
    const found = tunnels => ({ at: new Date().toISOString(), open: 30, fitting: tunnels.length, shown: tunnels.length, tunnels });
    simulated.instead.set('tunnels', query => {
      if (query.client) return found([]);
      return query.upstream ? found(query.upstream === '10.0.0.1:1027' ? [simulated.tunnel(3)] : []) : undefined;
    });
    await page.goto(simulated.url);
    await page.locator('#link', { hasText: 'Live' }).waitFor();

    await page.fill('#words', '10.0.0.1:1027');
    await page.locator('#tunnels-note', { hasText: 'Showing 1 to 1 of 1 that fit' }).waitFor();
    const clients = asksOf('tunnels').filter(query => query.client).length,
      turned = asksOf('tunnels').filter(query => query.upstream).length;
    await eventually('the end that fits to be asked for again', () => asksOf('tunnels').filter(query => query.upstream).length > turned + 1);
    assert.equal(asksOf('tunnels').filter(query => query.client).length, clients);

    await page.fill('#words', '10.0.0.1:9999');
    await page.locator('#tunnels-note', { hasText: 'None of 30' }).waitFor();
    const fruitless = () => asksOf('tunnels').filter(query => query.client === '10.0.0.1:9999').length;
    const before = fruitless();
    await eventually('the first end to be asked for again', () => fruitless() > before + 1);
    assert.equal(asksOf('tunnels').filter(query => query.upstream === '10.0.0.1:9999').length, 1);
  });

  test('turns a search of ends to the other end, and asks for that one from then on', { timeout: TEST_MS }, async () => {
    const found = ends => ({ at: new Date().toISOString(), kept: 9, fitting: ends.length, shown: ends.length, ends });
    let hasEnded = false;
    simulated.instead.set('ends', query => {
      if (query.client) return found([]);
      return query.upstream ? found(hasEnded ? [simulated.end(3)] : []) : undefined;
    });
    await page.goto(simulated.url);
    await page.locator('#link', { hasText: 'Live' }).waitFor();

    await page.fill('#words', '10.0.0.1:1027');
    await page.locator('#ends-note', { hasText: 'None of 9' }).waitFor();
    hasEnded = true; // Either end may be the one: both are asked for until one fits.
    await page.locator('#ends-note', { hasText: 'Showing the last 1 of 1 end' }).waitFor();
    const asked = name => asksOf('ends').filter(query => query[name]).length;
    const [clients, upstreams] = [asked('client'), asked('upstream')];
    await eventually('the end that fits to be asked for again', () => asked('upstream') > upstreams + 1);
    assert.equal(asked('client'), clients);
  });

  test('shows nothing old beneath a search that is refused, and counts what fits', { timeout: TEST_MS }, async () => {
    simulated.instead.set('ends', ({ reason, limit }) => {
      const ends = Array.from({ length: Math.min(limit, 345) }, (_, i) => ({ ...simulated.end(i), reason: reason ?? 'HandedOff', clientCloseCode: 1000, ownCloseCode: 1012 }));
      return { at: new Date().toISOString(), kept: 1000, fitting: reason ? 345 : 1000, shown: ends.length, ends };
    });
    await page.goto(simulated.url);
    await page.locator('#tunnel-rows tr').nth(20).waitFor();
    await page.locator('#ends-note', { hasText: 'Showing the last 100 of 1,000 ends kept.' }).waitFor();
    await page.fill('#words', 'reason=HandedOff');
    await page.locator('#ends-note', { hasText: 'Showing the last 100 of 345 ends kept that fit.' }).waitFor();
    await page.locator('#end-rows tr', { hasText: "from both, client 1000, backend 1000besides the balancer's own, 1012, to both" }).first().waitFor();

    simulated.instead.set('tunnels', ({ host }) => (host ? 400 : undefined));
    await page.fill('#words', 'host=chat lane=io_uring');
    await page.locator('#tunnels-note', { hasText: 'It is 400.' }).waitFor();
    await page.locator('#tunnel-rows', { hasText: 'No tunnel to show.' }).waitFor();
    assert.equal(await page.locator('#tunnel-rows tr').count(), 1);
    await page.locator('#ends-note', { hasText: 'not known of ends' }).waitFor();
    await page.fill('#words', 'host=chat lane=RAW');
    await page.locator('#ends-note', { hasText: 'Showing the last 100' }).waitFor();
    assert.deepEqual([...new Set(asksOf('ends').map(query => query.lane))], [undefined, 'RAW']);
  });

  test('confirms nothing before the count is there, and tells an outcome that came after it was cancelled', { timeout: TEST_MS }, async () => {
    const answers = [];
    simulated.instead.set('POST', () => new Promise(done => answers.push(done)));
    const plan = { backends: 1, tunnels: 7, requests: 0, handshakes: 0, told: 7, cut: 7, leavesNone: [] };
    const yes = page.locator('#ask-yes'),
      count = page.locator('#ask').getByRole('status');
    await page.goto(simulated.url);

    await page.getByRole('button', { name: 'Cut chat/backend-a', exact: true }).click();
    await eventually('the count to be asked for', () => answers.length === 1);
    assert.equal(await yes.isDisabled(), true);
    answers.pop()({ dryRun: true, drains: [], plan });
    assert.equal(await count.filter({ hasText: '7 tunnels are aborted at once.' }).textContent(), '7 tunnels are aborted at once.');
    await yes.click();
    await eventually('the order', () => answers.length === 1);
    await page.locator('#ask-no').click();
    answers.pop()({ dryRun: false, drains: [], plan });
    await page.locator('#news', { hasText: 'Cut, chat/backend-a: done' }).waitFor();

    await page.getByRole('button', { name: 'Hand off chat/backend-b', exact: true }).click();
    await eventually('the count to be asked for', () => answers.length === 1);
    answers.pop()({ dryRun: true, drains: [], plan });
    await count.filter({ hasText: '7 of 7 tunnels are told to go' }).waitFor();
    await page.locator('#ask input[name="over"]').fill('5m');
    assert.equal(await yes.isDisabled(), true);
    await eventually('the count to be asked for again', () => answers.length === 1);
    answers.pop()({ dryRun: true, drains: [], plan });
    await yes.click();
    await eventually('the order', () => answers.length === 1);
    await page.keyboard.press('Escape');
    answers.pop()(503);
    await page.locator('#news', { hasText: 'Hand off, chat/backend-b: failed. It is 503.' }).waitFor();
  });

  test('a drain of a removed backend is not on the card of its successor', { timeout: TEST_MS }, async () => {
    const drain = { pool: 'chat', backend: 'backend-a', mode: 'HandOff', total: 9, left: 4, requests: 0, told: 5, cut: 0 };
    let mode = 'HandOff';
    simulated.instead.set('drains', () => ({ at: new Date().toISOString(), drains: [drain] }));
    simulated.instead.set('state', () => {
      const state = { ...simulated.state(), steering: { allowed: true } };
      state.pools[0].backends[0].mode = mode;
      return state;
    });
    await page.goto(simulated.url);
    const shown = page.locator('.card[aria-label="Backend backend-a"] .drain');
    await shown.filter({ hasText: '4 of 9 tunnels left' }).waitFor();
    mode = 'On';
    await shown.waitFor({ state: 'hidden' });
  });

  test('rates start anew after the clock was set back', { timeout: TEST_MS }, async () => {
    const rates = await inModule('model.js', ({ model, takeShared }) =>
      [[100, 0], [102, 2000], [40, 3000], [42, 7000]].map(([at, bytes]) => {
        const backend = { pool: 'chat', name: 'a', bytesToBackend: bytes, bytesToClient: 0 };
        takeShared({ at: new Date(at * 1000).toISOString(), pools: [{ name: 'chat', backends: [backend] }] });
        return [model.totals.toBackend ?? null, model.rates.size];
      }),
    );
    assert.deepEqual(rates, [[null, 0], [1000, 1], [null, 0], [2000, 1]]);
  });
});
