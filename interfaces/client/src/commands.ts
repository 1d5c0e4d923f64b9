/**
 * What a user wants to have in the log beside edits: messages and what becomes of them, saves, runs, undo.
 *
 * Each is sent until the server has answered it, over any number of sockets: a message and a run have ids that
 * are made here, and an undo says what was seen before it, so that a resend meets itself, and everything else
 * changes nothing when it is so already. One is under way at a time: if the first of two were refused for the
 * moment and the second taken, a person's words would come out in the wrong order, and an edit before the
 * message that it edits.
 */

import { Refused } from "./errors.ts";
import { Errand, type Frame, isNotNow, Pacer, type Requests } from "./requests.ts";

/**
 * Copies of a command that is done may still be on their way to the log when that is slow. Until they are
 * answered the next command waits, or one might undo it; but no longer than a server that is well takes.
 */
const LATE_MS = 15_000;

/** What comes of it: by the event's name, what the request has to be, and the fields that both have. */
const EFFECTS: Readonly<Record<string, readonly [Frame, readonly string[]]>> = {
  message: [{ type: "post" }, ["message"]],
  message_edited: [{ type: "edit_message" }, ["message", "text"]],
  message_deleted: [{ type: "delete_message" }, ["message"]],
  message_pinned: [{ type: "pin_message", pinned: true }, ["message"]],
  message_unpinned: [{ type: "pin_message", pinned: false }, ["message"]],
  reaction_added: [{ type: "react", reacted: true }, ["message", "emoji"]],
  reaction_removed: [{ type: "react", reacted: false }, ["message", "emoji"]],
  revision_saved: [{ type: "save_revision" }, ["document", "revision", "name"]],
  run_started: [{ type: "start_run" }, ["run"]],
  run_finished: [{ type: "finish_run" }, ["run"]],
};

/** Why what was asked for in another history is not asked for in this one. */
const OTHER_EPOCH = "the server's history is another one than this was asked for in";

interface Waiting {
  readonly request: Frame;
  readonly resolve: (revision: number | null) => void;
  readonly reject: (error: Error) => void;
}

export class Commands extends Errand {
  readonly pacer = new Pacer();
  /** Told whenever one is added, sent, done or refused. */
  onChange: (() => void) | null = null;
  #waiting: Waiting[] = [];
  #isOnline = false;
  #isSent = false; // a copy of the oldest has gone out, over whatever socket
  #newest = 0; // the `ref` of its last copy
  readonly #late = new Set<number>(); // of copies of what is done, which are not answered yet
  readonly #client: () => string;

  constructor(requests: Requests, client: () => string) {
    super(requests);
    this.#client = client;
  }

  /** Oldest first; the first one may be under way. */
  get waiting(): readonly Frame[] {
    return this.#waiting.map(({ request }) => request);
  }

  get isFirstSent(): boolean {
    return this.#isSent;
  }

  /** Have it done after those that wait. Rejects with `Refused`. */
  add(request: Frame, now: number): Promise<number | null> {
    const done = new Promise<number | null>((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
    });
    done.catch(() => {}); // whoever does not look is not told twice
    this.onChange?.();
    this.#pump(now);
    return done;
  }

  onOnline(now: number): void {
    this.#isOnline = true;
    this.#pump(now);
  }

  onOffline(): void {
    this.#isOnline = false;
    this.refs = [];
    this.#late.clear();
    this.rest();
  }

  /**
   * The server's log is another one: what names a revision would be done to another text. Offline, since we hear
   * of it with the welcome.
   */
  onOtherEpoch(): void {
    const bound = this.#waiting.filter(({ request }) => namesRevision(request));
    if (bound.length === 0) return;
    if (bound[0] === this.#waiting[0]) {
      this.#isSent = false;
      this.attempts = 0;
    }
    this.#waiting = this.#waiting.filter((waiting) => !bound.includes(waiting));
    for (const { reject } of bound) reject(new Refused("E_EPOCH", OTHER_EPOCH, {}));
    this.onChange?.();
  }

