// Where everything stands in the picture: columns of nodes, and the way of each tunnel and each hop from left to right.
import { address, keyOf, port } from './format.js';

const MOST_CLIENTS = 8,
  MOST_LISTENERS = 6,
  MOST_BACKENDS = 16;
const HEAD = 26,
  NODE = 46,
  GAP = 8,
  L4_HEAD = 24;

/**
 * @param {number} width CSS pixels
 * @param {any} model
 */
export function layOut(width, { sample, flows, backends, state }) {
  const columns = columnsOf(width);
  const clients = clientsOf(sample, state?.tunnels ?? 0);
  const listeners = listenersOf(sample, flows, state);
  const targets = targetsOf(backends);
  const rows = Math.max(clients.length, listeners.length, targets.length);
  const height = Math.max(width < 560 ? 300 : 340, HEAD + rows * (NODE + GAP) + GAP);
  for (const [list, column] of [
    [clients, columns.clients],
    [listeners, columns.listeners],
    [targets, columns.backends],
  ])
    stack(list, column, height);
  const [left, right] = columns.middle;
  const l7 = { x: left, y: HEAD, width: right - left, height: Math.round((height - HEAD) * 0.36) };
  const l4 = { x: left, y: l7.y + l7.height + 14, width: right - left, height: height - l7.y - l7.height - 22 };
  const shape = { width, height, columns, clients, listeners, targets, l7, l4, hopY: l7.y + l7.height - 16, lines: [] };
  shape.lines = linesOf(shape, sample);
  return shape;
}

function columnsOf(width) {
  const at =
    width < 560 ? [0.21, 0.26, 0.41, 0.47, 0.66, 0.72] : width < 900 ? [0.19, 0.25, 0.36, 0.42, 0.68, 0.75] : [0.15, 0.21, 0.29, 0.35, 0.74, 0.8];
  const [a, b, c, d, e, f] = at.map(share => Math.round(share * width));
  return { clients: [1, a], listeners: [b, c], middle: [d, e], backends: [f, width - 1] };
}

// From the sample; where it is not all, the numbers are estimates, and marked as such.
function clientsOf(sample, open) {
  const groups = new Map();
  for (const tunnel of sample.tunnels) {
    const from = tunnel.forwardedClient ?? (tunnel.client ? address(tunnel.client.source) : 'unknown');
    groups.set(from, (groups.get(from) ?? 0) + 1);
  }
  const factor = sample.tunnels.length > 0 ? Math.max(1, sample.fitting / sample.tunnels.length) : 1;
  const sorted = [...groups].sort((a, b) => b[1] - a[1]);
  const shown = sorted
    .slice(0, sorted.length > MOST_CLIENTS ? MOST_CLIENTS - 1 : MOST_CLIENTS)
    .map(([name, tunnels]) => ({ id: name, name, tunnels: tunnels * factor, isEstimate: factor > 1 }));
  if (sorted.length > shown.length) {
    const rest = sorted.slice(shown.length);
    shown.push({
      id: '…',
      name: factor > 1 ? 'many more' : `${rest.length} more`,
      tunnels: rest.reduce((sum, [, tunnels]) => sum + tunnels, 0) * factor,
      isEstimate: factor > 1,
      isRest: true,
    });
  }
  return shown.length > 0 ? shown : [{ id: '…', name: 'clients', tunnels: open, isRest: true }];
}

function listenersOf(sample, flows, state) {
  const groups = new Map((state?.process?.listeners ?? []).map(url => [port(url.replace(/\/$/, '')), 0]));
  const list = flows ? flows.flows.map(flow => [flow.listener, flow.tunnels]) : sample.tunnels.map(tunnel => [tunnel.client?.destination, 1]);
  for (const [listener, tunnels] of list) {
    const name = listener ? port(listener) : '?';
    groups.set(name, (groups.get(name) ?? 0) + tunnels);
  }
  const sorted = [...groups].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, MOST_LISTENERS).map(([name, tunnels]) => ({ id: name, name, tunnels }));
  return shown.length > 0 ? shown : [{ id: '?', name: 'listener', tunnels: 0 }];
}

