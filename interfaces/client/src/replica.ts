/**
 * One document's copy at a client: what the server has said, and what it has not heard yet.
 *
 * The present text is the server's text at `revision` with a queue of own ops after it:
 *
 *     text = server text at revision  ·  queue[0]  ·  queue[1]
 *
 * The head of the queue may be *outstanding*: sent, not acknowledged. It then exists twice, pristine (as it was
 * sent, so that a resend is the same to the letter) and transformed to the present. What is typed meanwhile is
 * composed into one op behind it, the buffer.
 *
 * The server transforms our op, as `left`, over each edit committed before it. We do exactly the same with the
 * queue, op by op as the edits come in, so what comes back as our own edit is what we already have: the
 * acknowledgement changes no text.
 *
 * Nothing here does I/O or knows of time; `DocumentLink` decides when to send.
 */

import {
  asWire,
  compose,
  firstPiece,
  hasSameEffect,
  invert,
  type Op,
  placeAfter,
  simplified,
  transform,
  transformPosition,
} from "./algebra.ts";
import type { Frame } from "./requests.ts";
import { Text } from "./text.ts";
import type { Change, EditState } from "./types.ts";

/**
 * Edits kept to bring a late cursor up to date. Cursors are gathered for 50 ms before they are shown, in which a
 * busy document has some ten edits; an older cursor is shown where it was.
 */
const RECENT_EDITS = 64;

/** Refused edits that are remembered as such. */
const REFUSED_KEPT = 100;

/** An edit as it goes on the wire, again and again the same until it is acknowledged. */
export interface Sent {
  readonly seq: number;
  readonly base: number;
  readonly op: Op;
}

/** In code points of some text. */
export interface Cursor {
  readonly anchor: number;
  readonly head: number;
}

/** What an `edit` event was to us. */
export type Taken =
  | { readonly kind: "acked"; readonly revision: number; readonly through: number }
  | { readonly kind: "foreign"; readonly op: Op; readonly changes: readonly Change[] }
  /** We have this revision, or one before it is missing. */
  | { readonly kind: "had" | "gap" };

/** What is kept over a reload beside the server's text at `revision`: all that cannot be asked for again. */
export interface Kept {
  readonly revision: number;
  readonly seq: number;
  readonly queue: readonly Op[];
  readonly outstanding: Sent | null;
}

interface Unacked {
  op: Op;
  /** The last local edit that is part of it. */
  through: number;
}

export class Replica {
  readonly client: string;
  revision: number;
  /** Number of this client's last edit that is known to be stored. */
  seq: number;
  /** Numbers of the last local edit, and of the last one that is durable: what was typed, not what was sent. */
  local = 0;
  durable = 0;
  outstanding: Sent | null = null;
  cursor: Cursor | null = null;
  #text: Text;
  #queue: Unacked[] = [];
  #refused: [first: number, last: number][] = [];
  #cursors = new Map<string, { revision: number; cursor: Cursor }>();
  #recent: { client: string; op: Op }[] = [];

  constructor(client: string, text: string, revision: number, seq: number) {
    this.client = client;
    this.revision = revision;
    this.seq = seq;
    this.#text = new Text(text);
  }

  /** From the server's text at the revision of what was kept. Throws `OpInvalid` where it is another text. */
  static restored(client: string, text: string, kept: Kept): Replica {
    const replica = new Replica(client, text, kept.revision, kept.seq);
    for (const op of kept.queue)
      replica.#queue.push({ op: replica.#text.apply(op).op, through: ++replica.local });
    replica.outstanding = kept.outstanding;
    return replica;
  }

  kept(): Kept {
    const { revision, seq, unsaved, outstanding } = this;
    return { revision, seq, queue: unsaved, outstanding };
  }

