// The picture. What stands still is drawn when something changes; what moves, on a second canvas above it, frame by frame.
import { $ } from './dom.js';
import { keyOf } from './format.js';
import { drawStill } from './flow-still.js';
import { layOut, pointOn, wayOf } from './flow-shape.js';
import { HOPS_PER_SECOND, describe, requestRate } from './flow-words.js';
import { model } from './model.js';

const MOST_MOVING = 240,
  PULSES_PER_LOOK = 60;
const HOP_MS = 1500,
  PULSE_MS = 1100,
  OPEN_MS = 1700,
  END_MS = 1600;
const TOLD = new Set(['HandedOff', 'MaxAge', 'Rebalanced', 'Shutdown', 'ClientIdleTimeout', 'BackendIdleTimeout', 'BackendDown']);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const still = $('still'),
  moving = $('moving');
const pen = moving.getContext('2d');

let shape = null,
  ink = {},
  dirty = true,
  paused = false,
  running = false,
  selected = null;
let particles = [];

/** How long the last frames took, in milliseconds; for whoever measures. */
export const frames = { times: new Float64Array(256), count: 0 };

export function begin(onNode) {
  new ResizeObserver(measure).observe($('picture'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', measure);
  $('pause').addEventListener('click', () => {
    paused = !paused;
    $('pause').setAttribute('aria-pressed', paused);
    wake();
  });
  moving.addEventListener('click', event => {
    const node = nodeAt(event);
    if (node && !node.isRest) onNode(node);
  });
  moving.addEventListener('pointermove', event => {
    moving.classList.toggle('over', Boolean(nodeAt(event) && !nodeAt(event).isRest));
  });
  document.addEventListener('visibilitychange', wake);
  wake();
}

function nodeAt({ offsetX: x, offsetY: y }) {
  for (const [kind, list] of [
    ['client', shape?.clients],
    ['listener', shape?.listeners],
    ['backend', shape?.targets],
  ]) {
    const node = list?.find(node => x >= node.x && x <= node.x + node.width && y >= node.y && y <= node.y + node.height);
    if (node) return { kind, ...node };
  }
  return null;
}

function measure() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['page', 'panel', 'sunken', 'line', 'text', 'muted', 'bad', 'warn', 'good', 'on', 'focus'])
    ink[name] = style.getPropertyValue(`--${name}`).trim();
  ink.hues = Array.from({ length: 6 }, (_, i) => style.getPropertyValue(`--hue-${i}`).trim());
  dirty = true;
  wake();
}

/** What is known has changed. */
export function changed() {
  dirty = true;
  wake();
}

/** The tunnel whose line stands out. */
export function select(id) {
  selected = id;
  changed();
}

function wake() {
  if (running || document.hidden) return;
  running = true;
  requestAnimationFrame(frame);
}

function frame(now) {
  const begun = performance.now();
  try {
    if (dirty && !paused) redraw();
    if (!paused) drawMoving(now);
  } finally {
    frames.times[frames.count++ % frames.times.length] = performance.now() - begun;
    running = !document.hidden && !paused && (dirty || particles.length > 0);
    if (running) requestAnimationFrame(frame);
  }
}

function redraw() {
  dirty = false;
  const width = $('picture').clientWidth;
  if (!ink.hues || width === 0) return;
  shape = layOut(width, model);
  fit(still);
  fit(moving);
  drawStill(still.getContext('2d'), shape, ink, model, selected);
  describe(still);
}

function fit(canvas) {
  const scale = Math.min(2, devicePixelRatio || 1),
    width = Math.round(shape.width * scale),
    height = Math.round(shape.height * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.setProperty('height', `${shape.height}px`);
    $('picture').style.setProperty('height', `${shape.height}px`);
  }
  canvas.getContext('2d').setTransform(scale, 0, 0, scale, 0, 0);
}

// ---- what moves ------------------------------------------------------------------------------------------------------

function add(particle) {
  if (calm.matches || paused || document.hidden || particles.length >= MOST_MOVING) return;
  particles.push(particle);
  wake();
}

/** A handshake goes through L7, and its tunnel drops to L4. */
export function opened(tunnel) {
  add({ kind: 'open', id: tunnel.id, at: performance.now(), takes: OPEN_MS, hue: hueOf(tunnel) });
  changed();
}

/** The end of a tunnel, where its line was. */
export function ended(tunnel, reason) {
  const line = shape?.lines.find(line => line.tunnel.id === tunnel.id);
  if (line)
    add({
      kind: TOLD.has(reason) ? 'told' : 'end',
      at: performance.now(),
      takes: END_MS,
      x: shape.columns.backends[0] - 12,
      y: line.toY,
      hue: hueOf(tunnel),
    });
  changed();
}

