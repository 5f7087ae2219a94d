// Pools and their backends, as cards: state and what convicted it, probes, breaker, weight, counts, latencies, and what can be done.
import { $, make, setHidden, setText, sync } from './dom.js';
import { count, keyOf, latency, moment, plural, rate } from './format.js';
import { model } from './model.js';

const SYMBOL = { Healthy: '●', Unhealthy: '▲', Draining: '◐', Unknown: '?' };
const MODE = { Stop: 'stopped: no new work', HandOff: 'handing off', Cut: 'cut' };
const BREAKER = { Off: 'off', Closed: 'closed', Open: 'open', HalfOpen: 'half open: a trial', Isolated: 'held open by probes' };
const TEXTS = { Stop: 'stop', 'Hand off': 'hand-off', Cut: 'cut', Undrain: 'undrain', Weight: 'weight' };

let ask = () => {},
  find = () => {};

/**
 * @param {(action: string, target: {pool: string, backend?: string}) => void} onAct
 * @param {(target: {pool: string, backend: string}) => void} onFind
 */
export function begin(onAct, onFind) {
  [ask, find] = [onAct, onFind];
}

export function show() {
  const { state } = model;
  if (!state) return;
  if (state.pools.length === 0) {
    $('pools').replaceChildren(make('p', 'empty', 'No pool is configured.'));
    return;
  }
  sync($('pools'), state.pools, pool => pool.name, makePool, updatePool);
}

function makePool(pool) {
  const parts = {
    facts: make('p', 'facts'),
    panic: make('p', { class: 'fault', hidden: true }),
    cards: make('div', 'cards'),
    empty: make('p', { class: 'empty', hidden: true }, 'It has no backends.'),
    buttons: make('div', { class: 'buttons', role: 'group', 'aria-label': `All backends of ${pool.name}` }),
  };
  const section = make(
    'section',
    { class: 'pool', 'aria-label': `Pool ${pool.name}` },
    make('div', 'bar', make('h3', {}, pool.name), parts.facts, parts.buttons),
    parts.panic,
    parts.empty,
    parts.cards,
  );
  parts.buttons.append(
    ...['Stop', 'Hand off', 'Cut', 'Undrain'].map(text =>
      button(`${text} all`, TEXTS[text], { pool: pool.name }, `${text} all backends of ${pool.name}`),
    ),
  );
  section.parts = parts;
  return section;
}

function updatePool({ parts }, pool) {
  const waiting = [
    pool.handshakesWaiting ? `${plural(pool.handshakesWaiting, 'handshake')} waiting` : '',
    pool.requestsWaiting ? `${plural(pool.requestsWaiting, 'request')} waiting` : '',
  ];
  const facts = [
    pool.policy,
    pool.affinity?.length ? `affinity ${pool.affinity.join(', ')}` : '',
    pool.webSockets === 'Pipeline' ? 'WebSockets by the pipeline' : '',
    pool.tls ? `TLS ${pool.tls}` : '',
    ...waiting,
  ];
  setText(parts.facts, facts.filter(Boolean).join(' · '));
  setText(
    parts.panic,
    pool.panicking
      ? 'No backend is healthy, so it uses all that there are.'
      : pool.awaited
        ? 'Its backends are still to be probed for the first time.'
        : '',
  );
  setHidden(parts.panic, !pool.panicking && !pool.awaited);
  setHidden(parts.buttons, !model.maySteer || pool.backends.length < 2);
  setHidden(parts.empty, pool.backends.length > 0);
  sync(
    parts.cards,
    model.backends.filter(backend => backend.pool === pool.name),
    backend => backend.name,
    makeCard,
    updateCard,
  );
}

const button = (text, action, target, label) =>
  make('button', { type: 'button', class: 'small', 'data-action': action, 'aria-label': label, onclick: () => ask(action, target) }, text);

