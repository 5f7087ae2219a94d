import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const READY_MS = 60_000, LEAVE_MS = 10_000;
const configuration = process.env.CONFIGURATION ?? 'Debug';

/** Ports of the loopback that nobody listens on, all different. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(createServer())));
  const ports = servers.map(server => server.address().port);
  await Promise.all(servers.map(server => new Promise(closed => server.close(closed))));
  return ports;
}

export function listen(server, port = 0) {
  return new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => listening(server));
  });
}

/** What a test has started. When the test is over, however it ends, all of it is stopped, the last first, and one that throws keeps no other running. */
export class Started {
  #stops = [];
  #isOver = false;

  constructor(context) {
    context.after(() => this.#stop());
  }

  /** @returns what was started */
  add(what, stop = () => what.stop()) {
    this.#stops.push(stop);
    if (this.#isOver) void this.#stop(); // A test whose time is over may still be under way.
    return what;
  }

  async #stop() {
    this.#isOver = true;
    const errors = [];
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map(({ stack }) => stack).join('\n'));
  }
}

/**
 * Runs a built example on ports of its own until stop() is called.
 * @param settings configuration keys below StickyWs:Pools, each with its value
 * @param others any other configuration keys
 * @param role the role of this process, for an example that has several
 */
export async function startExample(name, settings, others = {}, role = []) {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const options = [
    ...Object.entries(settings).map(([key, value]) => `--StickyWs:Pools:${key}=${value}`),
    ...Object.entries(others).map(([key, value]) => `--${key}=${value}`),
  ];
  const child = spawnExample(name, [...role, `--urls=${url}`, ...options], 'ignore');
  const exited = new Promise(done => child.once('close', done));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => { output += data; });

  const stop = async (patienceMs = LEAVE_MS) => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const code = await exited;
    clearTimeout(patience);
    return code;
  };
  try {
    await within(READY_MS, `${name} to listen`, new Promise((ready, failed) => {
      child.stdout.on('data', () => { if (output.includes('Now listening on')) ready(); });
      exited.then(() => failed(new Error(`${name} ended.`)));
      child.once('error', failed);
    }));
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
  return { url, stop, output: () => output };
}

/** A part of an example that prints lines and runs until its standard input ends. */
export function startPart(name, args) {
  const child = spawnExample(name, args, 'pipe');
  const exited = new Promise(done => child.once('close', done));
  const lines = [], waiting = [];
  let rest = '', errors = '';
  child.stdout.setEncoding('utf8').on('data', data => {
    const parts = (rest + data).split('\n');
    rest = parts.pop();
    lines.push(...parts);
    for (const look of waiting.splice(0)) look();
  });
  child.stderr.on('data', data => { errors += data; });
  return {
    lines,
    first: () => within(READY_MS, `${name} ${args[0]} to begin`, new Promise((begun, failed) => {
      if (lines.length > 0) begun(lines[0]);
      waiting.push(() => begun(lines[0]));
      exited.then(() => failed(new Error(`${name} ${args[0]} ended. ${errors}`)));
    })),
    end: async (patienceMs = LEAVE_MS) => {
      child.stdin.end();
      const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      const code = await exited;
      clearTimeout(patience);
      return { code, errors };
    },
  };
}

/** A built example, with its own command line. */
export function spawnExample(name, args, input) {
  const folder = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  return spawn('dotnet', [`bin/${configuration}/net10.0/${name}.dll`, ...args], { cwd: folder, stdio: [input, 'pipe', 'pipe'] });
}

/** Backends on free ports, as settings of a pool. */
export async function backendSettings(pool, names) {
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, i) => [`${pool}:Backends:${name}:Address`, `http://127.0.0.1:${ports[i]}`]));
}

/**
 * Waits until it is true, of what has no event to wait for.
 * @param what what is waited for, or a function that says it
 */
export async function until(isTrue, what = isTrue.toString(), ms = 60_000) {
  for (const begun = performance.now(); !await isTrue(); await sleep(20)) {
    if (performance.now() - begun > ms) throw new Error(`Waited ${ms} ms in vain for ${typeof what === 'string' ? what : what()}.`);
  }
}

/** The promise, or an error that says what did not happen in time. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`Waited ${ms} ms in vain for ${what}.`)), ms); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
