// What stands still in the picture: nodes, layers, and the line of each tunnel.
import { bytes, count, rate, tuple } from './format.js';
import { wayOf } from './flow-shape.js';

const FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  MONO = 'ui-monospace, "Cascadia Code", Menlo, "DejaVu Sans Mono", monospace';
const SYMBOL = { Healthy: '●', Unhealthy: '▲', Draining: '◐', Unknown: '?' };
const LABEL_ROOM = 14;
let pen, ink;

export function drawStill(context, shape, colours, model, selected) {
  [pen, ink] = [context, colours];
  pen.clearRect(0, 0, shape.width, shape.height);
  headings(shape);
  layers(shape, model);
  lines(shape, model, selected);
  for (const node of shape.clients) box(node, node.name, `${node.isEstimate ? '≈ ' : ''}${count(Math.round(node.tunnels))}`, ink.muted);
  for (const node of shape.listeners) box(node, node.name, count(node.tunnels), ink.muted);
  for (const node of shape.targets) target(node, model);
}

function headings({ width, columns }) {
  const isNarrow = width < 560;
  const names = isNarrow ? ['clients', 'listen', 'balancer', 'backends'] : ['clients', 'listeners', 'balancer', 'backends'];
  [columns.clients, columns.listeners, columns.middle, columns.backends].forEach(([x, end], i) =>
    text(names[i], x, 12, { font: `600 12px ${FONT}`, colour: ink.muted, room: end - x + 10 }),
  );
}

function layers({ l7, l4, hopY }, { decisions, state }) {
  for (const [layer, fill] of [
    [l7, ink.panel],
    [l4, ink.sunken],
  ]) {
    pen.beginPath();
    pen.roundRect(layer.x + 0.5, layer.y + 0.5, layer.width - 1, layer.height - 1, 8);
    pen.fillStyle = fill;
    pen.fill();
    pen.strokeStyle = ink.line;
    pen.lineWidth = 1;
    pen.stroke();
  }
  const isNarrow = l7.width < 200;
  text(isNarrow ? 'L7' : 'L7: the head is read, a backend chosen, its 101 verified', l7.x + 10, l7.y + 16, {
    font: `600 12px ${FONT}`,
    colour: ink.text,
    room: l7.width - 16,
  });
  if (!isNarrow) {
    const shown = decisions.slice(0, Math.max(1, Math.floor((hopY - l7.y - 42) / 17)));
    shown.forEach((tunnel, i) =>
      text(decision(tunnel), l7.x + 10, l7.y + 36 + i * 17, { font: `12px ${MONO}`, colour: ink.muted, room: l7.width - 20 }),
    );
  }
  text(isNarrow ? 'L4' : `L4: bytes alone, ${laneWords(state)}`, l4.x + 10, l4.y + 14, {
    font: `600 12px ${FONT}`,
    colour: ink.text,
    room: l4.width - 16,
  });
  dotted(l7.x + 8, hopY, l7.x + l7.width - 8, hopY);
}

// What came, where it went, and why.
function decision({ host, path, pool, backend, chosenBy, pinOutcome }) {
  const why = [chosenBy, pinOutcome && pinOutcome !== 'new' ? `pin ${pinOutcome}` : ''].filter(Boolean).join(', ');
  return `${path ? `${host ?? ''}${path} ` : ''}→ ${pool}/${backend}${why ? ` (${why})` : ''}`;
}

function laneWords(state) {
  const { lanes, reactors = [] } = state?.process ?? {};
  if (!lanes) return 'no frame is parsed';
  return lanes.raw ? `${lanes.kind ?? 'raw'}, ${reactors.length} reactor${reactors.length === 1 ? '' : 's'}` : 'portable lane';
}

function lines(shape, model, selected) {
  if (shape.lines.length === 0) {
    text('no tunnel is open', shape.l4.x + 10, shape.l4.y + shape.l4.height / 2, {
      font: `12px ${FONT}`,
      colour: ink.muted,
      room: shape.l4.width - 16,
    });
    return;
  }
  const few = shape.lines.length <= 40,
    hues = new Map(model.backends.map(backend => [backend.key, backend.hue]));
  pen.lineWidth = few ? 2 : 1;
  pen.globalAlpha = few ? 1 : Math.max(0.22, 0.9 - shape.lines.length / 600);
  for (const [hue, some] of Map.groupBy(shape.lines, line => hues.get(line.to.id) ?? -1)) {
    pen.strokeStyle = ink.hues[hue] ?? ink.muted;
    pen.beginPath();
    for (const line of some) trace(wayOf(shape, line, line.y));
    pen.stroke();
  }
  pen.globalAlpha = 1;
  if (shape.step >= LABEL_ROOM && shape.l4.width > 300) shape.lines.forEach(line => label(shape, line, ink.hues[hues.get(line.to.id)] ?? ink.muted));
  const chosen = selected && shape.lines.find(line => line.tunnel.id === selected);
  if (chosen) {
    pen.strokeStyle = ink.focus;
    pen.lineWidth = 4;
    pen.beginPath();
    trace(wayOf(shape, chosen, chosen.y));
    pen.stroke();
    label(shape, chosen, ink.focus);
  }
}

