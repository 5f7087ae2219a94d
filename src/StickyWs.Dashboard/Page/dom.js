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
 * Makes the children of a parent those of the list, by key. What stays is updated in place, so that focus stays too.
 * @param {Element} parent
 * @param {any[]} list
 * @param {(item: any) => string} key
 * @param {(item: any) => Element} create
 * @param {(element: any, item: any) => void} update
 */
export function sync(parent, list, key, create, update) {
  const old = new Map();
  for (const child of [...parent.children]) {
    if (child.syncKey === undefined) child.remove();
    else old.set(child.syncKey, child);
  }
  let before = null;
  for (const item of list) {
    const id = key(item);
    let element = old.get(id);
    old.delete(id);
    if (!element) {
      element = create(item);
      element.syncKey = id;
    }
    const place = before ? before.nextSibling : parent.firstChild;
    if (element !== place) parent.insertBefore(element, place);
    update(element, item);
    before = element;
  }
  for (const rest of old.values()) rest.remove();
}

/** A row that only says something. */
export const noRow = (columns, text) => make('tr', {}, make('td', { colspan: columns, class: 'empty' }, text));

/** Runs at once, and then at most once in the time; a call in between is made up for at its end. */
export function throttled(milliseconds, run) {
  let last = -Infinity,
    timer = 0;
  return () => {
    if (timer) return;
    const wait = last + milliseconds - performance.now();
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
