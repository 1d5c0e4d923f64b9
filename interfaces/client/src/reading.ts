/** How far this user has got and read the chat, and telling the server of it. Pointers never go back. */

import { Errand, type Frame, isNotNow, type Requests } from "./requests.ts";
import type { Pointers } from "./types.ts";

/** Whoever reads a message does so in the moment it is shown, and both are told in one frame then. */
const GATHER_MS = 100;

/** While messages come: the server gathers half a second's receipts, and nobody sees them by the second. */
const RECEIPT_MS = 1_000;

export const NOTHING_READ: Pointers = Object.freeze({ delivered: 0, read: 0 });

/** Of two, how far they have come together. What was read was delivered. */
export function joined(one: Pointers, other: Pointers): Pointers {
  const read = Math.max(one.read, other.read);
  return { delivered: Math.max(one.delivered, other.delivered, read), read };
}

export class Reading extends Errand {
  /** How far we have come, here or at another place. */
  pointers = NOTHING_READ;
  #told = NOTHING_READ; // what the server is known to have
  #underWay = NOTHING_READ;
  #freeAt = 0;
  #isOnline = false;

  constructor(requests: Requests) {
    super(requests);
    this.beginAnew();
  }

  /** The server's log is another one: positions of the old mean nothing in it. */
  beginAnew(): void {
    this.pointers = NOTHING_READ;
    this.#told = NOTHING_READ;
  }

  /** The server has these of us. */
  onTold(pointers: Pointers): void {
    this.#told = joined(this.#told, pointers);
    this.pointers = joined(this.pointers, pointers);
  }

  comeTo(pointers: Pointers, now: number): void {
    this.pointers = joined(this.pointers, pointers);
    this.#pump(now);
  }

  onOnline(now: number): void {
    this.#isOnline = true;
    this.#pump(now);
  }

  onOffline(): void {
    this.#isOnline = false;
    this.rest();
  }

  get #isTold(): boolean {
    return this.pointers.read <= this.#told.read && this.pointers.delivered <= this.#told.delivered;
  }

  #pump(now: number): void {
    if (this.#isOnline && this.due === null && !this.#isTold) {
      this.wait(Math.max(now + GATHER_MS, this.#freeAt), this.#send);
    }
  }

  readonly #send = (now: number): void => {
    if (this.#isTold) return; // another place of ours has told
    this.#underWay = this.pointers;
    this.#freeAt = now + RECEIPT_MS;
    this.#sendAgain(now);
  };

  /** The same, whatever was read since: an answer may be that to an earlier copy. */
  readonly #sendAgain = (now: number): void => {
    const frame: Frame = { type: "receipt", ...this.#underWay };
    this.ask(frame, (reply, then) => this.#onAnswered(reply, then), now, this.#sendAgain);
  };

  #onAnswered(reply: Frame, now: number): void {
    if (this.isOvertaken(reply, now)) return;
    this.rest();
    if (reply.type === "error" && isNotNow(reply)) {
      this.retry(reply, now, this.#send);
      return;
    }
    this.attempts = 0;
    this.#told = joined(this.#told, this.#underWay); // what is refused for good is not said again either
    this.#pump(now);
  }
}