function trace(way) {
  pen.moveTo(...way[0]);
  for (let i = 1; i < way.length; i++) {
    const [[x0, y0], [x1, y1]] = [way[i - 1], way[i]];
    pen.bezierCurveTo(x0 + (x1 - x0) / 3, y0, x0 + ((x1 - x0) * 2) / 3, y1, x1, y1);
  }
}

function label({ l4 }, { tunnel, y }, colour) {
  const pace = (tunnel.rateToBackend ?? 0) + (tunnel.rateToClient ?? 0);
  const words = `${tuple(tunnel)}  ${pace > 0 ? rate(pace) : bytes(tunnel.bytesToBackend + tunnel.bytesToClient)}`;
  pen.font = `11px ${MONO}`;
  const width = Math.min(pen.measureText(words).width + 10, l4.width - 20);
  const x = l4.x + (l4.width - width) / 2;
  pen.fillStyle = ink.sunken;
  pen.fillRect(x, y - 8, width, 16);
  text(words, x + 5, y, { font: pen.font, colour: ink.text, room: width - 8 });
  pen.fillStyle = colour;
  pen.fillRect(x, y - 8, 3, 16);
}

function box({ x, y, width, height, isRest }, name, below, hue) {
  pen.beginPath();
  pen.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, 8);
  pen.fillStyle = ink.panel;
  pen.fill();
  pen.strokeStyle = ink.line;
  pen.lineWidth = 1;
  pen.setLineDash(isRest ? [3, 3] : []);
  pen.stroke();
  pen.setLineDash([]);
  const size = width < 110 ? 11 : 12,
    left = width < 110 ? 6 : 9;
  text(name, x + left, y + 16, { font: `600 ${size}px ${FONT}`, colour: ink.text, room: width - left - 3 });
  text(below, x + left, y + 32, { font: `${size}px ${FONT}`, colour: hue, room: width - left - 3 });
}

function target(node, { rates }) {
  const { backend, x, y, height } = node;
  if (!backend) {
    box(node, node.name, count(node.tunnels), ink.muted);
    return;
  }
  const pace = rates.get(backend.key),
    moved = pace ? pace.toBackend + pace.toClient : 0;
  const tint = { Healthy: ink.good, Unhealthy: ink.bad, Draining: ink.warn }[backend.state] ?? ink.muted;
  const gap = backend.state === 'Healthy' ? '' : ` ${backend.state}`;
  box(node, `   ${backend.name}${gap}`, `${count(backend.tunnels)}${moved >= 1 ? `, ${rate(moved)}` : ''}`, ink.muted);
  text(SYMBOL[backend.state], x + (node.width < 110 ? 6 : 9), y + 16, { font: `700 12px ${FONT}`, colour: tint, room: 20 });
  pen.fillStyle = ink.hues[backend.hue];
  pen.beginPath();
  pen.roundRect(x, y, 5, height, [8, 0, 0, 8]);
  pen.fill();
}

/** One line, cut with an ellipsis where there is no room. */
function text(words, x, y, { font, colour, room }) {
  pen.font = font;
  pen.fillStyle = colour;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  let shown = words.slice(0, 200);
  if (pen.measureText(shown).width > room) {
    const each = pen.measureText(shown).width / shown.length;
    shown = shown.slice(0, Math.max(1, Math.floor(room / each) - 1));
    while (shown.length > 1 && pen.measureText(shown + '…').width > room) shown = shown.slice(0, -1);
    shown += '…';
  }
  pen.fillText(shown, x, y);
}

function dotted(x0, y0, x1, y1) {
  pen.strokeStyle = ink.line;
  pen.lineWidth = 1;
  pen.setLineDash([2, 4]);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.setLineDash([]);
}
