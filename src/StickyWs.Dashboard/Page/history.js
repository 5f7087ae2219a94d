// What has happened: how tunnels ended and why, and what was refused.
import { get } from './api.js';
import { oneAtATime } from './asking.js';
import { $, make, noRow, setText, sync } from './dom.js';
import { bytes, count, duration, latency, moment, place, plural, tuple } from './format.js';
import { model } from './model.js';
import { fitsEnd, fitsEnds, fitsRefusals, inTime, ofEnds, ofRefusals, otherEnd } from './search.js';

const SHOWN = 100,
  ASKED = 1000;
const REASONS = {
  ClientClosed: 'The client closed first, in order.',
  BackendClosed: 'The backend closed first, in order.',
  ClientReset: "The client's connection broke.",
  BackendReset: "The backend's connection broke.",
  Shutdown: 'The balancer stopped: both sides were told, or its time was over.',
  IdleTimeout: 'No byte moved for longer than the pool allows.',
  ClientLost: 'The client acknowledges nothing any more, or its network is gone.',
  BackendLost: 'The backend acknowledges nothing any more, or its network is gone.',
  Failed: 'A defect of the balancer; it is in the log as an error.',
  ClientTruncated: "The client's TLS ended without its close_notify: cut off, or careless.",
  TlsFailed: 'The client broke the rules of TLS.',
  BackendTruncated: "The backend's TLS ended without its close_notify: cut off, or careless.",
  BackendTlsFailed: 'The backend broke the rules of TLS.',
  HandedOff: 'Its backend was drained, or it alone was told to go: both sides were told.',
  Cut: 'It was cut, or the time of a drain was over.',
  MaxAge: 'It was open for as long as the pool allows: both sides were told.',
  ClientIdleTimeout: 'Nothing came from the client for too long: both sides were told.',
  BackendIdleTimeout: 'Nothing came from the backend for too long: both sides were told.',
  ClientPingTimeout: 'The client did not answer a ping.',
  BackendPingTimeout: 'The backend did not answer a ping.',
  Rebalanced: 'Its backend had more than its fair share: both sides were told.',
  BackendDown: 'Its backend was found to be down.',
};
const COLUMNS = { end: 9, refusal: 8 };
const FAREWELLS = { none: 'none', client: 'from the client', backend: 'from the backend', both: 'from both', unknown: 'frames were not followed' };

let found = { query: {} },
  refusals = null,
  ends = null,
  other = null; // The search of ends turned to the other end of a connection, as long as neither end has fitted.

export function filter(search) {
  [found, other] = [search, otherEnd(search.query)];
  asking.anew();
}

/** Asks again. An older API has no history: then there is what events told since the page was loaded. */
export const refresh = () => asking.again();

const asking = oneAtATime(async signal => {
  if (!model.isNew) {
    ends = null;
    update();
    return;
  }
  const none = { kept: 0, fitting: 0, isUnknown: true };
  const [ended, refused] = await Promise.all([
    fitsEnds(found.query) ? endsOf(signal) : { ...none, ends: [] },
    fitsRefusals(found.query) ? get('refusals', { ...ofRefusals(found.query), limit: limit() }, signal) : { ...none, refusals: [] },
  ]);
  [ends, refusals] = [ended, refused];
  update();
}, error => {
  if (error.status === 400) for (const [what, columns] of Object.entries(COLUMNS)) $(`${what}-rows`).replaceChildren(noRow(columns, 'Nothing to show.'));
  setText($('ends-note'), error.message);
  setText($('refusals-note'), error.message);
});

const limit = () => (found.from ? ASKED : SHOWN);

async function endsOf(signal) {
  const ended = await get('ends', { ...ofEnds(found.query), limit: limit() }, signal);
  if (ended.fitting > 0) other = null;
  if (!other) return ended;
  const turned = await get('ends', { ...ofEnds(other), limit: limit() }, signal);
  if (turned.fitting > 0) [found, other] = [{ ...found, query: other }, null];
  return turned;
}

