/** What was typed and never sent, step by step, so that it can be taken back without asking anybody. */

import { compose, invert, type Op, transform } from "./algebra.ts";

/** What was typed without a pause of this long is one step, as at the server. */
const STEP_MS = 1_000;

interface Step {
  /** What takes it back, made on the text after it. */
  undo: Op;
  at: number;
}

export class LocalSteps {
  #done: Step[] = [];
  #undone: Step[] = [];

  /** `op` was typed. */
  add(op: Op, now: number): void {
    const last = this.#done.at(-1);
    if (last !== undefined && now - last.at < STEP_MS) {
      last.undo = compose(invert(op), last.undo);
      last.at = now;
    } else {
      this.#done.push({ undo: invert(op), at: now });
    }
    this.#undone = [];
  }

  /** Take the last step: the op that takes it back, or does it again; null for none. `applied` follows. */
  take(type: "undo" | "redo"): Op | null {
    return (type === "undo" ? this.#done : this.#undone).pop()?.undo ?? null;
  }

  /** What was taken is done, as this op. */
  applied(type: "undo" | "redo", op: Op): void {
    // Long ago: what is typed next is a step of its own.
    const step = { undo: invert(op), at: Number.NEGATIVE_INFINITY };
    (type === "undo" ? this.#undone : this.#done).push(step);
  }

  /** Steps are made on the text as it was after them; a foreign edit goes under all of them, the newest first. */
  move(foreign: Op): void {
    let theirs = foreign;
    for (const step of [...this.#done].reverse()) {
      [step.undo, theirs] = [transform(step.undo, theirs, "left"), transform(theirs, step.undo, "right")];
    }
    this.#undone = [];
  }

  /** All of it has left, or is not there any more: from now on it is the server's to take back. */
  clear(): void {
    this.#done = [];
    this.#undone = [];
  }
}
