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
  #told: T | undefined;
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
      const made = this.#make();
      // The same again stays what it is, so that whoever compares need not look into it.
      if (this.#value === undefined || !isSame(made, this.#value, DEPTH)) this.#value = made;
      this.#isStale = false;
    }
    return this.#value as T;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener(); // the same function may subscribe twice
    if (this.#listeners.size === 0) this.#told = this.getSnapshot();
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

  /** Tell the listeners, if it is something else than they were told last. */
  tell(): void {
    if (this.#listeners.size === 0) return;
    const value = this.getSnapshot();
    if (value === this.#told) return;
    this.#told = value;
    for (const listener of [...this.#listeners]) callSafely(listener);
  }
}

/** A snapshot is an object or a list of small objects; what lies deeper is compared by what it is. */
const DEPTH = 2;

/** Whether both are alike down to `depth` levels of plain objects and lists. */
export function isSame(one: unknown, other: unknown, depth: number): boolean {
  if (Object.is(one, other)) return true;
  if (depth === 0 || !isPlain(one) || !isPlain(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length || Array.isArray(one) !== Array.isArray(other)) return false;
  return keys.every((key) => key in other && isSame(one[key], other[key], depth - 1));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
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
