// What can be done, always after a question that says whom it hits.
import { Trouble, post } from './api.js';
import { $, make, setHidden, setText } from './dom.js';
import { count, plural } from './format.js';
import { backendOf, model } from './model.js';

const TITLES = {
  stop: name => `Stop ${name}?`,
  'hand-off': name => `Hand off ${name}?`,
  cut: name => `Cut ${name}?`,
  undrain: name => `Bring ${name} back into service?`,
  weight: name => `Weight of ${name}`,
  goodbye: name => `Tell ${name} to go?`,
  'cut-tunnel': name => `Abort ${name}?`,
};
const YES = {
  stop: 'Stop',
  'hand-off': 'Hand off',
  cut: 'Cut',
  undrain: 'Undrain',
  weight: 'Set the weight',
  goodbye: 'Say goodbye',
  'cut-tunnel': 'Abort',
};
const DRY_DELAY_MS = 250;

let done = () => {},
  counting = 0,
  now = null,
  back = null;

/** @param {(action: string, answer: any) => void} onDone */
export function begin(onDone) {
  done = onDone;
  $('ask-no').addEventListener('click', () => $('ask').close());
  $('ask-yes').addEventListener('click', act);
  $('ask').addEventListener('close', () => {
    now = null;
    if (back?.isConnected) back.focus();
  });
}

/** Asks about a backend, or a whole pool. */
export function ask(action, { pool, backend }) {
  open(action, backend === undefined ? `all backends of ${pool}` : `${pool}/${backend}`, { path: `backends:${action}`, query: { pool, backend } });
  if (action === 'hand-off') {
    field('over', 'Spread over (such as 30s or 5m)', 'text', '', 'as the pool says');
    field('deadline', 'Abort what is left after (or none)', 'text', '', 'as the pool says');
  }
  if (action === 'weight') field('weight', 'Weight, 1 to 256, or configured', 'text', String(backendOf(pool, backend)?.weight ?? 1), '');
  foresee();
}

/** Asks about one tunnel. */
export function askTunnel(action, tunnel, name) {
  open(action === 'cut' ? 'cut-tunnel' : action, `the tunnel ${name}`, {
    path: `tunnels/${encodeURIComponent(tunnel.id)}:${action}`,
    query: {},
    isTunnel: true,
  });
  setText(
    $('ask-effect'),
    action === 'cut'
      ? 'Both sides see their connection break.'
      : 'Both sides are told with a Close frame. Most clients connect again, and get a backend anew.',
  );
}

function open(action, name, request) {
  back = document.activeElement;
  now = { action, name, ...request };
  setText($('ask-title'), TITLES[action](name));
  setText($('ask-effect'), 'Counting whom it hits…');
  setText($('ask-yes'), YES[action]);
  $('ask-yes').classList.toggle('danger', action === 'cut' || action === 'cut-tunnel');
  $('ask-yes').disabled = !request.isTunnel; // Until it is known whom it hits.
  $('ask-fields').replaceChildren();
  fault('');
  $('ask').showModal();
  $('ask-no').focus();
}

function field(name, label, type, value, placeholder) {
  let timer = 0;
  const input = make('input', {
    type,
    name,
    value,
    placeholder,
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 20,
    oninput: () => {
      $('ask-yes').disabled = true;
      clearTimeout(timer);
      timer = setTimeout(foresee, DRY_DELAY_MS);
    },
  });
  $('ask-fields').append(make('label', {}, label, input));
}

const fields = () => Object.fromEntries([...$('ask-fields').querySelectorAll('input')].map(input => [input.name, input.value.trim()]));

function fault(text) {
  setText($('ask-fault'), text);
  setHidden($('ask-fault'), !text);
}

// The balancer says whom it would hit; an older one cannot, and then the last state does.
async function foresee() {
  const asked = now,
    mine = ++counting;
  if (!asked || asked.isTunnel || asked.isUnderWay) return;
  let plan, trouble;
  if (model.isNew) {
    try {
      ({ plan } = await post(asked.path, { ...asked.query, ...fields(), dryRun: 'true' }));
    } catch (error) {
      trouble = error.message;
    }
  }
  if (now !== asked || mine !== counting || asked.isUnderWay) return;
  fault(trouble ?? '');
  setText($('ask-effect'), effect(asked.action, plan ?? planOf(asked.query)));
  $('ask-yes').disabled = false;
}

function planOf({ pool, backend }) {
  const hit = model.backends.filter(one => one.pool === pool && (backend === undefined || one.name === backend));
  const rest = model.backends.filter(one => one.pool === pool && !hit.includes(one) && one.eligible);
  const sum = name => hit.reduce((total, one) => total + (one[name] ?? 0), 0);
  return {
    backends: hit.length,
    tunnels: sum('tunnels'),
    requests: sum('requests'),
    handshakes: sum('handshakes'),
    told: sum('tunnels'),
    cut: sum('tunnels'),
    leavesNone: rest.length === 0 ? [pool] : [],
  };
}

/** In words, whom it hits. */
export function effect(action, { tunnels, requests, told, cut, leavesNone = [] }) {
  const work = [plural(tunnels, 'tunnel'), requests ? plural(requests, 'request') : ''].filter(Boolean).join(' and ');
  const words = {
    stop: `It gets no new work, except of clients that are pinned to it. ${work} ${tunnels + requests === 1 ? 'goes' : 'go'} on.`,
    'hand-off': `${count(told)} of ${plural(tunnels, 'tunnel')} ${told === 1 ? 'is' : 'are'} told to go, and ${told === 1 ? 'its client comes' : 'their clients come'} back to the other backends.${requests ? ` ${plural(requests, 'request')} may finish.` : ''}`,
    cut: `${plural(cut, 'tunnel')} ${cut === 1 ? 'is' : 'are'} aborted at once.`,
    undrain: `It gets new work again. It has ${work}.`,
    weight: `It changes the share of new work. ${work} ${tunnels + requests === 1 ? 'stays' : 'stay'} as ${tunnels + requests === 1 ? 'it is' : 'they are'}.`,
  };
  const none =
    leavesNone.length > 0 && action !== 'undrain' && action !== 'weight' ? ` No backend of ${leavesNone.join(', ')} is left for new work.` : '';
  return words[action] + none;
}

async function act() {
  const asked = now;
  asked.isUnderWay = true;
  $('ask-yes').disabled = true;
  fault('');
  try {
    const answer = await post(asked.path, { ...asked.query, ...fields() });
    if (now === asked) $('ask').close();
    else tell(asked, 'done, although the question was closed.');
    done(asked.action, answer);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (now === asked) fault(error.message);
    else tell(asked, `failed. ${error.message}`);
  } finally {
    asked.isUnderWay = false;
    if (now === asked) {
      $('ask-yes').disabled = false;
      if (document.activeElement === document.body) $('ask-yes').focus();
    }
  }
}

// What was ordered cannot be called back by closing the question.
const tell = ({ action, name }, outcome) => setText($('news'), `${YES[action]}, ${name}: ${outcome}`);
