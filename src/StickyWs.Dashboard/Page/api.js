// The API. Addresses are relative to the page, so the page needs not know its prefix.

/** An answer that is none of the expected. */
export class Trouble extends Error {
  constructor(status, detail, type = '', drains = []) {
    super(detail);
    Object.assign(this, { status, type, drains });
  }
}

const TIMEOUT_MS = 15_000;

export const get = (path, query, signal) => ask('GET', path, query, signal);

/** What changes something. The header is what pages of other sites cannot send. */
export const post = (path, query) => ask('POST', path, query);

async function ask(method, path, query = {}, signal = undefined) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ''));
  const ends = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  let response;
  try {
    // Without the dot, "backends:" would be a scheme.
    response = await fetch(`./${path}${parameters.size > 0 ? '?' : ''}${parameters}`, {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      headers: method === 'POST' ? { 'X-StickyWs': '1' } : {},
      signal: AbortSignal.any(ends),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Trouble(0, 'The balancer does not answer. Is it still running?');
  }
  const isJson = /\bjson\b/.test(response.headers.get('Content-Type') ?? '');
  const body = isJson ? await response.json().catch(() => null) : null;
  if (response.ok && body) return body;
  if (response.ok) throw new Trouble(401, 'Something other than the API answered, perhaps a page to sign in: load this page again.');
  throw new Trouble(response.status, body?.detail ?? WORDS[response.status] ?? `The answer was ${response.status}.`, body?.type, body?.drains);
}

const WORDS = {
  401: 'You are not signed in, or no longer: load this page again.',
  403: 'You may not see this.',
  404: 'There is no API at this address.',
  429: 'Too many requests: the application limits them.',
};
