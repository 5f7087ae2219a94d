// What is typed into the search, as parameters of the API and as conditions on what has happened.

const WORDS = {
  pool: 'pool',
  backend: 'backend',
  client: 'client',
  upstream: 'upstream',
  local: 'local',
  listener: 'local',
  host: 'host',
  path: 'path',
  id: 'id',
  lane: 'lane',
  pin: 'pin',
  tie: 'tie',
  reason: 'reason',
  status: 'status',
  cause: 'cause',
};
const COMPARED = { 'age>': 'minAge', 'age<': 'maxAge', 'idle>': 'minIdle', 'idle<': 'maxIdle', 'rate>': 'minRate' };
const TUNNELS = [
  'pool',
  'backend',
  'client',
  'upstream',
  'local',
  'host',
  'path',
  'id',
  'lane',
  'pin',
  'tie',
  'minAge',
  'maxAge',
  'minIdle',
  'maxIdle',
  'minRate',
];
const ENDS = ['pool', 'backend', 'client', 'upstream', 'lane', 'reason', 'host', 'path', 'id', 'minAge'];
const REFUSALS = ['pool', 'backend', 'client', 'status', 'cause', 'host', 'path', 'id'];
const BEFORE_NEW = ['pool', 'backend', 'client', 'upstream', 'minAge', 'minIdle'];

const ADDRESS = String.raw`(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.%]+\])`;
const END = new RegExp(`^${ADDRESS}(?::\\d{1,5})?$`, 'i');
const NETWORK = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)\/\d{1,3}$/i;
const PLAIN_V6 = /^(?=.*:.*:)[0-9a-f:.]+$/i;
const TUPLE = new RegExp(`^\\s*(${ADDRESS}:\\d+)\\s*(?:→|->)\\s*\\S+(?:\\s*~\\s*(\\S+)\\s*(?:→|->)\\s*\\S+)?\\s*$`, 'i');
const TIME = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:[-–]([01]?\d|2[0-3]):([0-5]\d))?$/;

/**
 * @param {string} text what was typed
 * @returns {{ query: Record<string, string>, from?: Date, to?: Date, fault?: string }}
 */
export function parse(text) {
  const tuple = TUPLE.exec(text);
  if (tuple) return { query: { client: tuple[1] } };
  const found = { query: {} };
  for (const word of text.trim().split(/\s+/).filter(Boolean)) take(word, found);
  return found;
}

function take(word, found) {
  const { query } = found;
  const time = TIME.exec(word);
  const pair = /^([a-z]+)([=:<>]=?)(.+)$/i.exec(word);
  if (time) Object.assign(found, between(time));
  else if (pair && WORDS[pair[1].toLowerCase()] && '=:'.includes(pair[2])) query[WORDS[pair[1].toLowerCase()]] = pair[3];
  else if (pair && COMPARED[pair[1].toLowerCase() + pair[2][0]]) query[COMPARED[pair[1].toLowerCase() + pair[2][0]]] = pair[3];
  else if (/^:\d{1,5}$/.test(word)) query.local = word;
  else if (NETWORK.test(word) || END.test(word) || PLAIN_V6.test(word)) query[query.client ? 'upstream' : 'client'] = word;
  else if (word.startsWith('/')) query.path = word;
  else if (/^[0-9a-f]{4,32}$/i.test(word)) query.pin = word;
  else found.fault = `“${word}” is not understood: use an address, a time such as 14:02, or one of the words below.`;
}

// A minute that somebody remembers is hardly exact.
function between([, hour, minute, second, untilHour, untilMinute]) {
  const from = at(hour, minute, second ?? 0),
    to = new Date(from);
  if (untilHour !== undefined) to.setHours(untilHour, untilMinute, 59, 999);
  else if (second !== undefined) to.setSeconds(to.getSeconds() + 10, 999);
  else to.setMinutes(to.getMinutes() + 1, 59, 999);
  if (second !== undefined) from.setSeconds(from.getSeconds() - 10);
  else if (untilHour === undefined) from.setMinutes(from.getMinutes() - 1);
  return { from, to };
}

function at(hour, minute, second) {
  const date = new Date();
  date.setHours(hour, minute, second, 0);
  if (date - Date.now() > 120_000) date.setDate(date.getDate() - 1); // It was yesterday.
  return date;
}

// The lanes that are known of a tunnel that has ended; the kind of its reactor, and whether it had TLS, are not.
const hasLaneOfEnds = ({ lane }) => lane === undefined || ['raw', 'portable'].includes(lane.toLowerCase());

const only = (query, names) => Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name)));

/** What the list of tunnels is asked for. An older API knows less. */
export const ofTunnels = (query, isNew) => only(query, isNew ? TUNNELS : BEFORE_NEW);
export const ofEnds = query => only(query, hasLaneOfEnds(query) ? ENDS : ENDS.filter(name => name !== 'lane'));
export const ofRefusals = query => only(query, REFUSALS);

/** Whether something is asked of tunnels that ends, or refusals, do not have: then none of them fits. */
export const fitsEnds = query => Object.keys(query).every(name => ENDS.includes(name)) && hasLaneOfEnds(query);
export const fitsRefusals = query => Object.keys(query).every(name => REFUSALS.includes(name));
export const fitsTunnels = query => Object.keys(query).every(name => TUNNELS.includes(name));

/** An address and port may as well be of the connection to the backend, as the backend's log says it: the same search turned that way, or null. */
export function otherEnd({ client, ...query }) {
  return client && /:\d+$/.test(client) && !PLAIN_V6.test(client) && !query.upstream ? { ...query, upstream: client } : null;
}

/** Whether a moment is in the time that was asked for. */
export function inTime({ from, to }, moment) {
  if (!from) return true;
  const date = new Date(moment);
  return date >= from && date <= to;
}

/** For an end that was only heard of by an event: the same filters, as far as the page can tell. */
export function fitsEnd(query, end) {
  const same = (asked, is) => asked === undefined || String(is ?? '').toLowerCase() === asked.toLowerCase();
  const source = end.client?.source ?? '';
  const client = query.client;
  return (
    same(query.pool, end.pool) &&
    same(query.backend, end.backend) &&
    same(query.id, end.id) &&
    same(query.lane, end.lane) &&
    same(query.reason, end.reason) &&
    same(query.upstream, end.upstream?.source) &&
    (client === undefined || source === client || source.startsWith(client + ':'))
  );
}