function targetsOf(backends) {
  if (backends.length <= MOST_BACKENDS) return backends.map(backend => ({ id: backend.key, backend, tunnels: backend.tunnels }));
  const sorted = [...backends].sort((a, b) => b.tunnels - a.tunnels);
  const shown = new Set(sorted.slice(0, MOST_BACKENDS - 1));
  const rest = sorted.slice(MOST_BACKENDS - 1);
  return [
    ...backends.filter(backend => shown.has(backend)).map(backend => ({ id: backend.key, backend, tunnels: backend.tunnels })),
    { id: '…', name: `${rest.length} more`, tunnels: rest.reduce((sum, backend) => sum + backend.tunnels, 0), isRest: true },
  ];
}

function stack(list, [left, right], height) {
  const room = (height - HEAD) / list.length;
  list.forEach((node, i) => Object.assign(node, { x: left, width: right - left, height: NODE, y: Math.round(HEAD + room * i + (room - NODE) / 2) }));
}

// In the order of their ends, so that they cross as little as can be.
function linesOf(shape, { tunnels }) {
  const find = list => id => list.find(node => node.id === id) ?? list.findLast(node => node.isRest) ?? list[0];
  const [client, listener, target] = [shape.clients, shape.listeners, shape.targets].map(list => memo(find(list)));
  const lines = tunnels
    .map(tunnel => ({
      tunnel,
      from: client(tunnel.forwardedClient ?? (tunnel.client ? address(tunnel.client.source) : 'unknown')),
      by: listener(tunnel.client ? port(tunnel.client.destination) : '?'),
      to: target(keyOf(tunnel.pool, tunnel.backend)),
    }))
    .filter(line => line.to);
  lines.sort((a, b) => a.to.y - b.to.y || a.from.y - b.from.y || (a.tunnel.id < b.tunnel.id ? -1 : 1));
  const room = shape.l4.height - L4_HEAD - 6,
    places = Math.max(lines.length, Math.floor(room / 26));
  const step = room / places,
    top = shape.l4.y + L4_HEAD + (room - step * lines.length) / 2;
  lines.forEach((line, i) => {
    line.y = top + step * (i + 0.5);
  });
  for (const end of ['from', 'by', 'to']) spread(lines, end);
  shape.step = step;
  return lines;
}

function memo(find) {
  const known = new Map();
  return id => {
    if (!known.has(id)) known.set(id, find(id));
    return known.get(id);
  };
}

function spread(lines, end) {
  const groups = new Map();
  for (const line of lines) {
    const group = groups.get(line[end]);
    if (group) group.push(line);
    else groups.set(line[end], [line]);
  }
  for (const [node, group] of groups) {
    const room = Math.min(node.height - 14, group.length * 6);
    group.forEach((line, i) => {
      line[end + 'Y'] = node.y + node.height / 2 + (group.length > 1 ? (i / (group.length - 1) - 0.5) * room : 0);
    });
  }
}

/** The points of a way: client, listener, the middle at a height, backend. Between two points it is a curve that is level at both. */
export function wayOf(shape, line, middleY) {
  const { columns } = shape;
  return [
    [columns.clients[1], line.fromY],
    [columns.listeners[0], line.byY],
    [columns.listeners[1], line.byY],
    [columns.middle[0], middleY],
    [columns.middle[1], middleY],
    [columns.backends[0], line.toY],
  ];
}

/** A point of a way. @param {number} share 0 at the client, 1 at the backend */
export function pointOn(way, share) {
  const first = way[0][0],
    x = first + Math.min(1, Math.max(0, share)) * (way.at(-1)[0] - first);
  let i = 0;
  while (i < way.length - 2 && x > way[i + 1][0]) i++;
  const [[x0, y0], [x1, y1]] = [way[i], way[i + 1]];
  const t = x1 > x0 ? (x - x0) / (x1 - x0) : 1;
  return [x, y0 + (y1 - y0) * t * t * (3 - 2 * t)];
}