  /** The room was left: nothing will be answered any more. */
  abandon(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }

  /** Wait for no time. The answer to any copy counts, whatever was said to the others. */
  protected override rest(): void {
    this.due = null;
    this.next = null;
  }

  /**
   * Something has happened in the room: perhaps what was asked for. Its answer may be lost, and asked for once
   * more it might undo what has become of it since.
   */
  onEvent(event: Frame, user: string, now: number): void {
    const oldest = this.#waiting[0];
    if (oldest === undefined || !this.#isSent) return;
    const isOurs = "client" in event ? event.client === this.#client() : event.actor === user;
    if (isOurs && isEffect(event, oldest.request)) this.#onDone(now, null);
  }

  #onDone(now: number, revision: number | null): void {
    this.#takeOldest().resolve(revision);
    this.onChange?.();
    this.#pump(now);
  }

  #takeOldest(): Waiting {
    const oldest = this.#waiting.shift()!;
    if (oldest.request.type === "post") {
      // One of them is answered by the event alone, and none does any harm.
      for (const ref of this.refs) this.requests.forget(ref);
    } else {
      for (const ref of this.refs) this.#late.add(ref);
    }
    this.refs = [];
    this.rest();
    this.attempts = 0;
    this.#isSent = false;
    return oldest;
  }

  readonly #pump = (now: number): void => {
    if (!this.#isOnline || this.due !== null || this.#waiting.length === 0) return;
    if (this.#late.size > 0) this.wait(now + LATE_MS, this.#giveUpLate);
    else this.#send(now);
  };

  readonly #giveUpLate = (now: number): void => {
    for (const ref of this.#late) this.requests.forget(ref);
    this.#late.clear();
    this.#pump(now);
  };

  readonly #send = (now: number): void => {
    if (this.pacer.freeAt() > now) {
      this.wait(this.pacer.freeAt(), this.#send);
      return;
    }
    this.pacer.pay(now);
    this.#isSent = true;
    this.ask(this.#waiting[0]!.request, (reply, then) => this.#onAnswered(reply, then), now, this.#send);
    this.#newest = this.refs.at(-1)!;
    this.onChange?.();
  };

  /** The answer to a copy of the oldest, or to one of what is done. */
  #onAnswered(reply: Frame, now: number): void {
    const ref: number = reply.ref;
    if (this.#late.has(ref)) {
      this.#onLateAnswer(ref, now);
      return;
    }
    this.refs = this.refs.filter((other) => other !== ref);
    if (reply.type === "ok") {
      this.#onDone(now, reply.revision ?? null);
    } else if ((isNotNow(reply) || reply.code === "E_FORBIDDEN") && ref !== this.#newest) {
      // The last copy may find the server at leisure, or have a right again.
    } else if (isNotNow(reply)) {
      this.retry(reply, now, this.#send);
    } else {
      this.#onRefused(reply, now);
    }
  }

  #onLateAnswer(ref: number, now: number): void {
    this.#late.delete(ref);
    if (this.#late.size === 0 && this.next === this.#giveUpLate) {
      this.rest();
      this.#pump(now);
    }
  }

  #onRefused(reply: Frame, now: number): void {
    const refusals = this.attempts;
    const { code, message, type: _, ref: __, ...facts } = reply;
    this.#takeOldest().reject(new Refused(code, message, facts));
    this.onChange?.();
    // Whose role was lowered while they were away may have much to say that is all refused.
    this.attempts = refusals;
    this.retry(reply, now, this.#pump);
  }
}

function namesRevision(request: Frame): boolean {
  return "revision" in request || (request.link ?? null) !== null;
}

/** Whether `event` is what `request` was to bring about. */
function isEffect(event: Frame, request: Frame): boolean {
  const effect = EFFECTS[event.event];
  if (effect === undefined) return false;
  const [wanted, fields] = effect;
  return (
    Object.entries(wanted).every(([name, value]) => request[name] === value) &&
    fields.every((name) => (request[name] ?? null) === event[name])
  );
}
