/** Promises that do not wait for ever. */

import { TimedOut } from "./errors.ts";

/**
 * The same promise, rejected with `TimedOut` when it has not settled within so many seconds. What was asked may
 * still happen: it is only waited for no longer.
 */
export function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(what)), seconds * 1_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
