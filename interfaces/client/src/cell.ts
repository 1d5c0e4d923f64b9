/** The stores behind the room's parts: a value, and whoever wants to hear of the next one. */

import type { Store } from "./types.ts";

/** Collects which cells have changed, and tells their listeners once, when a frame or a call is through. */
export class Bell {
  readonly #changed = new Set<Cell<unknown>>();

  mark(cell: Cell<unknown>): void {
    this.#changed.add(cell);
  }

  /** Listeners may change something again; that is told as well. */
  ring(): void {
    for (const cell of this.#changed) {
      this.#changed.delete(cell);
      cell.tell();
    }
  }
}

export class Cell<T> implements Store<T> {
  readonly #bell: Bell;
  readonly #listeners = new Set<() => void>();
  readonly #make: () => T;
  #value: T | undefined;
  #isStale = true;

  /** `make` gives the value when somebody asks and something has changed since. */
  constructor(bell: Bell, make: () => T) {
    this.#bell = bell;
    this.#make = make;
  }

  /** What the value is made from has changed. */
  touch(): void {
    this.#isStale = true;
    this.#bell.mark(this as Cell<unknown>);
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  readonly getSnapshot = (): T => {
    if (this.#isStale) {
      this.#value = this.#make();
      this.#isStale = false;
    }
    return this.#value as T;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener(); // the same function may subscribe twice
    this.#listeners.add(own);
    this.onWatched?.();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.onUnwatched?.();
    };
  };

  /** For what is live only while somebody looks. */
  onWatched?: () => void;
  onUnwatched?: () => void;

  tell(): void {
    for (const listener of [...this.#listeners]) callSafely(listener);
  }
}

/** A listener's fault is not ours: the others are told all the same, and it comes out where faults come out. */
export function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
