/**
 * What a client and the server say to each other about one document.
 *
 *     offline ──▶ opening ──▶ open ──▶ opening (an edit is missing, or the server has lost the thread) …
 *                   │  ▲
 *                   ▼  │  too far behind and something unsaved
 *               catching-up
 *
 * From each of them `stranded` can follow (the text cannot be brought together with the server's; a person must
 * look) or, when there is no text yet, `refused`. Without a socket it is `offline`, with text and queue as they
 * are.
 *
 * Everything is resent until the server's own word settles it; what is typed is in the replica's queue until its
 * event has come back. So no path through here can lose it, and since a number is never given to another content
 * while the first might still be stored, none can store it twice.
 */

import { type Op, placeAfter } from "./algebra.ts";
import { NotEditable } from "./errors.ts";
import type { KeptDocument } from "./keeping.ts";
import { Replica } from "./replica.ts";
import { Errand, type Frame, isNotNow, type Pacer, type Requests } from "./requests.ts";
import type { Change, TextChanged, UnsentText } from "./types.ts";

/** Edits of one page while catching up: the most that the server gives at once. */
const CATCH_UP_PAGE = 1_000;

/** A hand-drawn cursor moves 60 times a second; others see 20, and the server takes no more. */
const CURSOR_MS = 50;

const OTHER_EPOCH = "the server's history is another one than this text was written in";

/** This edit will never be taken, the ones after it may be. */
const NEVER = new Set(["E_DOC_SIZE", "E_OP_SIZE", "E_TEXT", "E_FORBIDDEN"]);
/** Our picture of the document is not the server's: open again and compare. */
const OPEN_AGAIN = new Set(["E_SEQ", "E_ID_REUSED", "E_NOT_JOINED"]);

export type Phase = "offline" | "opening" | "catching-up" | "open" | "stranded" | "refused";

/** What a link tells of itself. */
export interface LinkListener {
  /** Something of its state has changed. */
  onState(): void;
  onText(changed: TextChanged): void;
  onCursors(): void;
  onAcked(): void;
  /** Somebody else's edit, in code points, as it changed the present text. */
  onForeign(op: Op): void;
  /** What was typed goes out. */
  onSent(): void;
  onUnsent(unsent: UnsentText): void;
}

export interface LinkOptions {
  readonly document: string;
  readonly client: string;
  readonly requests: Requests;
  readonly pacer: Pacer;
  readonly create: boolean;
  /** From before a reload. */
  readonly kept: KeptDocument | null;
}

export class DocumentLink extends Errand {
  readonly document: string;
  phase: Phase = "offline";
  /** Why it is stranded or refused. */
  why = "";
  replica: Replica | null = null;
  /** The epoch of the log that the text is of. */
  epoch: string | null = null;
  listener: LinkListener | null = null;
  readonly #client: string;
  readonly #pacer: Pacer;
  #create: boolean;
  #keptEdits = 0;
  #isAfresh = false; // `open` asks for the text, whatever we have
  #newEpoch: string | null = null; // of the log that the server has now
  #isOtherEpoch = false; // our text is of another log
  #target = 0; // the revision to catch up to
  #inFlight: unknown = null; // the edit that an answer or its event is awaited for
  #doesCursorWait = false;
  #cursorAt = 0; // not before
  #cursorRef: number | null = null;
  #over: { user: string; revision: number; from: number; to: number }[] = []; // foreign edits since the last ack

  constructor(options: LinkOptions) {
    super(options.requests);
    this.document = options.document;
    this.#client = options.client;
    this.#pacer = options.pacer;
    this.#create = options.create;
    if (options.kept !== null) {
      this.replica = Replica.restored(options.client, options.kept.text, options.kept.replica);
      this.epoch = options.kept.epoch;
      this.#keptEdits = this.replica.local;
    }
  }

  // What the owner does.

  get isSaved(): boolean {
    return this.replica?.isSaved ?? true;
  }

  /** Whether something was typed here that is not durable, beside what was kept over a reload. */
  get hasNews(): boolean {
    return this.replica !== null && !this.isSaved && this.replica.local > this.#keptEdits;
  }

  get hasEnded(): boolean {
    return this.phase === "stranded" || this.phase === "refused";
  }

  /** The replica, to be edited. Throws `NotEditable`. */
  editable(): Replica {
    if (this.replica === null || this.hasEnded) throw new NotEditable(`${this.document} is ${this.phase}`);
    return this.replica;
  }

  /** Take an own edit in. Throws `NotEditable`, `OpInvalid`. */
  edit(op: Op, now: number): { number: number; op: Op; changes: Change[] } {
    const done = this.editable().edit(op);
    this.listener?.onState();
    this.pump(now);
    return done;
  }

