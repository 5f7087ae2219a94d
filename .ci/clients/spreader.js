import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import { listen } from './example.js';

const LOOK_MS = 200;

/** In front of instances: each connection goes to the next one whose /healthz is good. It knows bytes alone. */
export class Spreader {
  #instances = new Map();
  #turn = 0;
  #sockets = new Set();
  #server = createServer({ allowHalfOpen: true }, client => this.#pass(client));
  #timer = setInterval(() => { for (const port of this.#instances.keys()) this.#look(port); }, LOOK_MS);

  async listen() {
    await listen(this.#server);
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  add(url) {
    this.#instances.set(Number(new URL(url).port), true);
  }

  remove(url) {
    this.#instances.delete(Number(new URL(url).port));
  }

  close() {
    clearInterval(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #look(port) {
    const note = isReady => { if (this.#instances.has(port)) this.#instances.set(port, isReady); };
    get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, answer => note(answer.resume().statusCode === 200)).once('error', () => note(false));
  }

  #pass(client) {
    const ready = [...this.#instances].filter(([, isReady]) => isReady);
    if (ready.length === 0) return client.resetAndDestroy();
    const instance = connect({ port: ready[this.#turn++ % ready.length][0], host: '127.0.0.1', allowHalfOpen: true });
    client.pipe(instance).pipe(client);
    for (const [one, other] of [[client, instance], [instance, client]]) {
      this.#sockets.add(one);
      one.setNoDelay().once('error', () => other.resetAndDestroy()).once('close', () => this.#sockets.delete(one));
    }
  }
}
