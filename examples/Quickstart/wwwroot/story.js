// The Quickstart's story, above the dashboard: three captions, what the clients noticed, and buttons for the traffic and the backends.
const LOOK_MS = 1000;
const HUES = 6;

const banner = document.getElementById('banner');
let traffic = null, timer = 0;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

// ---- what is there ---------------------------------------------------------------------------------------------------

const captions = [
  ['Balanced per request', 'Backends take turns: each plain request is decided on its own.'],
  ['Routed once', 'A WebSocket’s handshake is decided at L7, once. It stays with its backend.'],
  ['Dropped to L4', 'Nothing is left to decide after the 101: bytes go from socket to socket.'],
];
const facts = captions.map(() => make('p', 'story-fact'));
const list = make('ol', 'story-captions', ...captions.map(([title, text], i) =>
  make('li', '', make('h3', '', title), make('p', '', text), facts[i])));

const power = make('button', 'story-power');
power.type = 'button';
power.addEventListener('click', () => change(`traffic?on=${!traffic.isOn}`));

const noticed = make('p', 'story-noticed');
const backends = make('div', 'story-backends');
backends.setAttribute('role', 'group');
backends.setAttribute('aria-label', 'The processes of the backends');
const trouble = make('p', 'story-trouble');
trouble.setAttribute('role', 'status');

const title = make('h2', '', 'Quickstart');
title.id = 'story-title';
const story = make('section', 'story',
  make('div', 'story-head', title, make('p', '', 'Real clients, through the balancer’s own listener, to three backends in this process.'), power),
  list,
  make('div', 'story-next',
    make('p', '', make('strong', '', 'Now stop a backend: '), 'press ', make('em', '', 'Hand off'),
      ' below. One by one its clients are told to go, and come back to the others, until it is empty. ', make('em', '', 'Undrain'), ' brings it back.'),
    noticed, make('div', 'story-crash', make('span', '', 'Or pull the plug:'), backends)),
  trouble);
story.setAttribute('aria-labelledby', title.id);

// ---- what is known ---------------------------------------------------------------------------------------------------

const number = new Intl.NumberFormat('en');
const plural = (count, one, many = `${one}s`) => `${number.format(count)} ${count === 1 ? one : many}`;

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show({ traffic: seen, backends: processes }) {
  traffic = seen;
  setText(power, seen.isOn ? 'Stop the traffic' : 'Start the traffic');
  story.dataset.traffic = seen.isOn ? 'on' : 'off';
  setText(facts[0], Object.entries(seen.answers).map(([name, count]) => `${number.format(count)} by ${name}`).join(', ') || 'No answer yet');
  setText(facts[1], `${plural(seen.chats.open, 'client')} chatting`);
  setText(facts[2], `${plural(seen.chats.messages, 'message')} echoed`);
  const { told, broken, refused } = seen.chats;
  setText(noticed, `What the clients noticed: ${plural(seen.failedRequests, 'failed request')}, ${plural(told, 'goodbye')} (Close 1012), `
    + `${plural(broken, 'broken WebSocket')}, ${plural(refused, 'refused handshake')}.`);
  if (backends.children.length !== processes.length) backends.replaceChildren(...processes.map(makePlug));
  processes.forEach(({ name, isRunning }, i) => {
    const plug = backends.children[i];
    plug.dataset.running = isRunning;
    setText(plug, `${isRunning ? 'Crash' : 'Revive'} ${name}`);
  });
}

function makePlug({ name }, i) {
  const plug = make('button', `small hue-${i % HUES}`);
  plug.type = 'button';
  plug.addEventListener('click', () => change(`backends/${encodeURIComponent(name)}?running=${plug.dataset.running !== 'true'}`));
  return plug;
}

// ---- to and from the example -----------------------------------------------------------------------------------------

async function ask(path, method = 'GET') {
  const response = await fetch(`/quickstart/${path}`, { method, cache: 'no-store' });
  if (!response.ok) throw new Error(`The Quickstart answered ${response.status}.`);
  return response;
}

async function look() {
  clearTimeout(timer);
  try {
    if (!document.hidden) show(await (await ask('')).json());
    setText(trouble, '');
  } catch (error) {
    setText(trouble, `${error.message} Is it still running?`);
  }
  timer = setTimeout(look, LOOK_MS);
}

async function change(path) {
  try {
    await ask(path, 'PUT');
  } catch (error) {
    setText(trouble, error.message);
  }
  await look();
}

const style = document.createElement('link');
style.rel = 'stylesheet';
style.href = new URL('story.css', import.meta.url).href;
style.addEventListener('load', () => banner.replaceChildren(story));
document.head.append(style);
look();
