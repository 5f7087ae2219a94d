// Keeps what the page shows up to date: looks at the state, listens to events, and rests while nobody sees it.
import { Trouble, get } from './api.js';
import { $, make, setHidden, setText, sync, throttled } from './dom.js';
import { bytes, count, duration, plural, rate, tuple } from './format.js';
import * as flow from './flow.js';
import * as flowTable from './flow-table.js';
import { note } from './flow-words.js';
import * as happened from './history.js';
import { SAMPLE, model, takeBackend, takeDrains, takeEnded, takeOpened, takePool, takeSample, takeShared, takeState } from './model.js';
import * as pools from './pools.js';
import { fitsTunnels, ofTunnels, parse } from './search.js';
import * as steer from './steer.js';
import * as tunnels from './tunnels.js';

const LOOK_MS = 1000,
  SLOW_LOOK_MS = 2000,
  LIST_MS = 400,
  MANY = 5000,
  HISTORY_MS = 5000,
  BACKOFF_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
const MOST_EVENTS_A_SECOND = 200,
  QUIET_MS = 30_000;

let events = null,
  failures = 0,
  timer = 0,
  isLooking = false,
  tellsOfTunnels = true,
  heard = { since: 0, count: 0 };

// ---- looks -----------------------------------------------------------------------------------------------------------

const areMany = () => (model.state?.tunnels ?? 0) > MANY;

async function look() {
  clearTimeout(timer);
  if (document.hidden || isLooking) return;
  isLooking = true;
  const pace = areMany() ? SLOW_LOOK_MS : LOOK_MS;
  let wait = pace;
  try {
    const wasNew = model.isNew;
    takeState(await get('state'));
    if (model.isNew !== wasNew) {
      tunnels.relearn();
      happened.refresh();
    }
    const [sample, flows, drains] = await Promise.all([
      get('tunnels', model.isNew ? { sample: SAMPLE } : { sort: 'newest', limit: SAMPLE }),
      model.isNew ? get('flows') : null,
      get('drains'),
    ]);
    takeSample(sample);
    model.flows = flows;
    takeDrains(drains.drains);
    failures = 0;
    if (document.hidden) return; // Since it was asked.
    link('live', 'Live');
    listen();
    flow.flowOn(pace);
    tunnelsChanged();
  } catch (error) {
    const isExpected = error instanceof Trouble;
    if (!isExpected) reportError(error);
    if (document.hidden) return;
    wait = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)];
    link('broken', `${isExpected ? error.message : 'This page has a defect; the console tells more.'} Trying again in ${duration(wait / 1000)}.`);
    if (isExpected && error.status !== 0) silence();
  } finally {
    isLooking = false;
    if (!document.hidden) timer = setTimeout(look, wait);
  }
  show();
}

function link(kind, words) {
  $('link').className = `link ${kind}`;
  setText($('link'), words);
}

// ---- events ----------------------------------------------------------------------------------------------------------

function listen() {
  if (document.hidden || (events && events.readyState !== EventSource.CLOSED)) return;
  events = new EventSource(tellsOfTunnels ? 'events' : model.isNew ? 'events?tunnels=false&refusals=false' : 'events?tunnels=false');
  const on = (name, take) =>
    events.addEventListener(name, ({ data }) => {
      take(JSON.parse(data));
      stateChanged();
    });
  on('snapshot', ({ state }) => takeShared(state));
  on('configuration', ({ state }) => takeShared(state));
  on('backend', ({ before, backend }) => {
    takeBackend(backend);
    if (before !== backend.state) say(`${backend.pool}/${backend.name} is ${backend.state}.`);
  });
  on('pool', ({ pool }) => takePool(pool));
  on('drained', ({ drain }) => {
    takeDrains([...model.drains.values(), drain]);
    say(`${drain.pool}/${drain.backend} is empty.`);
  });
  on('tunnel-opened', ({ tunnel }) => {
    if (isFlood()) return;
    takeOpened(tunnel);
    flow.opened(tunnel);
    tunnelsChanged();
  });
  on('tunnel-ended', ended => {
    if (isFlood()) return;
    flow.ended(ended.tunnel, ended.reason);
    takeEnded(ended);
    tunnelsChanged();
    historyChanged();
  });
  on('refused', () => {
    if (!isFlood()) historyChanged();
  });
}

// Where so much happens that each thing cannot be shown, looks do, and the tunnels' events are left out for a while.
function isFlood() {
  const now = performance.now();
  if (now - heard.since > 1000) heard = { since: now, count: 0 };
  if (++heard.count <= MOST_EVENTS_A_SECOND) return false;
  if (tellsOfTunnels) {
    tellsOfTunnels = false;
    silence();
    listen();
    setTimeout(() => {
      tellsOfTunnels = true;
      silence();
      listen();
    }, QUIET_MS);
  }
  return true;
}

