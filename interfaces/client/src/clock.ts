/** The time that is waited for. */

/**
 * Follows a clock of the day, but never goes back: when the machine's clock is set back by an hour, nothing
 * waits for an hour. Milliseconds.
 */
export function onlyForward(clock: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  let ahead = 0;
  return () => {
    const now = clock() + ahead;
    if (now >= last) {
      last = now;
      return now;
    }
    ahead += last - now;
    return last;
  };
}