  /** The server's text at `revision`: the present one without what it has not acknowledged. */
  serverText(): string {
    const text = this.#text.copy();
    for (const { op } of [...this.#queue].reverse()) text.apply(invert(op));
    return text.toString();
  }

  // What it is.

  get text(): string {
    return this.#text.toString();
  }

  /** The same in chunks: to be asked, not to be changed. */
  get present(): Text {
    return this.#text;
  }

  /** Whether everything typed here is durable. */
  get isSaved(): boolean {
    return this.#queue.length === 0;
  }

  /** The own ops that the server has not acknowledged; each is made on the text after the one before. */
  get unsaved(): Op[] {
    return this.#queue.map((unacked) => unacked.op);
  }

  /** How many local edits are on their way, and how many have not left. */
  get counts(): { sent: number; local: number } {
    if (this.isSaved) return { sent: 0, local: 0 };
    const sent = this.outstanding === null ? 0 : Math.max(1, this.#queue[0]!.through - this.durable);
    const all = Math.max(this.local - this.durable, this.#queue.length);
    return { sent, local: Math.max(0, all - sent) };
  }

  /** How far local edit number `edit` (what `edit` returned) has come. */
  stateOf(edit: number): EditState {
    if (this.#refused.some(([first, last]) => first <= edit && edit <= last)) return "refused";
    if (edit <= this.durable) return "durable";
    return this.outstanding !== null && edit <= this.#queue[0]!.through ? "sent" : "local";
  }

  // Typing.

  /** Apply an own op, made on the present text. Throws `OpInvalid`, with nothing changed. */
  edit(op: Op): { number: number; op: Op; changes: Change[] } {
    const applied = this.#text.apply(op);
    this.local += 1;
    this.#enqueue(applied.op);
    if (this.cursor !== null) {
      const place = placeAfter(applied.op);
      this.cursor = { anchor: place, head: place };
    }
    return { number: this.local, ...applied };
  }

  #enqueue(op: Op): void {
    const last = this.#queue.at(-1);
    if (last !== undefined && this.#queue.length > (this.outstanding === null ? 0 : 1)) {
      last.op = compose(last.op, op);
      last.through = this.local;
    } else {
      this.#queue.push({ op, through: this.local });
    }
    this.#dropEmpty();
  }

  // Sending.

  /** The edit to send: the outstanding one again, else the queue's next, outstanding from now on. */
  nextEdit(): Sent | null {
    if (this.outstanding === null && this.#queue.length > 0) {
      this.#splitHead();
      this.outstanding = { seq: this.seq + 1, base: this.revision, op: asWire(this.#queue[0]!.op) };
    }
    return this.outstanding;
  }

  /** Forget ops that do nothing (any more), such as a letter typed and deleted, unless one is sent. */
  #dropEmpty(): void {
    while (this.outstanding === null && this.#queue[0]?.op.length === 0) {
      this.durable = this.#queue.shift()!.through;
    }
  }

  /** Where text was deleted and the same stands there again, nothing was done. Only in what is not sent. */
  simplify(): void {
    const last = this.#queue.at(-1);
    if (last === undefined || this.#queue.length === (this.outstanding === null ? 0 : 1)) return;
    last.op = simplified(last.op);
    this.#dropEmpty();
  }

  /** Let the head be no more than one frame holds. */
  #splitHead(): void {
    const head = this.#queue[0]!;
    const [piece, rest] = firstPiece(head.op);
    if (rest.length > 0) {
      // With the piece alone no local edit is complete, but those before it are.
      this.#queue.unshift({ op: piece, through: this.durable });
      head.op = rest;
    }
  }

  /**
   * Let the outstanding edit start from the present revision, under the number it has: for an edit whose base
   * has become too old for the server. False if it starts there already.
   */
  rebaseOutstanding(): boolean {
    if (this.outstanding === null || this.outstanding.base === this.revision) return false;
    this.outstanding = { seq: this.outstanding.seq, base: this.revision, op: asWire(this.#queue[0]!.op) };
    return true;
  }

  /** Undo the outstanding edit, which the server refused; what was typed after it stays. */
  takeBack(): { refused: Op; changes: Change[] } {
    this.outstanding = null;
    const head = this.#queue.shift()!;
    let undo = invert(head.op);
    for (const unacked of this.#queue) {
      [unacked.op, undo] = [transform(unacked.op, undo, "left"), transform(undo, unacked.op, "right")];
    }
    const { changes } = this.#text.apply(undo);
    this.#moveOwnCursor(undo);
    this.#refused.push([this.durable + 1, head.through]);
    if (this.#refused.length > REFUSED_KEPT) this.#refused.shift();
    this.durable = head.through;
    this.#dropEmpty();
    return { refused: head.op, changes };
  }

  // Hearing.

  /** Take an `edit` event in, if it is the next one. */
  take(event: Frame): Taken {
    const revision: number = event.revision;
    if (revision !== this.revision + 1) return { kind: revision <= this.revision ? "had" : "gap" };
    this.revision = revision;
    const op: Op = event.op;
    this.#recent.push({ client: event.client, op });
    if (this.#recent.length > RECENT_EDITS) this.#recent.shift();
    this.#moveCursors(event.client, op);
    return event.client === this.client ? this.#takeOwn(event.seq, op) : this.#takeForeign(op);
  }

  #takeOwn(seq: number, op: Op): Taken {
    const { outstanding } = this;
    this.seq = Math.max(this.seq, seq);
    if (outstanding?.seq === seq && hasSameEffect(op, this.#queue[0]!.op)) {
      this.outstanding = null;
      this.durable = this.#queue.shift()!.through;
      this.#dropEmpty();
      return { kind: "acked", revision: this.revision, through: this.durable };
    }
    // An edit under our id that is not the one we wait for: from a life of this client that we do not remember.
    // Its text is foreign to us, and its number is gone: ours is sent under the next.
    const taken = this.#takeForeign(op);
    if (outstanding !== null && outstanding.seq <= seq) {
      this.outstanding = null;
      this.#dropEmpty();
    }
    return taken;
  }

  /** Let `op`, made on the server's text, come after the queue, and the queue after it. */
  #takeForeign(theirs: Op): Taken {
    let op = theirs;
    for (const unacked of this.#queue) {
      [unacked.op, op] = [transform(unacked.op, op, "left"), transform(op, unacked.op, "right")];
    }
    this.#dropEmpty();
    const { changes } = this.#text.apply(op);
    this.#moveOwnCursor(op);
    return { kind: "foreign", op, changes };
  }

  /**
   * The server's last edit of ours is number `seq`, now that all its edits are taken in. False if it has
   * forgotten one that was acknowledged: then it is not the server we knew.
   */
  numberStored(seq: number): boolean {
    if (this.outstanding === null) this.seq = Math.max(this.seq, seq);
    return seq >= this.seq;
  }

  /** Begin anew from the server's text. Only with nothing unsaved: it would be lost. */
  restart(text: string, revision: number, seq: number): void {
    if (!this.isSaved) throw new Error("a snapshot over unsaved edits loses them");
    this.#text = new Text(text);
    this.revision = revision;
    this.seq = seq;
    this.#recent = [];
    this.#cursors.clear();
    this.cursor = null;
  }

  // Cursors.

  #moveOwnCursor(op: Op): void {
    if (this.cursor !== null) this.cursor = moved(this.cursor, op);
  }

  /**
   * Somebody's cursor, told in the text of `revision`. One told in a text that we do not have yet waits for it:
   * cursors and edits come by different roads.
   */
  setForeignCursor(client: string, revision: number, cursor: Cursor): void {
    if (revision >= this.revision) {
      this.#cursors.set(client, { revision, cursor });
      return;
    }
    const missed = this.#recent.slice(-Math.min(this.revision - revision, this.#recent.length));
    const present = missed.reduce((at, edit) => after(at, client, edit.client, edit.op), cursor);
    this.#cursors.set(client, { revision: this.revision, cursor: present });
  }

  dropForeignCursor(client: string): boolean {
    return this.#cursors.delete(client);
  }

  #moveCursors(author: string, op: Op): void {
    for (const [client, { revision, cursor }] of this.#cursors) {
      if (revision < this.revision) {
        this.#cursors.set(client, { revision: this.revision, cursor: after(cursor, client, author, op) });
      }
    }
  }

  /** The others' cursors in the present text, by client. */
  get cursors(): Map<string, Cursor> {
    const present = new Map<string, Cursor>();
    const length = this.#text.points;
    for (const [client, told] of this.#cursors) {
      const { anchor, head } = this.#queue.reduce((cursor, { op }) => moved(cursor, op), told.cursor);
      // One told in a text that we do not have yet, or wrongly, may be past the end.
      present.set(client, { anchor: Math.min(anchor, length), head: Math.min(head, length) });
    }
    return present;
  }
}

/** After an edit of somebody else than the cursor's owner. */
function moved(cursor: Cursor, op: Op): Cursor {
  const anchor = transformPosition(cursor.anchor, op);
  return { anchor, head: cursor.head === cursor.anchor ? anchor : transformPosition(cursor.head, op) };
}

function after(cursor: Cursor, owner: string, author: string, op: Op): Cursor {
  if (owner !== author) return moved(cursor, op);
  const place = placeAfter(op);
  return { anchor: place, head: place };
}