  /** What was typed and taken back before it was sent leaves no trace. */
  simplify(): void {
    this.replica?.simplify();
    this.listener?.onState();
  }

  /** Show the own cursor, in the present text, to the others; null: as it is, it is told no more. */
  setCursor(cursor: { anchor: number; head: number } | null, now: number): void {
    const replica = this.editable();
    replica.cursor = cursor;
    this.#doesCursorWait = cursor !== null;
    this.pump(now);
  }

  /** Ask whether our text is the server's; `hash` is the SHA-256 of it at `revision`. */
  check(revision: number, hash: string): void {
    const frame = { type: "check", document: this.document, revision, hash };
    this.requests.ask(frame, (reply, now) => this.#onChecked(reply, now));
  }

  #onChecked(reply: Frame, now: number): void {
    // What is not known now is asked another time.
    if (reply.code !== "E_VERSION_OLD" || this.phase !== "open") return;
    if (this.isSaved) {
      this.#isAfresh = true;
      this.#sendOpen(now);
    } else {
      this.strand(reply.code, "the text is not the one that the server has");
    }
  }

  /** Forget the text and whatever is unsaved in it; the caller has it. Opened anew when we are online. */
  openAfresh(now: number, isOnline: boolean): void {
    this.rest();
    const before = this.replica?.text ?? "";
    this.replica = null;
    this.epoch = null;
    this.why = "";
    this.#isAfresh = false;
    this.#isOtherEpoch = false;
    this.#inFlight = null;
    this.#over = [];
    this.#tellLoaded(before, "");
    this.#setPhase("offline");
    if (isOnline) this.onOnline(now, null);
  }

  /** No more edits are wanted. What is unsaved stays where it is kept. */
  close(): void {
    const isOpen = this.phase === "opening" || this.phase === "open";
    this.rest();
    if (isOpen) this.requests.ask({ type: "close", document: this.document }, () => {});
  }

  // The connection.

  /** Welcomed: open the document, again. */
  onOnline(now: number, epoch: string | null): void {
    if (epoch !== null && this.epoch !== null && this.epoch !== epoch) this.#onOtherEpoch();
    if (epoch !== null) this.#newEpoch = epoch;
    if (this.phase !== "offline") return;
    this.attempts = 0;
    this.#sendOpen(now);
  }

  /** The socket is gone. What was sent may have been stored or not; the next `open` will tell. */
  onOffline(): void {
    this.rest();
    this.#cursorRef = null;
    if (!this.hasEnded) this.#setPhase("offline");
  }