/** Bytes of tunnels, and plain requests, until the next look. @param {number} milliseconds until then */
export function flowOn(milliseconds) {
  if (!shape || calm.matches) return;
  const now = performance.now();
  const busy = shape.lines.filter(line => rateOf(line.tunnel) > 0);
  for (let i = 0; i < Math.min(PULSES_PER_LOOK, busy.length); i++) {
    const line = busy[busy.length <= PULSES_PER_LOOK ? i : Math.floor(Math.random() * busy.length)];
    const toClient = line.tunnel.rateToClient ?? 0,
      toBackend = line.tunnel.rateToBackend ?? 0;
    add({
      kind: 'pulse',
      id: line.tunnel.id,
      at: now + Math.random() * milliseconds,
      takes: PULSE_MS,
      isBack: Math.random() * (toClient + toBackend) < toClient,
      hue: hueOf(line.tunnel),
    });
  }
  for (const target of shape.targets) if (target.backend) addHops(target, now, milliseconds);
}

const rateOf = tunnel => (tunnel.rateToBackend ?? 0) + (tunnel.rateToClient ?? 0);
const hueOf = ({ pool, backend }) => model.backends.find(one => one.key === keyOf(pool, backend))?.hue ?? 0;

function addHops(target, now, milliseconds) {
  const wanted = (Math.min(HOPS_PER_SECOND, requestRate(target.backend)) * milliseconds) / 1000;
  const hops = Math.floor(wanted) + (Math.random() < wanted % 1 ? 1 : 0);
  for (let i = 0; i < hops; i++) {
    const from = any(shape.clients),
      by = any(shape.listeners);
    const line = { fromY: from.y + 23, byY: by.y + 23, toY: target.y + 23 };
    add({ kind: 'hop', way: wayOf(shape, line, shape.hopY), at: now + Math.random() * milliseconds, takes: HOP_MS, hue: target.backend.hue });
  }
}

const any = list => list[Math.floor(Math.random() * list.length)];

function drawMoving(now) {
  if (!shape) return;
  pen.clearRect(0, 0, shape.width, shape.height);
  particles = particles.filter(particle => now < particle.at + particle.takes);
  const lines = particles.some(particle => particle.id) ? new Map(shape.lines.map(line => [line.tunnel.id, line])) : null;
  for (const particle of particles)
    if (now >= particle.at) DRAW[particle.kind](particle, (now - particle.at) / particle.takes, lines?.get(particle.id));
}

const DRAW = {
  // There and back, as far as the backend connection goes back: to its pool, beneath L7.
  hop({ way, hue }, share) {
    if (share < 0.6) {
      disc(...pointOn(way, share / 0.6), 4.5, ink.hues[hue]);
      return;
    }
    const back = (share - 0.6) / 0.4;
    ring(...pointOn(way, 1 - (back * (way.at(-1)[0] - way[4][0])) / (way.at(-1)[0] - way[0][0])), 4, ink.hues[hue]);
  },
  pulse({ isBack, hue }, share, line) {
    if (line) disc(...pointOn(wayOf(shape, line, line.y), isBack ? 1 - share : share), 3, ink.hues[hue]);
  },
  open({ hue }, share, line) {
    if (!line) return;
    if (share < 0.55) {
      disc(...pointOn(wayOf(shape, line, shape.hopY), share / 0.55), 5, ink.hues[hue]);
      return;
    }
    const drop = (share - 0.55) / 0.45,
      eased = drop * drop * (3 - 2 * drop);
    strokeWay(wayOf(shape, line, shape.hopY + (line.y - shape.hopY) * eased), ink.hues[hue], 2.5);
  },
  end({ x, y, hue }, share) {
    pen.globalAlpha = 1 - share;
    pen.strokeStyle = ink.hues[hue];
    pen.lineWidth = 3;
    pen.beginPath();
    pen.moveTo(x - 6, y - 6);
    pen.lineTo(x + 6, y + 6);
    pen.moveTo(x - 6, y + 6);
    pen.lineTo(x + 6, y - 6);
    pen.stroke();
    pen.globalAlpha = 1;
  },
  told({ x, y, hue }, share) {
    pen.globalAlpha = 1 - share;
    ring(x, y, 6, ink.hues[hue]);
    pen.globalAlpha = 1;
  },
};

// Beneath the box of a listener nothing is seen: its name is to be read.
const isBeneath = x => x > shape.columns.listeners[0] && x < shape.columns.listeners[1];

function disc(x, y, radius, colour) {
  if (isBeneath(x)) return;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

function ring(x, y, radius, colour) {
  pen.strokeStyle = colour;
  pen.fillStyle = ink.panel;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}

function strokeWay(way, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.moveTo(...way[0]);
  for (let i = 1; i < way.length; i++) {
    const [[x0, y0], [x1, y1]] = [way[i - 1], way[i]];
    if (i === 2)
      pen.moveTo(x1, y1); // Beneath the listener.
    else pen.bezierCurveTo(x0 + (x1 - x0) / 3, y0, x0 + ((x1 - x0) * 2) / 3, y1, x1, y1);
  }
  pen.stroke();
}
