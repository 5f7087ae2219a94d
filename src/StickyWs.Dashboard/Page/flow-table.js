// The flow as a table: what the picture shows, counted.
import { $, make, setText, sync } from './dom.js';
import { bytes, count } from './format.js';
import { model } from './model.js';

const MOST_ROWS = 200;

export function show() {
  const flows = model.flows?.flows ?? model.backends.map(backend => ({ ...backend, backend: backend.name, lane: '' }));
  sync(
    $('flow-rows'),
    flows.slice(0, MOST_ROWS),
    row => JSON.stringify([row.listener, row.pool, row.backend, row.lane, row.kind, row.tls]),
    row =>
      make(
        'tr',
        {},
        make('td', 'mono', row.listener ?? ''),
        make('td', {}, [row.lane, row.kind].filter(Boolean).join(' ')),
        make('td', {}, row.tls ?? ''),
        make('th', { scope: 'row' }, `${row.pool}/${row.backend}`),
        make('td', 'number'),
        make('td', 'number'),
        make('td', 'number'),
      ),
    (element, row) =>
      [count(row.tunnels), bytes(row.bytesToBackend), bytes(row.bytesToClient)].forEach((text, i) => setText(element.children[4 + i], text)),
  );
}
