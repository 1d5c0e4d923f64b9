/** When something was: as one says it, and in full for who asks. */

import { useSyncExternalStore } from "react";
import { ago, dayAndTime } from "../ui/time.ts";

/** "5 min ago" is right for about this long. */
const TICK_MS = 30_000;

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times on the page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export function When({ at, className }: { readonly at: number; readonly className?: string }) {
  const words = useSyncExternalStore(subscribe, () => ago(at, now));
  return (
    <time dateTime={new Date(at / 1_000).toISOString()} title={dayAndTime(at)} className={className}>
      {words}
    </time>
  );
}
