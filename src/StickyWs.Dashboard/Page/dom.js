// Elements. Whatever the API says is put in as text, never as markup: names, hosts and paths may be an attacker's.

export const $ = id => document.getElementById(id);

/**
 * @param {string} tag
 * @param {string|Record<string, string|number|boolean|Function|undefined>} [with_] a class, or attributes; what begins with "on" is a listener
 * @param {...(Node|string|null|undefined)} children
 */
export function make(tag, with_ = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(typeof with_ === 'string' ? { class: with_ } : with_)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Only what changed: a selection or a screen reader's place in a text is not lost without need. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/**
 * Makes the children of a parent those of the list, by key; where a key is there twice, in order. What stays is updated in place, and only what has to
 * move is moved, never what has the focus: a move would take the focus away, and a screen reader's place.
 * @param {Element} parent
 * @param {any[]} list
 * @param {(item: any) => string} key
 * @param {(item: any) => Element} create
 * @param {(element: any, item: any) => void} update
 */
export function sync(parent, list, key, create, update) {
  const old = new Map();
  for (const child of parent.children) {
    if (!old.has(child.syncKey)) old.set(child.syncKey, []);
    old.get(child.syncKey).push(child);
  }
  const elements = list.map(item => old.get(key(item))?.shift() ?? Object.assign(create(item), { syncKey: key(item) }));
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();

  const staying = new Set(inOrder(elements, [...parent.children]));
  let before = null;
  elements.forEach((element, i) => {
    if (!staying.has(element)) parent.insertBefore(element, before ? before.nextSibling : parent.firstChild);
    update(element, list[i]);
    before = element;
  });
}

/** Of the elements as wanted, as many as can stay where they are: the longest run in the order that they have now, with what has the focus in it. */
function inOrder(elements, children) {
  const place = new Map(children.map((child, i) => [child, i]));
  const focused = elements.findIndex(element => place.has(element) && element.contains(document.activeElement));
  const ends = []; // By length, the end of the run of that length that leaves the most room.
  elements.forEach((element, i) => {
    const at = place.get(element);
    if (at === undefined || (focused >= 0 && i !== focused && at < place.get(elements[focused]) !== i < focused)) return;
    let length = ends.length;
    while (length > 0 && ends[length - 1].at > at) length--;
    ends[length] = { at, element, before: ends[length - 1] };
  });
  const run = [];
  for (let end = ends.at(-1); end; end = end.before) run.push(end.element);
  return run;
}

/** A row that only says something. */
export const noRow = (columns, text) => make('tr', {}, make('td', { colspan: columns, class: 'empty' }, text));

/**
 * Runs at once, and then at most once in the time; a call in between is made up for at its end.
 * @param {number|(() => number)} milliseconds
 */
export function throttled(milliseconds, run) {
  let last = -Infinity,
    timer = 0;
  return () => {
    if (timer) return;
    const wait = last + (typeof milliseconds === 'function' ? milliseconds() : milliseconds) - performance.now();
    timer = setTimeout(
      () => {
        timer = 0;
        last = performance.now();
        run();
      },
      Math.max(0, wait),
    );
  };
}
