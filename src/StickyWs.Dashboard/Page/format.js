// Numbers, times and tuples as people read them.

const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export const count = number => counts.format(number);
export const plural = (number, one, many = one + 's') => `${count(number)} ${number === 1 ? one : many}`;

/** @param {number} number bytes */
export function bytes(number) {
  let unit = 0;
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit++;
  }
  return `${number < 9.95 && unit > 0 ? number.toFixed(1) : Math.round(number)} ${UNITS[unit]}`;
}

/** @param {number|undefined} number bytes per second */
export const rate = number => (number === undefined ? '' : `${bytes(number)}/s`);

/** @param {number|undefined} seconds */
export function duration(seconds) {
  if (seconds === undefined) return '';
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5970) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A latency. @param {number|undefined} seconds */
export function latency(seconds) {
  if (seconds === undefined) return '–';
  const ms = seconds * 1000;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The time of day, here. @param {string|number|undefined} at */
export function clock(at) {
  const date = new Date(at ?? NaN);
  return isNaN(date) ? '' : date.toTimeString().slice(0, 8);
}

/** The date and time, here, for what lies days back. @param {string|undefined} at */
export function moment(at) {
  const date = new Date(at ?? NaN);
  if (isNaN(date)) return '';
  return Date.now() - date < 43_200_000 ? clock(at) : `${date.toLocaleDateString('en-CA')} ${clock(at)}`;
}

/** The port of "address:port", with its colon. */
export const port = end => end.slice(end.lastIndexOf(':'));

/** The address of "address:port". */
export const address = end => end.slice(0, Math.max(0, end.lastIndexOf(':')));

/** client:54321 → :443 ~ :41234 → 10.0.0.12:5000 */
export function tuple({ client, upstream }) {
  const ours = [
    client ? `${client.source} → ${port(client.destination)}` : 'client',
    upstream ? `${port(upstream.source)} → ${upstream.destination}` : '',
  ];
  return ours[1] ? ours.join(' ~ ') : ours[0];
}

const TLS = { client: 'TLS to the client', backend: 'TLS to the backend', both: 'TLS on both sides', through: 'TLS passed through' };

export const lane = tunnel => (tunnel.lane === 'raw' ? (tunnel.kind ? `raw ${tunnel.kind}` : 'raw') : tunnel.lane);
export const tls = tunnel => TLS[tunnel.tls] ?? '';

/** pool/backend */
export const place = ({ pool, backend, name }) => [pool, backend ?? name].filter(part => part !== undefined).join('/');

export const keyOf = (pool, backend) => JSON.stringify([pool, backend]);
