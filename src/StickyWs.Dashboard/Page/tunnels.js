// The list of open tunnels: a page at a time, filtered and sorted by the balancer.
import { get } from './api.js';
import { oneAtATime } from './asking.js';
import { $, make, noRow, setHidden, setText, sync } from './dom.js';
import { bytes, clock, count, duration, lane, latency, place, plural, rate, tls, tuple } from './format.js';
import { model } from './model.js';
import { otherEnd } from './search.js';

const PAGE = 50;
// "busiest" is of both ways together: it is no order of either column, and is only in the list of orders.
const COLUMNS = [
  { name: 'Tunnel', sort: 'client', isNew: true, ascending: true },
  { name: 'Backend', sort: 'backend', isNew: true, ascending: true },
  { name: 'Lane', sort: 'lane', isNew: true, ascending: true },
  { name: 'Age', sort: 'oldest', turned: 'newest', number: true },
  { name: 'Idle', sort: 'idlest', number: true },
  { name: 'To the backend', number: true },
  { name: 'To the client', number: true },
  { name: 'Rate', sort: 'fastest', number: true, isNew: true },
  { name: 'Pin', sort: 'pin', isNew: true, ascending: true },
  { name: 'Steer', isHidden: true },
];
const SORTS = [
  ['newest', 'newest'],
  ['oldest', 'oldest'],
  ['idlest', 'idle longest'],
  ['busiest', 'busiest in all, both ways'],
  ['fastest', 'fastest now', true],
  ['client', 'by client', true],
  ['backend', 'by backend', true],
  ['lane', 'by lane', true],
  ['pin', 'by pin', true],
];

const view = {
  query: {},
  other: null, // The search turned to the other end, as long as neither end has fitted.
  fits: true,
  sort: 'newest',
  reverse: false,
  after: undefined,
  page: 1,
  next: undefined,
  shown: [],
  open: null,
  selected: null,
};
let ask = () => {},
  select = () => {};

export function begin(onAsk, onSelect) {
  [ask, select] = [onAsk, onSelect];
  $('sort').addEventListener('change', () => sortBy($('sort').value, false));
  $('next').addEventListener('click', () => turn(view.next, view.page + 1));
  $('first').addEventListener('click', () => turn(undefined, 1));
  heads();
}

/** Other conditions: the first page of what fits. */
export function filter(query, fits) {
  Object.assign(view, { query, other: otherEnd(query), fits });
  turn(undefined, 1);
}

function sortBy(sort, reverse) {
  Object.assign(view, { sort, reverse });
  heads();
  turn(undefined, 1);
}

function turn(after, page) {
  Object.assign(view, { after, page });
  asking.anew();
}

/** Asks for the page again. */
export const refresh = () => asking.again();

const asking = oneAtATime(async signal => {
  if (!view.fits) {
    show({ open: model.sample.open, fitting: 0, tunnels: [] });
    return;
  }
  const order = { sort: view.sort, reverse: view.reverse ? 'true' : undefined, limit: PAGE, after: view.after };
  let page = await get('tunnels', { ...view.query, ...order }, signal);
  if (page.fitting === 0 && view.other) {
    const turned = await get('tunnels', { ...view.other, ...order }, signal);
    if (turned.fitting > 0) [view.query, page] = [view.other, turned];
  }
  view.other = null; // Once for a search: for the other end, the balancer may have to ask every tunnel.
  show(page);
}, error => {
  if (error.status === 400) show({ open: 0, fitting: 0, tunnels: [] });
  setText($('tunnels-note'), error.message);
});

function show({ open, fitting, next, tunnels }) {
  Object.assign(view, { next, shown: tunnels });
  const from = (view.page - 1) * PAGE;
  const filtered = Object.keys(view.query).length > 0;
  setText(
    $('tunnels-note'),
    tunnels.length === 0
      ? noneOf(open, fitting)
      : `Showing ${count(from + 1)} to ${count(from + tunnels.length)} of ${filtered ? `${count(fitting)} that fit, of ` : ''}${plural(open, 'open tunnel')}.`,
  );
  setHidden($('next'), !next);
  setHidden($('first'), view.page === 1);
  update();
}

function noneOf(open, fitting) {
  if (open === 0) return 'No tunnel is open.';
  if (fitting === 0) return `None of ${plural(open, 'open tunnel')} fits.`;
  return `Nothing is left on page ${count(view.page)}: ${count(fitting)} of ${plural(open, 'open tunnel')} ${fitting === 1 ? 'is' : 'are'} before it.`;
}

/** Draws what was answered last. */
export function update() {
  if (view.shown.length === 0) $('tunnel-rows').replaceChildren(noRow(COLUMNS.length, 'No tunnel to show.'));
  else
    sync(
      $('tunnel-rows'),
      view.shown.flatMap(tunnel => (tunnel.id === view.open ? [{ tunnel }, { tunnel, isDetail: true }] : [{ tunnel }])),
      ({ tunnel, isDetail }) => (isDetail ? '+' : '') + tunnel.id,
      makeRow,
      updateRow,
    );
}

