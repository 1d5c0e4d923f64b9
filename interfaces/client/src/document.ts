/** One document of a room, as a program sees it: in UTF-16 units, with stores and promises. */

import { asText, normalise } from "./algebra.ts";
import { type Bell, Cell, callSafely } from "./cell.ts";
import type { DocumentLink, LinkListener } from "./document-link.ts";
import { NotEditable, NotSaved } from "./errors.ts";
import { LocalSteps } from "./local-steps.ts";
import type { Presence } from "./presence.ts";
import type {
  Change,
  DocumentHandle,
  DocumentSnapshot,
  EditState,
  RemoteCursor,
  Selection,
  TextChanged,
  TextLink,
  UnsentText,
} from "./types.ts";
import { within } from "./within.ts";

/** What a document asks of its room. */
export interface DocumentOwner {
  readonly bell: Bell;
  readonly presence: Presence;
  readonly isOnline: boolean;
  readonly user: string;
  readonly client: string;
  now(): number;
  /** The clock that people see. */
  timeOfDay(): number;
  settle(): void;
  command(request: Record<string, unknown>): Promise<number | null>;
  typing(document: string, isTyping: boolean): void;
  /** Something of the document is to be kept. */
  touch(document: string): void;
  onUnsent(unsent: UnsentText): void;
  openAfresh(document: string): void;
  closeDocument(document: string): void;
}

export class OpenDocument implements DocumentHandle {
  readonly document: string;
  readonly cursors: Cell<readonly RemoteCursor[]>;
  readonly #owner: DocumentOwner;
  readonly #snapshot: Cell<DocumentSnapshot>;
  readonly #textListeners = new Set<(changed: TextChanged) => void>();
  readonly #unsentListeners = new Set<(unsent: UnsentText) => void>();
  #link: DocumentLink | null = null;
  #savedAt: number | null = null;
  #isClosed = false;
  readonly #steps = new LocalSteps();
  #onceChanged: (() => void)[] = [];
  #waiters: { through: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(document: string, owner: DocumentOwner) {
    this.document = document;
    this.#owner = owner;
    this.#snapshot = new Cell(owner.bell, () => this.#describe());
    this.cursors = new Cell(owner.bell, () => this.#findCursors());
  }

  get getSnapshot(): () => DocumentSnapshot {
    return this.#snapshot.getSnapshot;
  }

  get subscribe(): (listener: () => void) => () => void {
    return this.#snapshot.subscribe;
  }

  /** The room has found out who we are and what is kept. */
  attach(link: DocumentLink): void {
    const before = this.text;
    this.#link = link;
    link.listener = this.#ear;
    const { text } = this;
    if (text !== before) {
      const changes = [{ from: 0, to: before.length, insert: text }];
      this.#onText({ changes, isOwn: false, user: null, client: null, cause: "loaded" });
    }
    this.#onState();
    this.cursors.touch();
  }

  // What it is.

  get text(): string {
    return this.#link?.replica?.text ?? "";
  }