function makeCard({ pool, name, hue }) {
  const parts = {
    state: make('span', 'state'),
    address: make('code', 'address'),
    cause: make('p', 'cause'),
    verdict: make('p', 'verdict'),
    drain: make('div', { class: 'drain', hidden: true }),
    facts: make('dl', 'numbers'),
    strip: make('div', { class: 'strip', role: 'img' }),
    buttons: make('div', { class: 'buttons', role: 'group', 'aria-label': `Backend ${name}` }),
  };
  parts.bar = make('progress', { max: 1, 'aria-label': `How much of ${name} has drained` });
  parts.left = make('span', 'left');
  parts.drain.append(parts.bar, parts.left);
  const target = { pool, backend: name };
  parts.buttons.append(
    ...Object.entries(TEXTS).map(([text, action]) => button(text, action, target, `${text} ${pool}/${name}`)),
    make('button', { type: 'button', class: 'small', 'aria-label': `Show the tunnels of ${pool}/${name}`, onclick: () => find(target) }, 'Tunnels'),
  );
  const card = make(
    'article',
    { class: `card hue-${hue}`, 'aria-label': `Backend ${name}` },
    make('header', {}, make('h4', {}, name), parts.state),
    parts.address,
    parts.cause,
    parts.verdict,
    parts.drain,
    parts.strip,
    parts.facts,
    parts.buttons,
  );
  card.parts = parts;
  return card;
}

function updateCard({ parts }, backend) {
  setText(parts.state, `${SYMBOL[backend.state] ?? '?'} ${backend.state}${backend.mode === 'On' ? '' : `, ${MODE[backend.mode] ?? backend.mode}`}`);
  parts.state.className = `state ${backend.state}`;
  setText(parts.address, backend.address);
  setText(
    parts.cause,
    [backend.cause, backend.since && backend.state !== 'Unknown' ? `since ${moment(backend.since)}` : '', backend.eligible ? '' : 'no new work']
      .filter(Boolean)
      .join(', '),
  );
  setText(parts.verdict, verdictOf(backend));
  setHidden(parts.verdict, !parts.verdict.textContent);
  showDrain(parts, backend.mode === 'On' ? undefined : model.drains.get(keyOf(backend.pool, backend.name))); // Else it is of a removed one with its name.
  showStrip(parts.strip, backend.probes);
  sync(
    parts.facts,
    numbersOf(backend),
    ([name]) => name,
    ([name]) => make('div', {}, make('dt', {}, name), make('dd')),
    (element, [, value, width = '']) => {
      setText(element.lastChild, value);
      element.className = width;
    },
  );
  for (const one of parts.buttons.children) setHidden(one, one.dataset.action !== undefined && !isOffered(one.dataset.action, backend));
}

function isOffered(action, { mode }) {
  if (!model.maySteer) return false;
  if (action === 'undrain') return mode !== 'On';
  if (action === 'stop') return mode === 'On';
  if (action === 'weight') return model.isNew;
  return action === 'cut' || mode !== 'Cut';
}

// The last time that it was found to be bad, also after it has recovered.
function verdictOf({ state, conviction }) {
  if (!conviction) return '';
  const by = { probe: 'by probes', traffic: 'by traffic' }[conviction.by] ?? '';
  const words = `${state === 'Unhealthy' ? 'Convicted' : 'Last convicted'} ${by}${conviction.hearsay ? ' of another instance' : ''} at ${moment(conviction.at)}: ${conviction.cause}`;
  return conviction.until ? `${words} (taken back at ${moment(conviction.until)})` : words;
}

