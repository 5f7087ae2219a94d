// One question at a time, for what is asked again and again.

/**
 * What is asked while an answer is awaited is asked once more after it. A new question ends the one under way, and that one's answer is not taken.
 * @param {(signal: AbortSignal) => Promise<void>} ask asks, and shows the answer
 * @param {(error: Error) => void} fail shows why there is none
 */
export function oneAtATime(ask, fail) {
  let pending = null,
    isStale = false;

  async function again() {
    if (pending) {
      isStale = true;
      return;
    }
    isStale = false;
    const mine = (pending = new AbortController());
    try {
      await ask(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      fail(error);
    } finally {
      if (pending === mine) pending = null;
    }
    if (isStale) await again();
  }

  function anew() {
    pending?.abort();
    pending = null;
    return again();
  }

  return { again, anew };
}