  #describe(): DocumentSnapshot {
    const link = this.#link;
    const replica = link?.replica ?? null;
    const counts = replica?.counts ?? { sent: 0, local: 0 };
    return Object.freeze({
      status: this.#status(link),
      why: link?.why ?? "",
      revision: replica?.revision ?? 0,
      length: replica?.present.length ?? 0,
      ...counts,
      savedAt: this.#savedAt,
    });
  }

  #status(link: DocumentLink | null): DocumentSnapshot["status"] {
    if (this.#isClosed) return "closed";
    if (link === null) return "opening";
    if (link.phase === "stranded" || link.phase === "refused" || link.phase === "open") return link.phase;
    if (link.replica === null) return "opening";
    return link.phase === "offline" ? "offline" : "open"; // there is text, and it is on its way to the present
  }

  #findCursors(): readonly RemoteCursor[] {
    const replica = this.#link?.replica;
    if (!replica) return [];
    const text = replica.present;
    const found: RemoteCursor[] = [];
    for (const [client, { anchor, head }] of replica.cursors) {
      const who = this.#owner.presence.ownerOf(client);
      if (who === null) continue;
      const { name, colour } = this.#owner.presence.looksOf(who.user);
      const anchorUnits = text.toUnits(anchor);
      const headUnits = head === anchor ? anchorUnits : text.toUnits(head);
      found.push({
        client,
        user: who.user,
        name,
        colour,
        at: who.active,
        anchor: anchorUnits,
        head: headUnits,
      });
    }
    return found;
  }

  // Editing.

  edit(changes: readonly Change[]): number {
    const link = this.#editable();
    const replica = link.editable();
    const clean = changes.map((change) => ({ ...change, insert: asText(change.insert) }));
    const op = normalise(replica.present.opOf(clean));
    // What is no text, or half of a character, is not what the editor shows afterwards.
    const isCorrected =
      clean.some((change, index) => change.insert !== changes[index]!.insert) ||
      changes.some(({ from, to }) => replica.present.isWithinPair(from) || replica.present.isWithinPair(to));
    if (op.length === 0 && !isCorrected) return replica.local;
    const seenLength = replica.present.length + growth(changes);
    const now = this.#owner.now();
    const done = link.edit(op, now);
    if (replica.stateOf(done.number) !== "sent") this.#steps.add(done.op, now); // else it is the server's to undo
    this.#owner.touch(this.document);
    const { user, client } = this.#owner;
    this.#onText({ changes, isOwn: true, user, client, cause: "typed" });
    if (isCorrected) {
      const whole = [{ from: 0, to: seenLength, insert: this.text }];
      this.#onText({ changes: whole, isOwn: false, user: null, client: null, cause: "loaded" });
    }
    this.cursors.touch();
    this.#owner.settle();
    return done.number;
  }

  #editable(): DocumentLink {
    if (this.#isClosed) throw new NotEditable(`${this.document} is closed`);
    if (this.#link === null) throw new NotEditable(`${this.document} is not open yet`);
    return this.#link;
  }

  stateOf(edit: number): EditState {
    return this.#editable().editable().stateOf(edit);
  }

  async saved(seconds?: number): Promise<void> {
    const link = this.#editable();
    const replica = link.editable();
    if (replica.isSaved) return;
    const saved = new Promise<void>((resolve, reject) =>
      this.#waiters.push({ through: replica.local, resolve, reject }),
    );
    await bounded(seconds, `saving ${this.document}`, saved);
  }

  async saveRevision(name?: string): Promise<void> {
    await this.saved();
    const { revision } = this.#editable().editable();
    const request = { type: "save_revision", document: this.document, revision };
    await this.#owner.command(name === undefined ? request : { ...request, name });
  }

  // Taking back.

  undo(seconds?: number): Promise<number | null> {
    return bounded(seconds, "undo", this.#takeBack("undo"));
  }

  redo(seconds?: number): Promise<number | null> {
    return bounded(seconds, "redo", this.#takeBack("redo"));
  }

  /**
   * What was never sent is taken back here, without a trace; what was sent by the server, which knows what this
   * user has done, from any device and however long ago. With a connection a part of the last step may have left
   * already, and the server takes all of it back at once.
   */
  async #takeBack(type: "undo" | "redo"): Promise<number | null> {
    const link = this.#editable();
    link.editable();
    const step = type === "undo" && this.#owner.isOnline ? null : this.#steps.take(type);
    if (step !== null) {
      const { number, op, changes } = link.edit(step, this.#owner.now());
      if (link.editable().stateOf(number) !== "sent") this.#steps.applied(type, op);
      link.simplify();
      this.#onText({ changes, isOwn: false, user: null, client: null, cause: type });
      this.#owner.settle();
      return link.editable().revision;
    }
    await this.#upToDate();
    const { revision } = this.#editable().editable();
    return this.#owner.command({ type, document: this.document, revision });
  }

  /** The server knows all of ours, and we all of its: what else may have been taken back elsewhere meanwhile? */
  async #upToDate(): Promise<void> {
    for (;;) {
      const link = this.#editable();
      if (link.editable().isSaved && link.phase === "open") return;
      await new Promise<void>((resolve) => this.#onceChanged.push(resolve));
    }
  }

  // Cursors and places.

  setCursor(selection: Selection | null): void {
    const link = this.#link;
    if (!link?.replica || link.hasEnded || this.#isClosed) return;
    const text = link.replica.present;
    const cursor = selection && {
      anchor: text.toPoints(selection.anchor),
      head: text.toPoints(selection.head),
    };
    link.setCursor(cursor, this.#owner.now());
    this.#owner.settle();
  }

  setTyping(isTyping: boolean): void {
    this.#owner.typing(this.document, isTyping);
  }

  link(from: number, to: number): TextLink {
    const { present, revision, isSaved } = this.#editable().editable();
    if (!isSaved) throw new NotSaved("E_NOT_SAVED", "what was typed last has no revision yet");
    return { document: this.document, revision, start: present.toPoints(from), end: present.toPoints(to) };
  }

  toCodePoints(position: number): number {
    return this.#link?.replica?.present.toPoints(position) ?? 0;
  }

  toUtf16(codePoints: number): number {
    return this.#link?.replica?.present.toUnits(codePoints) ?? 0;
  }

  // Listening.

  onText(listener: (changed: TextChanged) => void): () => void {
    const own = (changed: TextChanged) => listener(changed);
    this.#textListeners.add(own);
    return () => this.#textListeners.delete(own);
  }

  onUnsent(listener: (unsent: UnsentText) => void): () => void {
    const own = (unsent: UnsentText) => listener(unsent);
    this.#unsentListeners.add(own);
    return () => this.#unsentListeners.delete(own);
  }

  readonly #ear: LinkListener = {
    onState: () => this.#onState(),
    onText: (changed) => {
      if (changed.cause === "loaded" || changed.cause === "refused") this.#steps.clear();
      this.#onText(changed);
    },
    onForeign: (op) => this.#steps.move(op),
    onCursors: () => this.cursors.touch(),
    onSent: () => {
      this.#steps.clear(); // the server knows of it from now on
    },
    onAcked: () => {
      this.#savedAt = this.#owner.timeOfDay();
    },
    onUnsent: (unsent) => {
      for (const listener of [...this.#unsentListeners]) callSafely(() => listener(unsent));
      this.#rejectWaiters(new NotSaved(unsent.code, unsent.why), this.#link?.hasEnded !== true);
      this.#owner.onUnsent(unsent);
    },
  };

  #onText(changed: TextChanged): void {
    for (const listener of [...this.#textListeners]) callSafely(() => listener(changed));
    this.#owner.touch(this.document);
  }

  #onState(): void {
    this.#tellChanged();
    const replica = this.#link?.replica;
    if (replica) {
      this.#waiters = this.#waiters.filter((waiter) => {
        if (waiter.through > replica.durable && !replica.isSaved) return true;
        waiter.resolve();
        return false;
      });
    }
    this.#snapshot.touch();
    this.#owner.touch(this.document);
  }

  openAfresh(): void {
    if (this.#isClosed || this.#link === null) return;
    this.#steps.clear();
    this.#owner.openAfresh(this.document);
  }

  #tellChanged(): void {
    const changed = this.#onceChanged;
    this.#onceChanged = [];
    for (const resolve of changed) resolve();
  }

  /** The connection has come or gone. */
  onConnection(): void {
    this.#snapshot.touch();
  }

  close(): void {
    if (this.#isClosed) return;
    this.onLeft("E_CLOSED", `${this.document} was closed`);
    this.#owner.closeDocument(this.document);
    this.#owner.settle();
  }

  /** Nothing can be written here any more; whoever waits is told. */
  onLeft(code: string, why: string): void {
    this.#isClosed = true;
    this.#rejectWaiters(new NotSaved(code, why));
    this.#tellChanged();
    this.#snapshot.touch();
  }

  /** All of them, or those alone whose edits have come to their end. */
  #rejectWaiters(error: Error, onlyEnded = false): void {
    const durable = onlyEnded ? (this.#link?.replica?.durable ?? 0) : Number.POSITIVE_INFINITY;
    const rejected = this.#waiters.filter(({ through }) => through <= durable);
    this.#waiters = this.#waiters.filter(({ through }) => through > durable);
    for (const { reject } of rejected) reject(error);
  }
}

function growth(changes: readonly Change[]): number {
  return changes.reduce((sum, { from, to, insert }) => sum + insert.length - (to - from), 0);
}

function bounded<T>(seconds: number | undefined, what: string, promise: Promise<T>): Promise<T> {
  return seconds === undefined ? promise : within(seconds, what, promise);
}
