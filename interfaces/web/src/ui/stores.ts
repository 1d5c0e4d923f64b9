/** Stores that change more often than anybody looks. */

import type { Store } from "@chronoscribe/client";
import { useRef, useSyncExternalStore } from "react";

/** Only a part of a snapshot: renders again when that part is another. `select` gives strings, numbers, or what the snapshot holds. */
export function useSelected<T, Part>(store: Store<T>, select: (snapshot: T) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => select(store.getSnapshot()));
}

/** The snapshot, no more often than every `ms`; the last one always comes. */
export function useCalm<T>(store: Store<T>, ms: number): T {
  const calm = useRef<CalmStore<T> | null>(null);
  if (calm.current?.store !== store || calm.current.ms !== ms) calm.current = new CalmStore(store, ms);
  return useSyncExternalStore(calm.current.subscribe, calm.current.getSnapshot);
}

class CalmStore<T> implements Store<T> {
  readonly store: Store<T>;
  readonly ms: number;
  private shown: T;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private shownAt = 0;

  constructor(store: Store<T>, ms: number) {
    this.store = store;
    this.ms = ms;
    this.shown = store.getSnapshot();
  }

  readonly getSnapshot = (): T => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    const show = () => {
      this.timer = null;
      this.shownAt = performance.now();
      this.shown = this.store.getSnapshot();
      listener();
    };
    const end = this.store.subscribe(() => {
      this.timer ??= setTimeout(show, Math.max(0, this.shownAt + this.ms - performance.now()));
    });
    if (this.store.getSnapshot() !== this.shown) show();
    return () => {
      end();
      if (this.timer !== null) clearTimeout(this.timer);
      this.timer = null;
    };
  };
}