  /** The server's log is another one: revisions of the old mean nothing in it. */
  #onOtherEpoch(): void {
    if (this.isSaved) this.#isOtherEpoch = this.replica !== null;
    else this.strand("E_EPOCH", OTHER_EPOCH);
  }

  /** Give up bringing our text together with the server's, and hand it to the owner, once. */
  strand(code: string, why: string): void {
    if (this.hasEnded || this.replica === null) return;
    this.rest();
    this.why = why;
    this.#setPhase("stranded");
    this.listener?.onUnsent(this.#unsentText(code, why, this.replica.unsaved));
  }

  #unsentText(code: string, why: string, ops: readonly Op[]): UnsentText {
    const inserted = ops.flat().filter((component) => typeof component === "string");
    return { document: this.document, code, why, inserted, text: this.replica?.text ?? "" };
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    this.listener?.onState();
  }

  // Opening.

  readonly #sendOpen = (now: number): void => {
    const frame: Frame = { type: "open", document: this.document };
    if (this.replica === null) {
      if (this.#create) frame.create = true;
    } else if (!this.#isAfresh && !this.#isOtherEpoch) {
      frame.revision = this.replica.revision;
    }
    this.#setPhase("opening");
    this.ask(frame, (reply, then) => this.#onOpened(reply, then), now, this.#sendOpen);
  };

  #onOpened(reply: Frame, now: number): void {
    this.rest();
    if (reply.type === "error") {
      this.#onOpenRefused(reply, now);
      return;
    }
    if ("text" in reply) {
      this.#onSnapshot(reply, now);
    } else {
      this.#takeAll(reply.edits);
      this.#onTold(reply.seq, now);
    }
    if (this.phase === "open") for (const move of reply.cursors) this.onMove(move);
  }

  #onSnapshot(reply: Frame, now: number): void {
    const { replica } = this;
    this.#isAfresh = false;
    if (replica === null) {
      this.replica = new Replica(this.#client, reply.text, reply.revision, reply.seq);
      this.#tellLoaded("", reply.text);
    } else if (replica.isSaved) {
      const before = replica.text;
      // All of it was acknowledged, and some of it may be lost with the old history: it is not thrown away.
      if (this.#isOtherEpoch && before !== reply.text)
        this.listener?.onUnsent(this.#unsentText("E_EPOCH", OTHER_EPOCH, []));
      replica.restart(reply.text, reply.revision, reply.seq);
      this.#tellLoaded(before, reply.text);
    } else if (this.#isOtherEpoch) {
      this.strand("E_EPOCH", OTHER_EPOCH);
      return;
    } else {
      // Something was typed while the text was on its way. It must not be lost under it.
      this.#catchUp(reply.revision, now);
      return;
    }
    this.#isOtherEpoch = false;
    this.#onTold(reply.seq, now);
  }

  #tellLoaded(before: string, text: string): void {
    if (before === text) return;
    const changes = [{ from: 0, to: before.length, insert: text }];
    this.listener?.onText({ changes, isOwn: false, user: null, client: null, cause: "loaded" });
  }

  /** We have every edit that the server had; `seq` is the last of ours among them. */
  #onTold(seq: number, now: number): void {
    const replica = this.replica!;
    if (!replica.numberStored(seq)) {
      this.strand("E_VERSION_AHEAD", "the server has lost edits that it acknowledged");
      return;
    }
    if (replica.isSaved) this.attempts = 0;
    this.epoch = this.#newEpoch;
    this.#create = false;
    this.#setPhase("open");
    this.#doesCursorWait = replica.cursor !== null;
    this.pump(now);
  }

  #onOpenRefused(reply: Frame, now: number): void {
    if (isNotNow(reply)) {
      this.retry(reply, now, this.#sendOpen);
    } else if (reply.code === "E_VERSION_OLD" && this.isSaved) {
      this.#isAfresh = true;
      this.#sendOpen(now);
    } else if (reply.code === "E_VERSION_OLD") {
      this.#catchUp(reply.revision, now);
    } else if (reply.code === "E_VERSION_AHEAD" || !this.isSaved) {
      this.strand(reply.code, reply.message);
    } else {
      this.why = reply.message;
      this.#setPhase("refused");
    }
  }

  /** Read every single edit up to revision `target`, so that ours are transformed over each. */
  #catchUp(target: number, now: number): void {
    this.#target = target;
    this.#setPhase("catching-up");
    this.#sendCatchUp(now);
  }

  readonly #sendCatchUp = (now: number): void => {
    const frame = {
      type: "catch_up",
      document: this.document,
      after: this.replica!.revision,
      limit: CATCH_UP_PAGE,
    };
    this.ask(frame, (reply, then) => this.#onPage(reply, then), now, this.#sendCatchUp);
  };

  #onPage(reply: Frame, now: number): void {
    this.rest();
    if (reply.type !== "error") {
      this.#takeAll(reply.edits);
      const isMore = reply.edits.length > 0 && this.replica!.revision < this.#target;
      (isMore ? this.#sendCatchUp : this.#sendOpen)(now);
    } else if (isNotNow(reply)) {
      this.retry(reply, now, this.#sendCatchUp);
    } else {
      this.strand(reply.code, reply.message);
    }
  }

  // Hearing.

  /** An `edit` event of this document. `pump` follows when its frame is through. */
  onEdit(event: Frame, now: number): void {
    if (this.replica === null || this.hasEnded) return;
    if (this.#take(this.replica, event) === "gap" && this.phase === "open") this.#sendOpen(now);
  }

  #takeAll(edits: readonly Frame[]): void {
    for (const event of edits) this.#take(this.replica!, event);
  }

  #take(replica: Replica, event: Frame): "acked" | "foreign" | "had" | "gap" {
    const wasUnsaved = !replica.isSaved;
    const taken = replica.take(event);
    if (taken.kind === "foreign") {
      if (wasUnsaved) this.#rememberOver(event, taken.op);
      this.listener?.onForeign(taken.op);
      this.listener?.onText({
        changes: taken.changes,
        isOwn: false,
        user: event.actor,
        client: event.client,
        cause: event.cause ?? "typed",
      });
      this.listener?.onState();
      this.listener?.onCursors();
    } else if (taken.kind === "acked") {
      this.#tellOver(event);
      this.listener?.onAcked();
      this.listener?.onState();
    }
    return taken.kind;
  }

  /** A foreign edit that came while something of ours was on its way. */
  #rememberOver(event: Frame, op: Op): void {
    const place = placeAfter(op);
    const first = typeof op[0] === "number" ? op[0] : 0;
    this.#over.push({ user: event.actor, revision: event.revision, from: first, to: place });
  }

  /** Our edit came back: say over whose edits at the same place it was transformed. */
  #tellOver(event: Frame): void {
    const op: Op = event.op;
    const from = typeof op[0] === "number" ? op[0] : 0;
    const to = placeAfter(op);
    const over = this.#over.filter(
      (edit) => edit.from <= to && from <= edit.to && edit.revision > event.base,
    );
    this.#over = [];
    if (over.length > 0) {
      const { client, actor: user } = event;
      const told = over.map((edit) => ({ user: edit.user, revision: edit.revision }));
      this.listener?.onText({ changes: [], isOwn: true, user, client, cause: "typed", over: told });
    }
  }

  /** Somebody's cursor moved. */
  onMove(move: Frame): void {
    if (this.replica === null || move.client === this.#client) return;
    if (move.anchor === null) this.replica.dropForeignCursor(move.client);
    else this.replica.setForeignCursor(move.client, move.revision, { anchor: move.anchor, head: move.head });
    this.listener?.onCursors();
  }

  onLeft(client: string): void {
    if (this.replica?.dropForeignCursor(client)) this.listener?.onCursors();
  }

  // Sending.

  /** Send what can be sent: called after everything that may have changed that. */
  pump(now: number): void {
    if (this.phase !== "open") return;
    if (this.#inFlight !== this.replica!.outstanding) {
      // It was acknowledged, or its number went to another edit.
      this.#inFlight = null;
      this.attempts = 0;
      this.rest();
    }
    if (this.due === null) this.#sendEdit(now);
  }

  readonly #sendEdit = (now: number): void => {
    const replica = this.replica!;
    if (replica.isSaved) {
      this.#sendCursor(replica, now);
      return;
    }
    if (this.#pacer.freeAt() > now) {
      this.wait(this.#pacer.freeAt(), this.#sendEdit);
      return;
    }
    const edit = replica.nextEdit()!;
    if (this.#inFlight !== edit) this.listener?.onSent();
    this.#inFlight = edit;
    this.#pacer.pay(now);
    this.listener?.onState();
    const frame = { type: "edit", document: this.document, seq: edit.seq, base: edit.base, op: edit.op };
    this.ask(frame, (reply, then) => this.#onEditAnswered(reply, then), now, this.#sendEdit);
  };

  /** The answer to an edit that is not simply its event. */
  #onEditAnswered(reply: Frame, now: number): void {
    if (this.isOvertaken(reply, now)) return;
    this.rest();
    const replica = this.replica!;
    if (reply.type === "ok" || OPEN_AGAIN.has(reply.code)) {
      // Stored already, or under that number something else is: whichever, the log will show it.
      this.retry(reply, now, this.#sendOpen);
    } else if (isNotNow(reply)) {
      this.retry(reply, now, this.#sendEdit);
    } else if (reply.code === "E_VERSION_OLD") {
      if (replica.rebaseOutstanding()) this.#sendEdit(now);
      else this.retry(reply, now, this.#sendOpen);
    } else if (NEVER.has(reply.code)) {
      this.#takeBack(replica, reply, now);
    } else {
      this.strand(reply.code, reply.message);
    }
  }

  #takeBack(replica: Replica, reply: Frame, now: number): void {
    const before = replica.text;
    const { refused, changes } = replica.takeBack();
    const inserted = refused.filter((component) => typeof component === "string");
    const unsent = { document: this.document, code: reply.code, why: reply.message, inserted, text: before };
    this.listener?.onText({ changes, isOwn: false, user: null, client: null, cause: "refused" });
    this.listener?.onUnsent(unsent);
    this.listener?.onState();
    this.pump(now);
  }

  /**
   * Only with nothing unsaved: the server knows no text in which the cursor would stand otherwise. Until then
   * others see it behind our edits, where it mostly is.
   */
  #sendCursor(replica: Replica, now: number): void {
    if (!this.#doesCursorWait || now < this.#cursorAt || replica.cursor === null) return;
    this.#doesCursorWait = false;
    this.#cursorAt = now + CURSOR_MS;
    const { anchor, head } = replica.cursor;
    const frame = { type: "cursor", document: this.document, revision: replica.revision, anchor, head };
    this.requests.forget(this.#cursorRef); // its answer is a presence frame, which names no request
    this.#cursorRef = this.requests.ask(frame, (reply, then) => this.#onCursorRefused(reply, then));
  }

  #onCursorRefused(reply: Frame, now: number): void {
    this.#cursorRef = null;
    if (reply.type === "error" && isNotNow(reply)) {
      this.#doesCursorWait = true;
      this.#cursorAt = now + Math.max(CURSOR_MS, (reply.retry_after ?? 0) * 1_000);
    }
  }

  // Time.

  override onTime(now: number): void {
    super.onTime(now);
    this.pump(now);
  }

  /** When `onTime` is to be called, null if nothing waits for time. */
  nextTime(): number | null {
    return this.due === null && this.#doesCursorWait && this.phase === "open" && this.isSaved
      ? this.#cursorAt
      : this.due;
  }
}
