import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { HubConnectionBuilder, HubConnectionState, LogLevel } from '@microsoft/signalr';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { until } from './example.js';

const MESSAGE_MS = 2_000, REQUEST_MS = 50, COME_BACK_MS = 1_000, ANSWER_MS = 30_000, AT_A_TIME = 20;

/** Clients with their ordinary settings, which stay connected, say one number after the other, and note what they notice. */
export class Crowd {
  #url;
  #clients = [];
  #loops = [];
  #isLeaving = false;
  #agent = new Agent({ keepAlive: true });

  /** { who, code, at } of every connection that has ended; the code of one that ended without a Close frame is 1006. */
  closes = [];
  failures = [];
  requests = 0;
  /** Of each client the numbers that it knows to have arrived. */
  acknowledged = new Map();
  /** Of each client the numbers that it gave to a connection that was open, each once. Of those that do not repeat what was not acknowledged. */
  sent = new Map();

  constructor(url) {
    this.#url = url;
  }

  async arrive({ hubs, sockets, plain, requesters }) {
    const names = (kind, count) => Array.from({ length: count }, (_, i) => `${kind}-${i}`);
    const clients = [
      ...names('npm-hub', hubs).map(name => () => this.#hub(name)),
      ...names('io', sockets).map((name, i) => () => this.#socketIO(name, i % 2 ? ['websocket'] : ['polling', 'websocket'])),
      ...names('ws', plain).map(name => () => this.#plain(name)),
    ];
    await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
      for (let client = clients.pop(); client && !this.#isLeaving; client = clients.pop()) await client();
    }));
    for (let i = 0; i < requesters; i++) this.#loops.push(this.#request());
  }

  /** Whether everybody is connected, by a WebSocket. */
  get isComplete() {
    return this.#clients.every(({ isThere }) => isThere());
  }

  /** Completes when everything that was sent has been read, too. */
  async leave() {
    this.#isLeaving = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#clients.map(({ leave }) => leave()));
    this.#agent.destroy();
  }

  async #hub(name) {
    const crowd = this;
    class Noting extends WebSocket {
      constructor(...args) {
        super(...args);
        this.once('close', code => crowd.#closed(name, code));
      }
    }
    const connection = new HubConnectionBuilder()
      .withUrl(`${this.#url}/chat?client=${name}`, { WebSocket: Noting })
      .withAutomaticReconnect()
      .configureLogging(LogLevel.None)
      .build();
    connection.onclose(error => { if (error) this.#failed(name, error); });
    const isThere = () => connection.state === HubConnectionState.Connected;
    this.#clients.push({ isThere, leave: () => connection.stop() });
    await connection.start();
    this.#speak(name, isThere, number => connection.invoke('Say', name, number));
  }

  async #socketIO(name, transports) {
    const socket = io(this.#url, { transports, query: { client: name }, forceNew: true });
    socket.on('disconnect', (reason, details) => this.#closed(name, details?.context?.code ?? reason));
    socket.on('connect_error', error => this.#failed(name, error));
    const isThere = () => socket.connected && socket.io.engine.transport.name === 'websocket';
    this.#clients.push({ isThere, leave: async () => { socket.disconnect(); } });
    await until(isThere);
    this.#speak(name, isThere, number => socket.timeout(ANSWER_MS).emitWithAck('say', name, number));
  }

  // It never repeats a number: what was given to an open connection has to arrive, acknowledged or not.
  async #plain(name) {
    let socket, answer = () => {}, number = 0, timer;
    const sent = [], acknowledged = [];
    this.sent.set(name, sent);
    this.acknowledged.set(name, acknowledged);
    const connect = () => {
      socket = new WebSocket(`${this.#url.replace('http', 'ws')}/ws?client=${name}`);
      socket.on('message', data => acknowledged.push(Number(data)));
      socket.on('error', error => this.#failed(name, error));
      socket.on('close', code => {
        this.#closed(name, code);
        answer();
        if (!this.#isLeaving) setTimeout(() => { if (!this.#isLeaving) connect(); }, COME_BACK_MS * Math.random());
      });
    };
    const isThere = () => socket.readyState === WebSocket.OPEN;
    const say = () => {
      if (isThere()) {
        socket.send(`${name} ${++number}`);
        sent.push(number);
      }
      timer = setTimeout(say, pause());
    };
    const leave = async () => {
      clearTimeout(timer);
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = new Promise(done => { answer = done; });
      socket.close(1000);
      await closed;
    };
    this.#clients.push({ isThere, leave });
    connect();
    await until(isThere);
    if (!this.#isLeaving) say();
  }

  // What was not acknowledged is said again.
  #speak(name, isThere, say) {
    const acknowledged = [];
    this.acknowledged.set(name, acknowledged);
    this.#loops.push((async () => {
      for (let number = 1; !this.#isLeaving; await sleep(pause())) {
        if (!isThere()) continue;
        try {
          await say(number);
          acknowledged.push(number++);
        } catch {
          // The connection has ended meanwhile.
        }
      }
    })());
  }

  async #request() {
    for (; !this.#isLeaving; await sleep(REQUEST_MS)) {
      try {
        const status = await new Promise((answered, failed) => {
          get(`${this.#url}/hello`, { agent: this.#agent }, answer => answer.resume().once('end', () => answered(answer.statusCode)).once('error', failed)).once('error', failed);
        });
        if (status === 200) this.requests++;
        else this.#failed('GET /hello', new Error(`status ${status}`));
      } catch (error) {
        this.#failed('GET /hello', error);
      }
    }
  }

  #closed(who, code) {
    if (!this.#isLeaving) this.closes.push({ who, code, at: performance.now() });
  }

  #failed(who, error) {
    if (!this.#isLeaving) this.failures.push(`${who}: ${error.message}`);
  }
}

function pause() {
  return MESSAGE_MS * (0.5 + Math.random());
}