// In place, so that the button that was pressed keeps the focus.
function heads() {
  sync($('tunnel-heads'), COLUMNS, column => `${column.name} ${maySort(column)}`, makeHead, updateHead);
  sync(
    $('sort'),
    SORTS.filter(([, , isNew]) => !isNew || model.isNew),
    ([value]) => value,
    ([value, text]) => make('option', { value }, text),
    () => {},
  );
  $('sort').value = view.sort;
}

const maySort = column => Boolean(column.sort && (!column.isNew || model.isNew));

function makeHead(column) {
  const name = column.isHidden ? make('span', 'unseen', column.name) : column.name;
  return make(
    'th',
    { scope: 'col', class: column.number ? 'number' : undefined },
    maySort(column) ? make('button', { type: 'button', class: 'head', onclick: () => sortBy(...turned(column)) }, name) : name,
  );
}

function updateHead(head, column) {
  const isSorted = maySort(column) && [column.sort, column.turned].includes(view.sort);
  const isAscending = Boolean(column.ascending) !== (view.reverse || view.sort === column.turned);
  if (isSorted) head.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
  else head.removeAttribute('aria-sort');
}

function turned({ sort, turned: other }) {
  if (other) return [view.sort === sort ? other : sort, false];
  return [sort, model.isNew && view.sort === sort && !view.reverse];
}

/** The API turned out to know more, or less. */
export const relearn = heads;

function makeRow({ tunnel, isDetail }) {
  if (isDetail) return make('tr', 'detail', make('td', { colspan: COLUMNS.length }, make('dl', 'numbers')));
  const expand = make('button', { type: 'button', class: 'tuple', 'aria-expanded': 'false', onclick: () => expandOf(tunnel.id) });
  const steer = make('button', { type: 'button', class: 'small', onclick: () => ask('goodbye', current(tunnel.id) ?? tunnel) }, 'Goodbye');
  const cells = COLUMNS.slice(1, -1).map(({ number }) => make('td', number ? 'number' : {}));
  const row = make(
    'tr',
    { onpointerenter: () => select(tunnel.id), onpointerleave: () => select(view.open), onfocusin: () => select(tunnel.id) },
    make('th', { scope: 'row' }, expand),
    ...cells,
    make('td', {}, steer),
  );
  Object.assign(row, { expand, steer, cellsOf: cells });
  return row;
}

const current = id => view.shown.find(tunnel => tunnel.id === id);

function expandOf(id) {
  view.open = view.open === id ? null : id;
  select(view.open);
  update();
}

function updateRow(row, { tunnel, isDetail }) {
  if (isDetail) {
    sync(
      row.querySelector('dl'),
      detailsOf(tunnel),
      ([name]) => name,
      ([name]) => make('div', {}, make('dt', {}, name), make('dd')),
      (element, [, value]) => setText(element.lastChild, value),
    );
    return;
  }
  const name = tuple(tunnel),
    pace = tunnel.rateToBackend === undefined ? undefined : tunnel.rateToBackend + (tunnel.rateToClient ?? 0);
  setText(row.expand, name);
  row.expand.setAttribute('aria-expanded', view.open === tunnel.id);
  row.classList.toggle('selected', view.open === tunnel.id);
  const lanes = [lane(tunnel), tunnel.tls && tunnel.tls !== 'none' ? 'TLS' : '', tunnel.reactor === undefined ? '' : `reactor ${tunnel.reactor}`];
  const values = [
    place(tunnel),
    lanes.filter(Boolean).join(', '),
    duration(tunnel.ageSeconds),
    duration(tunnel.idleSeconds),
    bytes(tunnel.bytesToBackend),
    bytes(tunnel.bytesToClient),
    rate(pace),
    pinOf(tunnel),
  ];
  row.cellsOf.forEach((cell, i) => setText(cell, values[i]));
  row.steer.setAttribute('aria-label', `Say goodbye to ${name}`);
  setHidden(row.steer, !model.maySteer);
}

const pinOf = ({ pin, tie }) => pin ?? (tie && tie !== 'None' ? tie.toLowerCase() : '');

function detailsOf(tunnel) {
  return [
    ['id', tunnel.id],
    ['client', tunnel.client?.source],
    ['listener', tunnel.client?.destination],
    ['balancer to backend', tunnel.upstream && `${tunnel.upstream.source} → ${tunnel.upstream.destination}`],
    ['forwarded client', tunnel.forwardedClient],
    ['host', tunnel.host],
    ['path', tunnel.path],
    ['chosen by', tunnel.chosenBy],
    ['pin', tunnel.pinOutcome && `${pinOf(tunnel)} (${tunnel.pinOutcome})`],
    ['TLS', [tls(tunnel), tunnel.tlsVersion].filter(Boolean).join(', ') || undefined],
    ['handshake', tunnel.handshakeSeconds === undefined ? undefined : latency(tunnel.handshakeSeconds)],
    ['opened', clock(Date.now() - tunnel.ageSeconds * 1000)],
    ['rate to the backend', rate(tunnel.rateToBackend) || undefined],
    ['rate to the client', rate(tunnel.rateToClient) || undefined],
    ['frames followed', tunnel.frames === undefined ? undefined : tunnel.frames ? 'yes' : 'no'],
    ['told to go', tunnel.told ? 'yes' : undefined],
    ['trace', tunnel.traceId],
  ].filter(([, value]) => value !== undefined);
}