function showDrain({ drain: box, bar, left: words }, drain) {
  const isShown = drain !== undefined && drain.mode !== 'On';
  setHidden(box, !isShown);
  if (!isShown) return;
  const isEmpty = drain.left === 0 && drain.requests === 0;
  bar.value = isEmpty ? 1 : drain.total > 0 ? Math.max(0, 1 - drain.left / Math.max(drain.total, drain.left)) : 0;
  const parts = isEmpty
    ? ['empty', drain.told ? `${count(drain.told)} told to go` : '', drain.cut ? `${count(drain.cut)} cut` : '']
    : [
        `${count(drain.left)} of ${plural(Math.max(drain.total, drain.left), 'tunnel')} left`,
        drain.requests ? plural(drain.requests, 'request') : '',
        drain.told ? `${count(drain.told)} told to go` : '',
        drain.until ? `until ${moment(drain.until)}` : '',
      ];
  setText(words, parts.filter(Boolean).join(', '));
}

function showStrip(strip, probes) {
  setHidden(strip, !probes?.length);
  if (!probes?.length) return;
  const slowest = Math.max(...probes.map(probe => probe.seconds), 0.001),
    failed = probes.filter(probe => !probe.ok);
  strip.setAttribute(
    'aria-label',
    `The last ${plural(probes.length, 'probe')}: ${failed.length === 0 ? 'all good' : `${count(failed.length)} failed, last: ${failed.at(-1).why ?? 'no cause told'}`}.`,
  );
  while (strip.children.length > probes.length) strip.lastChild.remove();
  while (strip.children.length < probes.length) strip.append(make('i'));
  probes.forEach((probe, i) => {
    const bar = strip.children[i];
    bar.className = probe.ok ? 'good' : 'bad';
    bar.style.setProperty('height', `${probe.ok ? 25 + (75 * probe.seconds) / slowest : 100}%`);
    bar.title = `${moment(probe.at)}: ${probe.ok ? 'good' : (probe.why ?? 'failed')}, ${latency(probe.seconds)}`;
  });
}

function numbersOf(backend) {
  const pace = model.rates.get(backend.key),
    { recent } = backend;
  const of = limit => (limit === undefined ? '' : ` of ${count(limit)}`);
  const numbers = [
    ['tunnels', count(backend.tunnels) + of(backend.maxTunnels)],
    ['requests now', count(backend.requests) + of(backend.maxRequests)],
  ];
  if (backend.handshakes !== undefined) numbers.push(['handshakes', count(backend.handshakes) + of(backend.maxHandshakes)]);
  numbers.push(
    ['to backend', rate(pace?.toBackend ?? 0)],
    ['to clients', rate(pace?.toClient ?? 0)],
    ['weight', weightOf(backend), weightOf(backend).length > 10 ? 'wide' : undefined],
  );
  if (backend.breaker !== undefined)
    numbers.push(['breaker', BREAKER[backend.breaker] ?? backend.breaker, backend.breaker === 'Isolated' ? 'wide' : undefined]);
  if (!recent) return numbers;
  const span = recent.seconds >= 59 ? 'last minute' : 'lately';
  const kindOf = ({ count: all, failed, p50, p99 }) =>
    [count(all), failed ? `${count(failed)} failed` : '', all > 0 ? `p50 ${latency(p50)}, p99 ${latency(p99)}` : ''].filter(Boolean).join(', ');
  if (recent.handshakes) numbers.push([`handshakes, ${span}`, kindOf(recent.handshakes), 'wide']);
  if (recent.requests) numbers.push([`requests, ${span}`, kindOf(recent.requests), 'wide']);
  numbers.push(['tunnels opened / ended', `${count(recent.opened)} / ${count(recent.ended)}`, 'wide']);
  if (recent.kept + recent.moved + recent.held + recent.new > 0) {
    numbers.push(['pins kept / moved / held / new', [recent.kept, recent.moved, recent.held, recent.new].map(count).join(' / '), 'wide']);
  }
  return numbers;
}

function weightOf({ weight, share, configuredWeight, effectiveWeight }) {
  const now = share !== undefined && share < 1 ? `${effectiveWeight.toFixed(1)} of ${weight}: slow start` : String(weight);
  return configuredWeight !== undefined && configuredWeight !== weight ? `${now} (configured ${configuredWeight})` : now;
}
