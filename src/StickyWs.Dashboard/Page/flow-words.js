// What the picture shows, in words.
import { $, setText } from './dom.js';
import { count, plural } from './format.js';
import { model } from './model.js';

const DESCRIBE_MS = 10_000;
export const HOPS_PER_SECOND = 6;
let described = -Infinity;

/** Plain requests per second; where the API does not tell, those under way. */
export const requestRate = ({ recent, requests }) => (recent && recent.seconds > 0 ? recent.requests.count / recent.seconds : requests);

/** Not at every look: a screen reader may be in the middle of it. */
export function describe(still) {
  const now = performance.now();
  if (now - described < DESCRIBE_MS) return;
  described = now;
  const parts = model.backends
    .slice(0, 12)
    .map(
      backend => `${backend.pool}/${backend.name}: ${backend.state}, ${plural(backend.tunnels, 'tunnel')}, ${plural(backend.requests, 'request')} in progress`,
    );
  const rest = model.backends.length > 12 ? [`and ${model.backends.length - 12} more backends`] : [];
  still.setAttribute(
    'aria-label',
    `The flow: clients, listeners, L7 and L4, backends. ${[...parts, ...rest].join('. ')}. The table below says the same.`,
  );
}

/** The note above the picture: how much of it is shown. */
export function note() {
  const { sample } = model,
    shown = sample.tunnels.length;
  const all = `${plural(sample.open, 'tunnel')} open`;
  setText(
    $('flow-note'),
    sample.open === 0
      ? 'No tunnel is open.'
      : shown >= sample.open
        ? `Showing ${sample.open === 1 ? 'the one tunnel' : `all ${count(shown)} tunnels`}.`
        : `Showing ${count(shown)} of ${all}.`,
  );
  const most = Math.max(0, ...model.backends.map(requestRate));
  $('scale').hidden = most <= HOPS_PER_SECOND;
  if (most > HOPS_PER_SECOND)
    setText($('scale'), `At most ${HOPS_PER_SECOND} requests a second are shown per backend; the busiest gets ${count(most)}.`);
}
