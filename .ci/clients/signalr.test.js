import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { backendSettings, startExample, within } from './example.js';

const CONNECTIONS = 30, TEST_MS = 60_000;
let chat;

before(async () => { chat = await startExample('SignalRChat', await backendSettings('chat', ['a', 'b', 'c'])); });
after(() => chat?.stop());

for (const transport of ['WebSockets', 'ServerSentEvents', 'LongPolling']) {
  test(`${CONNECTIONS} SignalR clients negotiate, connect, invoke and hear one another by ${transport}`, { timeout: TEST_MS }, async () => {
    const people = Array.from({ length: CONNECTIONS }, (_, i) => person(`${transport} ${i}`, transport));
    try {
      await Promise.all(people.map(({ connection }) => connection.start()));
      const places = await Promise.all(people.map(({ connection, name }) => connection.invoke('Join', name)));
      await Promise.all(people.map(({ connection, name }) => connection.invoke('Say', `This is ${name}.`)));
      await within(TEST_MS / 2, 'everybody to hear everybody', Promise.all(people.map(({ heardAll }) => heardAll)));

      // What a hub says of a client is what it said when the client joined: the connection never changed its backend.
      const speakers = new Map(people[0].heard);
      people.forEach(({ name }, i) => assert.equal(speakers.get(name), places[i]));
      assert.deepEqual(people.flatMap(({ errors }) => errors), []);
      assert.deepEqual([...new Set(places)].sort(), ['a', 'b', 'c'], 'all backends take part');
    } finally {
      await Promise.allSettled(people.map(({ connection }) => connection.stop()));
    }
  });
}

test('the answer to negotiate sets no cookie', async () => {
  const answer = await fetch(`${chat.url}/chat/negotiate?negotiateVersion=1`, { method: 'POST' });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.headers.getSetCookie(), []);
});

function person(name, transport) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${chat.url}/chat`, { transport: HttpTransportType[transport] })
    .configureLogging(LogLevel.None)
    .build();
  const heard = [], errors = [];
  connection.onclose(error => { if (error) errors.push(`${name}: ${error.message}`); });
  const heardAll = new Promise(done => connection.on('happened', (speaker, backend, what) => {
    if (what !== 'said') return;
    heard.push([speaker, backend]);
    if (heard.length === CONNECTIONS) done();
  }));
  return { name, connection, heard, heardAll, errors };
}