function update() {
  const heard = model.ends.filter(end => fitsEnds(found.query) && fitsEnd(found.query, end));
  const seen = { kept: model.ends.length, fitting: heard.length, isUnknown: !fitsEnds(found.query) };
  show('end', ends?.ends ?? heard, ends ?? seen, ends ? 'kept' : 'seen since this page was loaded', makeEnd, 'No tunnel has ended');
  if (model.isNew) show('refusal', refusals?.refusals ?? [], refusals ?? { kept: 0, fitting: 0 }, 'kept', makeRefusal, 'Nothing was refused');
  else setText($('refusals-note'), 'This version of the balancer does not tell.');
}

function show(what, list, { kept, fitting, isUnknown }, words, makeRow, none) {
  const fit = list.filter(one => inTime(found, one.at)),
    shown = fit.slice(0, SHOWN);
  const isAsked = found.from || Object.keys(found.query).length > 0;
  const time = found.from ? ` between ${moment(found.from)} and ${moment(found.to)}` : '';
  const fitNow = found.from ? fit.length : fitting; // The balancer knows nothing of the time; with one, all that is kept was asked for.
  setText(
    $(`${what}s-note`),
    isUnknown
      ? `What is looked for is not known of ${what}s.`
      : shown.length > 0
        ? `Showing the last ${count(shown.length)} of ${plural(fitNow, what)} ${words}${isAsked ? ' that fit' : ''}${time}.`
        : kept > 0 && isAsked
          ? `None of ${count(kept)} ${words} fits${time}.`
          : `${none} yet.`,
  );
  if (shown.length === 0) $(`${what}-rows`).replaceChildren(noRow(COLUMNS[what], isUnknown || (isAsked && kept > 0) ? 'None fits.' : `${none} yet.`));
  else
    sync(
      $(`${what}-rows`),
      shown,
      one => `${one.id} ${one.at}`,
      makeRow,
      () => {},
    );
}

const cell = (text, with_ = {}) => make('td', with_, text ?? '');
const where = ({ method, host, path }) => [method, `${host ?? ''}${path ?? ''}`].filter(Boolean).join(' ');
const why = ({ chosenBy, pinOutcome }) => [chosenBy && `chosen by ${chosenBy}`, pinOutcome && `pin ${pinOutcome}`].filter(Boolean).join(', ');

function makeEnd(end) {
  const codes = [end.clientCloseCode && `client ${end.clientCloseCode}`, end.backendCloseCode && `backend ${end.backendCloseCode}`];
  const frames = [FAREWELLS[end.farewell] ?? end.farewell, ...codes].filter(Boolean).join(', ');
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, make('time', { datetime: end.at }, moment(end.at))),
    make('td', {}, make('strong', {}, end.reason), make('span', 'gloss', REASONS[end.reason] ?? '')),
    make('td', {}, frames, end.ownCloseCode ? make('span', 'gloss', `besides the balancer's own, ${end.ownCloseCode}, to both`) : null),
    make(
      'td',
      {},
      make('span', 'mono', tuple(end)),
      make(
        'span',
        'gloss',
        [end.id, end.forwardedClient && `for ${end.forwardedClient}`, end.traceId && `trace ${end.traceId}`].filter(Boolean).join(', '),
      ),
    ),
    make('td', {}, place(end), make('span', 'gloss', why(end))),
    cell(duration(end.ageSeconds), 'number'),
    cell(bytes(end.bytesToBackend), 'number'),
    cell(bytes(end.bytesToClient), 'number'),
    cell(where(end)),
  );
}

function makeRefusal(refusal) {
  const client = [refusal.client?.source, refusal.forwardedClient && `for ${refusal.forwardedClient}`].filter(Boolean).join(', ');
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, make('time', { datetime: refusal.at }, moment(refusal.at))),
    cell(`${refusal.kind}, ${refusal.lane}`),
    make('td', {}, make('strong', {}, refusal.cause), make('span', 'gloss', why(refusal))),
    cell(refusal.status === undefined ? 'none sent' : String(refusal.status), 'number'),
    cell(client, 'mono'),
    cell(place(refusal)),
    cell(latency(refusal.seconds), 'number'),
    cell(where(refusal)),
  );
}
