import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, beforeEach, describe, test } from 'node:test';
import WebSocket from 'ws';
import { parse } from 'yaml';
import { backendSettings, startExample, within } from './example.js';

const TEST_MS = 90_000;
const BACKEND = 'demo/b';

// What the documents tell an operator to type, run as it is written there: only names of pools, clients and hosts are other ones.
describe("an operator's commands, from the documents", () => {
  let quickstart, folder, dashboard, observability;
  before(async () => {
    [dashboard, observability] = await Promise.all(['StickyWs.Dashboard/README.md', 'StickyWs/Observability/README.md'].map(
      name => readFile(fileURLToPath(new URL(`../../src/${name}`, import.meta.url)), 'utf8')));
    folder = await mkdtemp(join(tmpdir(), 'stickyws-operator-'));
    const format = JSON.parse(block(observability, 'In one search', 'json'));
    quickstart = await startExample('Quickstart', { ...(await backendSettings('demo', ['a', 'b', 'c'])), 'demo:Drain:Over': '00:00:01' },
      { Traffic: 'false', 'Logging:LogLevel:StickyWs.Access': 'Information', ...flat(format) });
  });
  after(async () => {
    await quickstart?.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => run(`curl --fail --silent --max-time 30 -X POST -H 'X-StickyWs: 1' '${quickstart.url}/stickyws/pools/demo:undrain'`));

  /** Deploys nothing, and notes what is left of the backend meanwhile; or fails. */
  const deploys = async code => {
    const script = join(folder, 'deploy.sh');
    await writeFile(script, `#!/usr/bin/env bash\necho "$1" > deployed\ncurl --fail --silent ${quickstart.url}/stickyws/state > meanwhile\nexit ${code}\n`);
    await chmod(script, 0o755);
  };
  const backend = async name => (await (await fetch(`${quickstart.url}/stickyws/state`)).json()).pools[0].backends.find(one => one.name === name);
  const meanwhile = async () => JSON.parse(await readFile(join(folder, 'meanwhile'), 'utf8')).pools[0].backends.find(one => one.name === 'b');

  function run(command, environment = {}) {
    const child = spawn('bash', ['-c', command], { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', data => { output += data; });
    return within(TEST_MS / 2, command, new Promise((done, failed) => {
      child.once('error', failed);
      child.once('close', code => done({ code, output }));
    }));
  }

  /** Clients of b that leave when they are told to, and the codes with which that was. */
  async function chat() {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(`${quickstart.url.replace('http', 'ws')}/ws`)));
    return { clients, codes: clients.map(client => new Promise(closed => client.once('close', closed))) };
  }

  const script = () => block(dashboard, 'In a deploy script', 'bash');

  test('one command returns when a backend is empty', { timeout: TEST_MS }, async () => {
    const { clients } = await chat();
    const command = block(dashboard, 'In a deploy script', 'sh');

    const { code, output } = await run(command.replace('http://localhost:5000', quickstart.url).replace('chat/b', BACKEND));

    assert.equal(code, 0, output);
    const { tunnels, requests, mode } = await backend('b');
    assert.deepEqual({ tunnels, requests, mode }, { tunnels: 0, requests: 0, mode: 'HandOff' });
    clients.forEach(client => client.terminate());
  });

  test('a script empties a backend, deploys then, and brings it back', { timeout: TEST_MS }, async () => {
    const { clients, codes } = await chat();
    await deploys(0);
    await writeFile(join(folder, 'release.sh'), script());

    const { code, output } = await run(`bash release.sh ${BACKEND}`, { BALANCER: `${quickstart.url}/stickyws` });

    assert.equal(code, 0, output);
    assert.equal((await readFile(join(folder, 'deployed'), 'utf8')).trim(), BACKEND);
    const { tunnels, requests, mode, eligible } = await meanwhile();
    assert.deepEqual({ tunnels, requests, mode, eligible }, { tunnels: 0, requests: 0, mode: 'HandOff', eligible: false });
    assert.equal((await backend('b')).mode, 'On');
    assert.equal(await within(TEST_MS / 3, 'the Close frame', Promise.race(codes)), 1012);
    clients.forEach(client => client.terminate());
  });

  test('a deployment that fails leaves the backend out of service', { timeout: TEST_MS }, async () => {
    await deploys(3);
    await writeFile(join(folder, 'release.sh'), script());

    const { code } = await run(`bash release.sh ${BACKEND}`, { BALANCER: `${quickstart.url}/stickyws` });

    assert.equal(code, 3);
    assert.equal((await backend('b')).mode, 'HandOff');
  });

  test('a name that does not exist fails, says which there are, and deploys nothing', { timeout: TEST_MS }, async () => {
    await deploys(0);
    await rm(join(folder, 'deployed'), { force: true });
    await writeFile(join(folder, 'release.sh'), script());

    const { code, output } = await run('bash release.sh demo/bb', { BALANCER: `${quickstart.url}/stickyws` });

    assert.notEqual(code, 0);
    assert.match(output, /"known":\["a","b","c"\]/);
    await assert.rejects(readFile(join(folder, 'deployed')), { code: 'ENOENT' });
  });

  for (const [name, key, values] of [
    ['GitHub Actions', 'run', { '${{ vars.BALANCER }}': 'BALANCER', '${{ secrets.STICKYWS_TOKEN }}': 'SECRET' }],
    ['Azure DevOps', 'bash', { '$(balancer)': 'BALANCER', '$(stickywsToken)': 'SECRET' }],
  ])
    test(`the steps of ${name} empty it, deploy, and bring it back`, { timeout: TEST_MS }, async () => {
      await deploys(0);
      const { clients } = await chat();
      const expand = text => Object.entries(values).reduce((all, [written, name]) =>
        all.replaceAll(written, { BALANCER: `${quickstart.url}/stickyws`, SECRET: 'token' }[name]), text);
      const modes = [];
      const steps = parse(block(dashboard, name, 'yaml'));
      for (const step of steps) {
        assert.equal(typeof (step.name ?? step.displayName), 'string');
        const environment = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, expand(value)]));
        const { code, output } = await run(expand(step[key]).replaceAll('chat/', 'demo/'), environment);
        assert.equal(code, 0, output);
        modes.push((await backend('b')).mode);
      }
      assert.deepEqual(modes, ['HandOff', 'HandOff', 'On']);
      assert.equal((await meanwhile()).tunnels, 0);
      clients.forEach(client => client.terminate());
    });

  test('one search leads from a client and a minute to why his tunnel ended: in the log, and in what the balancer keeps', { timeout: TEST_MS }, async () => {
    const client = await connect(`${quickstart.url.replace('http', 'ws')}/ws`);
    const end = `127.0.0.1:${client._socket.localPort}`;
    const [grep, curl] = block(observability, 'In one search', 'bash').trim().split('\n').map(command => command.split('#')[0].trim());
    client.terminate();
    let line = '';
    for (const until = Date.now() + TEST_MS / 3; !line && Date.now() < until;) {
      await new Promise(done => setTimeout(done, 100));
      await writeFile(join(folder, 'balancer.log'), quickstart.output());
      const minutes = [0, 60_000].map(ago => new Date(Date.now() - ago).toISOString().slice(0, 16)); // It may have become the next one.
      for (const minute of minutes) line ||= (await run(grep.replace('2026-11-30T14:02', minute).replace('203.0.113.7[: ]', `${end} `))).output;
    }
    assert.match(line, / Opened\/Client(Closed|Reset)\/none /, quickstart.output());
    assert.equal(line.trim().split('\n').length, 1);

    const { output } = await run(curl.replace('localhost:5000', new URL(quickstart.url).host).replace('203.0.113.7', end));
    assert.match(output, /Client(Closed|Reset)/);
  });
});

/** The first block of code of a language after some words of a document. */
function block(document, words, language) {
  const from = document.indexOf(`\`\`\`${language}\n`, document.lastIndexOf(words)) + language.length + 4;
  assert.ok(from > language.length + 4, `There is no ${language} after "${words}".`);
  return document.slice(from, document.indexOf('\n```', from) + 1);
}

/** A part of appsettings.json as arguments. */
const flat = (settings, prefix = '') => Object.fromEntries(Object.entries(settings).flatMap(([name, value]) =>
  typeof value === 'object' ? Object.entries(flat(value, `${prefix}${name}:`)) : [[prefix + name, value]]));

function connect(url) {
  const client = new WebSocket(url);
  return new Promise((opened, failed) => {
    client.once('error', failed);
    client.once('message', () => opened(client));
  });
}