function silence() {
  events?.close();
  events = null;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    clearTimeout(timer);
    silence();
    link('resting', 'Resting while nobody sees this page.');
  } else {
    look();
    happened.refresh();
  }
});

// ---- what is shown ---------------------------------------------------------------------------------------------------

// Each costs the balancer the more, the more tunnels there are.
const tunnelsChanged = throttled(
  () => (areMany() ? SLOW_LOOK_MS : LIST_MS),
  () => {
    if (!document.hidden) tunnels.refresh();
  },
);
const historyChanged = throttled(1000, () => {
  if (!document.hidden) happened.refresh();
});
const stateChanged = throttled(100, show);
setInterval(() => {
  if (!document.hidden && failures === 0) happened.refresh();
}, HISTORY_MS);

function show() {
  const { state } = model;
  if (!state) return;
  setText(document.querySelector('title'), `${plural(state.tunnels, 'tunnel')} · StickyWs`);
  showProcess(state.process);
  const sum = name => model.backends.reduce((total, backend) => total + (backend[name] ?? 0), 0);
  const totals = [
    ['tunnels', count(state.tunnels)],
    ['requests now', count(sum('requests'))],
    ['to backends', rate(model.totals.toBackend ?? 0)],
    ['to clients', rate(model.totals.toClient ?? 0)],
    ['carried', bytes(sum('bytesToBackend') + sum('bytesToClient'))],
    ['backends', `${count(model.backends.filter(backend => backend.eligible).length)} of ${count(model.backends.length)}`],
  ];
  sync(
    $('totals'),
    totals,
    ([name]) => name,
    ([name]) => make('div', {}, make('dt', {}, name), make('dd')),
    (element, [, value]) => setText(element.lastChild, value),
  );
  setText($('rights'), model.whyNot);
  setHidden($('rights'), !model.whyNot);
  pools.show();
  choices();
  note();
  flow.changed();
  flowTable.show();
}

function showProcess(process) {
  if (!process) return;
  const ailing = process.reactors?.filter(reactor => reactor.ailing) ?? [];
  const parts = [
    process.machine,
    process.version,
    process.runtime,
    process.uptimeSeconds === undefined ? '' : `up ${duration(process.uptimeSeconds)}`,
    process.lanes?.obstacle,
    ailing.length > 0 ? `ailing: ${ailing.map(reactor => `reactor ${reactor.number}`).join(', ')}` : '',
  ];
  setText($('process'), parts.filter(Boolean).join(' · '));
}

function say(text) {
  setText($('news'), text);
}

// ---- the search ------------------------------------------------------------------------------------------------------

function choices() {
  const fill = (select, names) => {
    if (JSON.stringify(names) === select.dataset.names) return;
    const chosen = select.value;
    select.dataset.names = JSON.stringify(names);
    select.replaceChildren(
      make('option', { value: '' }, 'any'),
      ...names.map(name => make('option', { value: name, selected: name === chosen }, name)),
    );
  };
  fill(
    $('pool'),
    model.state.pools.map(pool => pool.name),
  );
  fill($('backend'), [
    ...new Set(model.backends.filter(backend => !$('pool').value || backend.pool === $('pool').value).map(backend => backend.name)),
  ]);
}

function search() {
  const found = parse($('words').value);
  for (const name of ['pool', 'backend']) if ($(name).value) found.query[name] = $(name).value;
  setText($('words-fault'), found.fault ?? '');
  setHidden($('words-fault'), !found.fault);
  tunnels.filter(ofTunnels(found.query, model.isNew), fitsTunnels(found.query) && !found.fault);
  happened.filter(found);
}

function find({ words = '', pool = '', backend = '' }) {
  $('words').value = words;
  $('pool').value = pool;
  if (model.state) choices();
  $('backend').value = backend;
  search();
  $('find-title').scrollIntoView({ block: 'start' });
}

let typing = 0;
$('words').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(search, 200);
});
for (const name of ['pool', 'backend'])
  $(name).addEventListener('change', () => {
    choices();
    search();
  });
$('clear').addEventListener('click', () => {
  find({});
  $('words').focus();
});

pools.begin(steer.ask, target => {
  find(target);
  $('tunnels-title').scrollIntoView({ block: 'start' });
});
tunnels.begin((action, tunnel) => steer.askTunnel(action, tunnel, tuple(tunnel)), flow.select);
steer.begin((action, answer) => {
  if (answer.drains) takeDrains([...model.drains.values(), ...answer.drains]);
  look();
});
flow.begin(node => {
  if (node.kind === 'backend') find({ pool: node.backend.pool, backend: node.backend.name });
  else if (node.kind === 'client') find({ words: node.name });
  else if (model.isNew) find({ words: node.name });
});
look();
happened.refresh();
