// What the page knows: the last answers, what happened, and the rates between two looks. Everything is bounded.
import { keyOf } from './format.js';

const MOST_ENDS = 500,
  MOST_DECISIONS = 6;
export const SAMPLE = 500;

export const model = {
  state: null,
  isNew: false, // Whether the API has what came after its first version.
  maySteer: false,
  whyNot: '',
  backends: [], // Of all pools, in order; each with its hue.
  rates: new Map(), // keyOf -> { toBackend, toClient }, bytes per second
  totals: { toBackend: undefined, toClient: undefined },
  drains: new Map(), // keyOf -> the last answer
  sample: { open: 0, fitting: 0, tunnels: [] },
  flows: null,
  ends: [], // Heard of by events, newest first.
  decisions: [], // The last handshakes that became tunnels, newest first.
};

const HUES = 6;
let before = null; // { at, bytes: Map } of the look before
let seen = new Map(); // id -> { at, to, from }, of the sample before

const WHY = {
  'read-only': 'The application has set ReadOnly: you can look, and change nothing.',
  anonymous:
    'You can look. To change something, clients have to be asked who they are: the application has to require authorization, or to set AnonymousSteering.',
  policy: 'You can look. To change something you need the policy that the application names (SteerPolicy).',
  'policy-skipped':
    'Nobody can change something: AllowAnonymous on the dashboard skips its SteerPolicy. The application has to leave out one of them.',
};

/** Takes an answer of GET state. */
export function takeState(state) {
  model.isNew = Boolean(state.process);
  const steering = state.steering ?? { allowed: !state.readOnly, why: 'read-only' };
  model.maySteer = steering.allowed;
  model.whyNot = steering.allowed ? '' : (WHY[steering.why] ?? 'You can look, and change nothing.');
  takeShared(state);
}

/** Takes a state that an event brought, which says nothing of who may steer. */
export function takeShared(state) {
  model.state = { ...state, process: state.process ?? model.state?.process };
  model.backends = state.pools
    .flatMap(pool => pool.backends)
    .map((backend, i) => ({ ...backend, hue: i % HUES, key: keyOf(backend.pool, backend.name) }));
  const at = Date.parse(state.at);
  const bytes = new Map(model.backends.map(backend => [backend.key, [backend.bytesToBackend, backend.bytesToClient]]));
  const seconds = before ? (at - before.at) / 1000 : 0;
  if (Math.abs(seconds) < 0.5 && before) return;
  if (seconds < 0) {
    model.rates = new Map(); // The balancer's clock was set back: nothing is known until the next look.
    model.totals = { toBackend: undefined, toClient: undefined };
  } else if (before) {
    const totals = { toBackend: 0, toClient: 0 };
    model.rates = new Map(
      [...bytes].map(([key, now]) => {
        const then = before.bytes.get(key) ?? now;
        const pace = { toBackend: Math.max(0, now[0] - then[0]) / seconds, toClient: Math.max(0, now[1] - then[1]) / seconds };
        totals.toBackend += pace.toBackend;
        totals.toClient += pace.toClient;
        return [key, pace];
      }),
    );
    model.totals = totals;
  }
  before = { at, bytes };
}

/** Takes one backend as an event tells it. */
export function takeBackend(backend) {
  const pool = model.state?.pools.find(pool => pool.name === backend.pool);
  if (!pool) return;
  pool.backends = pool.backends.map(old => (old.name === backend.name ? { ...old, ...backend, cause: backend.cause } : old));
  model.backends = model.backends.map(old =>
    old.pool === backend.pool && old.name === backend.name ? { ...old, ...backend, cause: backend.cause } : old,
  );
}

export function takePool(pool) {
  if (!model.state) return;
  model.state.pools = model.state.pools.map(old => (old.name === pool.name ? { ...old, ...pool } : old));
}

export function takeDrains(drains) {
  model.drains = new Map(drains.map(drain => [keyOf(drain.pool, drain.backend), drain]));
}

/** Takes a sample of tunnels. Where the API tells no rate, it is what moved since the sample before. */
export function takeSample({ at, open, fitting, tunnels }) {
  const now = Date.parse(at),
    next = new Map();
  for (const tunnel of tunnels) {
    const then = seen.get(tunnel.id);
    next.set(tunnel.id, { at: now, to: tunnel.bytesToBackend, from: tunnel.bytesToClient });
    if (tunnel.rateToBackend !== undefined || !then || now - then.at < 500) continue;
    tunnel.rateToBackend = ((tunnel.bytesToBackend - then.to) * 1000) / (now - then.at);
    tunnel.rateToClient = ((tunnel.bytesToClient - then.from) * 1000) / (now - then.at);
  }
  seen = next;
  model.sample = { open, fitting, tunnels };
}

export function takeOpened(tunnel) {
  model.decisions = [tunnel, ...model.decisions].slice(0, MOST_DECISIONS);
  const { sample } = model;
  if (model.state) model.state.tunnels++;
  sample.open++;
  if (sample.tunnels.length >= SAMPLE || sample.tunnels.some(one => one.id === tunnel.id)) return;
  sample.tunnels = [...sample.tunnels, tunnel];
}

export function takeEnded({ at, tunnel, reason, farewell, clientCloseCode, backendCloseCode, ownCloseCode }) {
  const { sample } = model;
  const known = sample.tunnels.find(one => one.id === tunnel.id);
  model.ends = [{ ...known, ...tunnel, at, reason, farewell, clientCloseCode, backendCloseCode, ownCloseCode }, ...model.ends].slice(0, MOST_ENDS);
  if (model.state) model.state.tunnels = Math.max(0, model.state.tunnels - 1);
  sample.open = Math.max(0, sample.open - 1);
  if (known) sample.tunnels = sample.tunnels.filter(one => one !== known);
}

export const backendOf = (pool, backend) => model.backends.find(one => one.pool === pool && one.name === backend);
