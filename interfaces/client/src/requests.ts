/**
 * Asking the server: requests by `ref`, their answers, and when to ask again.
 *
 * An errand is one conversation of which at most one request is under way: the edits of a document, the
 * commands of a client. It always knows what it waits for: an answer by a certain time, or just the time.
 * Times in here are milliseconds.
 */

// biome-ignore lint/suspicious/noExplicitAny: a frame's fields are checked where it is taken apart
export type Frame = Record<string, any>;
export type OnReply = (reply: Frame, now: number) => void;

/** Without an answer for this long a request is sent again on the same socket. Every request may be. */
export const RESEND_MS = 5_000;

/**
 * For each copy that is not answered the next one waits twice as long, so often: up to 40 s. The server answers
 * every copy, and over a slow line what is new would wait behind them.
 */
const RESEND_DOUBLINGS = 3;

/** After "not now" the wait is at least this, doubling while the answer stays the same... */
export const RETRY_FIRST_MS = 100;

/** ...up to this: the server counts refusals and cuts a client off that collects twenty in a minute. */
export const RETRY_MOST_MS = 5_000;

const NOT_NOW = new Set(["E_RATE", "E_BUSY", "E_STORE"]);

/** Refusals for how things stand, not for what was asked: a copy that comes later may find them otherwise. */
const OF_THE_MOMENT = new Set(["E_FORBIDDEN", "E_DOC_SIZE"]);

/** The server is busy or asks for patience: the same request can succeed later. */
export function isNotNow(reply: Frame): boolean {
  return NOT_NOW.has(reply.code) || "retry_after" in reply;
}

/** What goes to the server, and who waits for the answer. One per session; empty without a socket. */
export class Requests {
  frames: Frame[] = [];
  readonly #waiting = new Map<number, OnReply>();
  #lastRef = 0; // goes on over reconnects, so that no late answer is taken for another

  ask(frame: Frame, onReply: OnReply): number {
    const ref = ++this.#lastRef;
    this.#waiting.set(ref, onReply);
    this.frames.push({ ...frame, ref });
    return ref;
  }

  forget(ref: number | null): void {
    if (ref !== null) this.#waiting.delete(ref);
  }

  /** Hand an answer to who asked. One that nobody waits for has been overtaken by an event. */
  onReply(frame: Frame, now: number): void {
    const onReply = this.#waiting.get(frame.ref);
    this.#waiting.delete(frame.ref);
    onReply?.(frame, now);
  }

  /** The socket is gone: nothing will be answered, nothing can be sent. */
  clear(): void {
    this.frames = [];
    this.#waiting.clear();
  }
}

export abstract class Errand {
  due: number | null = null;
  protected readonly requests: Requests;
  protected refs: number[] = []; // of the request under way, and of its earlier copies
  protected attempts = 0;
  protected next: ((now: number) => void) | null = null;
  #copies = 0; // that were not answered before the one that is sent

  constructor(requests: Requests) {
    this.requests = requests;
  }

  onTime(now: number): void {
    if (this.next === null || this.due === null || now < this.due) return;
    const next = this.next;
    const earlier = this.refs;
    this.refs = [];
    this.rest();
    this.#copies = earlier.length;
    next(now);
    this.#copies = 0;
    // On a slow line the answer to the first copy comes after the second has gone. It is as good.
    this.refs = [...earlier, ...this.refs];
  }

  /** Send a request in place of the one under way; `again` is called if it stays unanswered. */
  protected ask(frame: Frame, onReply: OnReply, now: number, again: (now: number) => void): void {
    this.rest();
    this.refs.push(this.requests.ask(frame, onReply));
    this.wait(now + RESEND_MS * 2 ** Math.min(this.#copies, RESEND_DOUBLINGS), again);
  }

  protected wait(until: number, next: (now: number) => void): void {
    this.due = until;
    this.next = next;
  }

  /** Do `again` when the server has had some time, or as much as it asked for. */
  protected retry(reply: Frame, now: number, again: (now: number) => void): void {
    const pause = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(this.attempts, 16));
    this.attempts += 1;
    this.wait(now + Math.max(pause, (reply.retry_after ?? 0) * 1_000), again);
  }

  /**
   * Whether this refuses an earlier copy for a right or for room that the last one may have again: then that one's
   * answer is waited for.
   */
  protected isOvertaken(reply: Frame, now: number): boolean {
    if (!OF_THE_MOMENT.has(reply.code) || reply.ref === this.refs.at(-1)) return false;
    this.due = now + RESEND_MS;
    return true;
  }

  /** Wait for nothing. */
  protected rest(): void {
    for (const ref of this.refs) this.requests.forget(ref);
    this.refs = [];
    this.due = null;
    this.next = null;
  }
}

/**
 * Keeps to so many requests per second as the server takes, so that it need not refuse any: a bucket that holds
 * one second's worth.
 */
export class Pacer {
  #interval = 0; // no limit known
  #paidUntil = 0;

  setRate(perSecond: number | null | undefined): void {
    this.#interval = perSecond ? 1_000 / perSecond : 0;
  }

  freeAt(): number {
    return this.#paidUntil - 1_000 + this.#interval;
  }

  pay(now: number): void {
    this.#paidUntil = Math.max(this.#paidUntil, now) + this.#interval;
  }
}
