import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { backendSettings, freePorts, Started, startExample, until } from './example.js';

// examples/Observed with a real Prometheus, which has the example's own configuration, only faster: what the dashboard and the alerts name is there, and alerts fire.
const TEST_MS = 240_000, WAIT_MS = 90_000, LEAVE_MS = 10_000, CRASH_EVERY_MS = 4_000, VISITS = 24;
const PROMETHEUS = '/usr/bin/prometheus', PROMTOOL = '/usr/bin/promtool';
const folder = fileURLToPath(new URL('../../examples/Observed', import.meta.url));
const skip = existsSync(PROMETHEUS) && existsSync(PROMTOOL) ? false : 'no Prometheus here';
const read = path => readFileSync(join(folder, path), 'utf8');

for (const [what, args] of [['configuration', ['check', 'config', 'prometheus.yml']], ['rules', ['check', 'rules', 'rules.yml']], ['alerts', ['test', 'rules', 'rules.test.yml']]]) {
  test(`the ${what} of examples/Observed are what promtool expects`, { skip, timeout: TEST_MS }, () => {
    execFileSync(PROMTOOL, args, { cwd: join(folder, 'prometheus'), encoding: 'utf8', stdio: 'pipe' });
  });
}

test('a dashboard and alerts find every metric that they name, and a crash fires', { skip, timeout: TEST_MS }, async context => {
  const started = new Started(context);
  const { example, http, metrics } = await startObserved(started);
  let prometheus;
  const order = path => post(`http://localhost:${metrics}/backends/${path}`);
  try {
    prometheus = started.add(await startPrometheus(`localhost:${metrics}`));
    await until(async () => (await prometheus.get('targets')).activeTargets.some(({ health }) => health === 'up'), 'Prometheus to reach the example', WAIT_MS);

    await order('a/weight/2');
    await order('a/weight/no-number');
    await order('b/crash');
    const names = new Set([...expressions(), ...ruleExpressions()].flatMap(metricsIn));
    assert.ok(names.size > 40, `${names.size} metrics are named`);
    let missing = [...names], isUp = false, turned = performance.now();
    await until(async () => {
      const found = await Promise.all(missing.map(async name => (await prometheus.get('series', { 'match[]': name })).length > 0));
      missing = missing.filter((_, i) => !found[i]);
      // A drain is over in seconds: perhaps nobody looked meanwhile.
      if (missing.some(name => name.includes('_drain_'))) await order('c/drain').then(() => order('c/undrain'));
      // Nor has anybody dialled a crashed backend if its tunnels' ends convict it first. It must be up for a while to be dialled again.
      if (missing.some(name => /_(dial_failures|retries)_/.test(name)) && performance.now() - turned > CRASH_EVERY_MS) {
        isUp = !isUp;
        turned = performance.now();
        await Promise.all([order(`b/${isUp ? 'start' : 'crash'}`), ...Array.from({ length: VISITS }, () => visit(http))]);
      }
      return missing.length === 0;
    }, () => `the metrics ${missing.join(', ')}`, WAIT_MS);

    await order('b/crash');
    for (const expression of expressions()) await prometheus.get('query', { query: filled(expression) });
    const rules = (await prometheus.get('rules')).groups.flatMap(group => group.rules);
    assert.deepEqual(rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`), []);
    assert.ok(rules.length > 15);

    const firing = async () => (await prometheus.get('alerts')).alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    const isDown = labels => labels.alertname === 'StickyWsBackendDown' && labels.stickyws_backend === 'b';
    await until(async () => (await firing()).some(isDown), 'the alert that b is down', WAIT_MS);
    assert.ok((await firing()).some(({ alertname }) => alertname === 'StickyWsConfigurationRefused'));
    assert.ok((await firing()).every(labels => labels.alertname !== 'StickyWsBackendDown' || isDown(labels)), 'nobody else is down');
    await order('b/start');
    await until(async () => !(await firing()).some(isDown), 'the alert that b is down to end', WAIT_MS);
    context.diagnostic(`${names.size} metrics, ${rules.length} rules`);
  } catch (error) {
    throw new Error(`${error.stack}\n${prometheus?.output()}\n${example.output()}`);
  }
});

test('whatever host clients name, they get neither the metrics nor the backends', { timeout: TEST_MS }, async context => {
  const { example, http, https, metrics } = await startObserved(new Started(context));
  const orders = [['GET', '/metrics'], ...['crash', 'start', 'drain', 'undrain', 'weight/2'].map(order => ['POST', `/backends/a/${order}`])];
  try {
    for (const host of [`localhost:${metrics}`, `127.0.0.1:${metrics}`, `[::1]:${metrics}`]) {
      for (const [method, path] of orders) {
        assert.equal(await statusOf(request, http, method, path, host), 404, `${method} ${path} for ${host}`);
        assert.equal(await statusOf(requestTls, https, method, path, host), 404, `${method} ${path} for ${host} within TLS`);
      }
    }
    for (const [method, path] of orders) assert.equal(await statusOf(request, metrics, method, path, `localhost:${http}`), 200, `${method} ${path}`);
  } catch (error) {
    throw new Error(`${error.stack}\n${example.output()}`);
  }
});

async function startObserved(started) {
  const [http, https, metrics] = await freePorts(3);
  const example = started.add(await startExample('Observed', await backendSettings('chat', ['a', 'b', 'c']),
    { 'Ports:Http': http, 'Ports:Https': https, 'Ports:Metrics': metrics }));
  return { example, http, https, metrics };
}

function statusOf(send, port, method, path, host) {
  return new Promise((answered, failed) => {
    send({ host: 'localhost', port, method, path, headers: { host }, agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(WAIT_MS) },
      answer => answer.resume().once('end', () => answered(answer.statusCode)).once('error', failed)).once('error', failed).end();
  });
}

// A page of anybody's: whether it is answered is not the question here.
const visit = port => fetch(`http://localhost:${port}/api/hello`, { signal: AbortSignal.timeout(WAIT_MS) }).then(answer => answer.arrayBuffer());

async function post(url) {
  const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(WAIT_MS) });
  assert.ok(answer.ok, `${url}: ${answer.status}`);
  await answer.arrayBuffer();
}

async function startPrometheus(target) {
  const [port] = await freePorts(1);
  const data = mkdtempSync(join(tmpdir(), 'prometheus-'));
  writeFileSync(join(data, 'rules.yml'), read('prometheus/rules.yml'));
  const configuration = read('prometheus/prometheus.yml');
  assert.match(configuration, /"localhost:9464"/);
  writeFileSync(join(data, 'prometheus.yml'), configuration.replace('localhost:9464', target).replaceAll('interval: 5s', 'interval: 1s'));
  const child = spawn(PROMETHEUS, [
    `--config.file=${join(data, 'prometheus.yml')}`, `--storage.tsdb.path=${join(data, 'tsdb')}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn',
  ], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise(done => child.once('close', done));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => { output += text; });
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS);
    await exited;
    clearTimeout(patience);
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await until(async () => {
      assert.equal(child.exitCode, null, 'Prometheus has ended');
      return fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => ok, () => false);
    }, 'Prometheus to be ready', WAIT_MS);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
  const get = async (path, parameters = {}) => {
    const answer = await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json();
    assert.equal(answer.status, 'success', `${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  };
  return { get, stop, output: () => output };
}

// What the dashboard asks for.
function expressions() {
  const { panels, annotations } = JSON.parse(read('grafana/dashboards/stickyws.json'));
  return [...panels.flatMap(({ targets = [] }) => targets), ...annotations.list].map(({ expr }) => expr).filter(Boolean);
}

// As Grafana fills in its variables when everything is chosen.
function filled(expression) {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(instance|pool|backend)/g, '.*');
}

function ruleExpressions() {
  return [...read('prometheus/rules.yml').matchAll(/^ +expr: (?:\|\n((?:^ {10,}.*\n)+)|(.*))/gm)].map(([, block, line]) => block ?? line);
}

// Without labels, which stand in braces or behind the words that group.
function metricsIn(expression) {
  return expression.replaceAll(/\{[^}]*\}/g, ' ').replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, ' ').match(/\b(stickyws[\w:]*|up)\b/g) ?? [];
}
