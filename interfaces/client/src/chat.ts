/**
 * The chat of a room: messages as they stand, what waits to be said, and how far everybody has read.
 *
 * A fold of what is told: a welcome that begins anew, and then every event in the order of the log.
 */

import { Cell } from "./cell.ts";
import { Refused } from "./errors.ts";
import type { RoomEvent, Welcome } from "./frames.ts";
import { newId } from "./ids.ts";
import type { RoomPart, Surroundings } from "./part.ts";
import type { Presence } from "./presence.ts";
import { joined, NOTHING_READ, Reading } from "./reading.ts";
import type { Frame } from "./requests.ts";
import type {
  ChatMessage,
  ChatSnapshot,
  Chat as ChatStore,
  PendingMessage,
  Pointers,
  TextLink,
} from "./types.ts";

/** With more messages than this, every one that comes takes the place of the oldest. A few megabytes. */
const MESSAGES_KEPT = 5_000;

/** Older messages come so many at a time... */
const PAGE = 50;

/** ...and on the way to one that is to be shown as many as the server gives at once. */
const LARGE_PAGE = 200;

/** Changes of messages that are not here, kept for when these come: a page may be of a moment before them. */
const CHANGES_KEPT = 200;

type Change = RoomEvent & { readonly message: string };

/** A page of messages of the room, oldest first. */
export interface MessagesPage {
  readonly messages: readonly ChatMessage[];
  readonly older: number | null;
}

/** Reads messages over HTTP: those before a position, or those around a message. */
export interface MessagesReader {
  before(position: number, limit: number): Promise<MessagesPage>;
  around(message: string, limit: number): Promise<MessagesPage>;
}

export class Chat implements RoomPart, ChatStore {
  readonly #around: Surroundings;
  readonly #presence: Presence;
  readonly #reader: MessagesReader;
  readonly #reading: Reading;
  readonly #snapshot: Cell<ChatSnapshot>;
  #messages = new Map<string, ChatMessage>();
  #order: ChatMessage[] | null = [];
  #pointers: ReadonlyMap<string, Pointers> = new Map(); // handed out: another one when somebody reads on
  #pending: PendingMessage[] = [];
  #changes: Change[] = []; // of messages that are not here
  #hasOlder = true;
  #loading: Promise<void> | null = null;
  #beginnings = 0; // how often the chat has begun anew

  constructor(around: Surroundings, presence: Presence, reader: MessagesReader) {
    this.#around = around;
    this.#presence = presence;
    this.#reader = reader;
    this.#reading = new Reading(around.requests);
    this.#snapshot = new Cell(around.bell, () => this.#describe());
  }

  get getSnapshot() {
    return this.#snapshot.getSnapshot;
  }

  get subscribe() {
    return this.#snapshot.subscribe;
  }

  get due(): number | null {
    return this.#reading.due;
  }

  // What one does.

  post(text: string, options: { replyTo?: string; link?: TextLink } = {}): Promise<string> {
    const request: Frame = { type: "post", message: newId(), text };
    this.#presence.type(null, false); // for others a message ends the sign; who writes on gives a new one
    if (options.replyTo !== undefined) request.reply_to = options.replyTo;
    if (options.link !== undefined) request.link = options.link;
    return this.say(request);
  }

  /** A post as it goes on the wire; for those that were kept over a reload. */
  async say(request: Frame): Promise<string> {
    const { message, text } = request;
    const pending = { message, text, reply_to: request.reply_to ?? null, link: request.link ?? null };
    this.#setPending({ ...pending, state: "local", why: "" });
    try {
      await this.#around.command(request);
      this.#pending = this.#pending.filter((other) => other.message !== message);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // The passage that it pointed at is one of another text: said again, it points at nothing.
      const link = error instanceof Refused && error.code === "E_EPOCH" ? null : pending.link;
      if (this.#pending.some((other) => other.message === message))
        this.#setPending({ ...pending, link, state: "refused", why });
      throw error;
    } finally {
      this.#snapshot.touch();
      this.#around.bell.ring();
    }
    return message;
  }

  #setPending(pending: PendingMessage): void {
    this.#pending = [
      ...this.#pending.filter(({ message }) => message !== pending.message),
      Object.freeze(pending),
    ];
    this.#snapshot.touch();
  }

  retry(message: string): void {
    const found = this.#pending.find((pending) => pending.message === message && pending.state === "refused");
    if (found === undefined) return;
    const request: Frame = { type: "post", message, text: found.text };
    if (found.reply_to !== null) request.reply_to = found.reply_to;
    if (found.link !== null) request.link = found.link;
    this.say(request).catch(() => {}); // it stands there again
  }

  drop(message: string): void {
    this.#pending = this.#pending.filter(
      (pending) => pending.message !== message || pending.state !== "refused",
    );
    this.#snapshot.touch();
    this.#around.bell.ring();
  }

  async edit(message: string, text: string): Promise<void> {
    await this.#around.command({ type: "edit_message", message, text });
  }

  async delete(message: string): Promise<void> {
    await this.#around.command({ type: "delete_message", message });
  }

  async react(message: string, emoji: string, reacted: boolean): Promise<void> {
    await this.#around.command({ type: "react", message, emoji, reacted });
  }

  async pin(message: string, pinned: boolean): Promise<void> {
    await this.#around.command({ type: "pin_message", message, pinned });
  }

  setTyping(isTyping: boolean): void {
    this.#presence.type(null, isTyping);
  }

  read(message?: string): void {
    const found = message === undefined ? this.#ordered().at(-1) : this.#messages.get(message);
    if (found === undefined) return;
    this.#reading.comeTo({ delivered: found.position, read: found.position }, this.#around.now());
    this.#snapshot.touch();
    this.#around.settle();
  }

  readersOf(message: string): readonly string[] {
    const found = this.#messages.get(message);
    if (found === undefined) return [];
    const hasRead = ([user, { read }]: [string, Pointers]) => read >= found.position && user !== found.author;
    return [...this.#pointers].filter(hasRead).map(([user]) => user);
  }

  loadOlder(): Promise<void> {
    return this.#loadBefore(PAGE);
  }

  #loadBefore(limit: number): Promise<void> {
    if (!this.#hasOlder) return Promise.resolve();
    if (this.#loading !== null) return this.#loading;
    const loading = this.#load(this.#reader.before(this.#ordered()[0]?.position ?? 0, limit));
    this.#loading = loading;
    this.#snapshot.touch();
    this.#around.bell.ring();
    return loading;
  }

  async loadAround(message: string): Promise<void> {
    if (this.#messages.has(message)) return;
    const { messages } = await this.#reader.around(message, PAGE);
    // What lies between is read as well, so that there is no hole in the room's order.
    const first = messages[0]?.position;
    while (first !== undefined && this.#hasOlder && (this.#ordered()[0]?.position ?? 0) > first)
      await this.#loadBefore(LARGE_PAGE);
  }

  async #load(page: Promise<MessagesPage>): Promise<void> {
    const beginning = this.#beginnings;
    try {
      const { messages, older } = await page;
      if (beginning !== this.#beginnings) return; // between it and what is here now others may be missing
      for (const message of messages) this.#add(message);
      this.#hasOlder = older !== null && messages.length > 0;
      const missed = this.#changes;
      this.#changes = [];
      for (const change of missed) this.#onChange(change);
    } finally {
      this.#loading = null;
      this.#snapshot.touch();
      this.#around.bell.ring();
    }
  }

  // What is told.

  onWelcome(welcome: Welcome, now: number): void {
    if (!welcome.resumed) {
      this.#beginnings += 1;
      this.#messages.clear();
      this.#changes = [];
      this.#order = null;
      for (const message of welcome.messages) this.#add(message);
      this.#hasOlder = welcome.messages.length >= PAGE;
    }
    for (const { user, ...pointers } of welcome.receipts) this.#onReceipt(user, pointers);
    this.#reading.onTold(this.#pointers.get(this.#around.user) ?? NOTHING_READ);
    this.#reading.comeTo({ delivered: this.#lastFromOthers(), read: 0 }, now);
    this.#snapshot.touch();
  }

  onOtherEpoch(): void {
    this.#pointers = new Map();
    this.#reading.beginAnew();
  }

  onOnline(now: number): void {
    this.#reading.onOnline(now);
  }

  onOffline(): void {
    this.#reading.onOffline();
    this.#snapshot.touch();
  }

  onTime(now: number): void {
    this.#reading.onTime(now);
  }

  /** The commands that wait have changed: which of them are on their way. */
  onCommands(waiting: readonly Frame[], isFirstSent: boolean): void {
    const sent = isFirstSent ? waiting[0]?.message : undefined;
    this.#pending = this.#pending.map((pending) =>
      pending.state === "refused" || (pending.state === "sent") === (pending.message === sent)
        ? pending
        : Object.freeze({ ...pending, state: pending.message === sent ? "sent" : "local" }),
    );
    this.#snapshot.touch();
  }

  onEvent(event: RoomEvent, now: number): void {
    if (event.event === "message") {
      this.#add(event as unknown as ChatMessage);
      this.#forgetOldest();
      this.#pending = this.#pending.filter(({ message }) => message !== event.message);
      if (event.author !== this.#around.user)
        this.#reading.comeTo({ delivered: event.position, read: 0 }, now);
    } else if (event.event === "receipts") {
      for (const { user, ...pointers } of event.receipts) this.#onReceipt(user, pointers);
      this.#reading.onTold(this.#pointers.get(this.#around.user) ?? NOTHING_READ);
    } else if ("message" in event && event.event in CHANGES) {
      this.#onChange(event);
    } else {
      return;
    }
    this.#snapshot.touch();
  }

  /** Something has become of a message. One that came over HTTP may tell of it already. */
  #onChange(event: Change): void {
    const message = this.#messages.get(event.message);
    if (message === undefined) {
      this.#changes.push(event);
      if (this.#changes.length > CHANGES_KEPT) this.#changes.shift();
      return;
    }
    if (event.event === "message_edited" && event.at <= (message.edited ?? 0)) return;
    const change = CHANGES[event.event]!(message, event);
    this.#messages.set(event.message, Object.freeze({ ...message, ...change }));
    this.#order = null;
  }

  #onReceipt(user: string, pointers: Pointers): void {
    const before = this.#pointers.get(user) ?? NOTHING_READ;
    const after = joined(before, pointers);
    if (after.read === before.read && after.delivered === before.delivered) return;
    this.#pointers = new Map(this.#pointers).set(user, after);
  }

  #add(message: ChatMessage): void {
    this.#messages.set(message.message, messageOf(message));
    this.#order = null;
  }

  /** Only for one that has come by itself: what somebody has scrolled back to stays. */
  #forgetOldest(): void {
    if (this.#messages.size <= MESSAGES_KEPT) return;
    this.#messages.delete(this.#ordered()[0]!.message);
    this.#order = null;
    this.#hasOlder = true;
  }

  // What is shown.

  #ordered(): readonly ChatMessage[] {
    this.#order ??= [...this.#messages.values()].sort((one, other) => one.position - other.position);
    return this.#order;
  }

  #lastFromOthers(): number {
    return this.#ordered().findLast(({ author }) => author !== this.#around.user)?.position ?? 0;
  }

  #describe(): ChatSnapshot {
    const messages = this.#ordered();
    const { read } = this.#reading.pointers;
    const me = this.#around.user;
    const isUnread = (message: ChatMessage) =>
      message.position > read && message.author !== me && message.deleted === null;
    return Object.freeze({
      messages,
      pending: this.#pending,
      pointers: this.#pointers,
      unread: messages.filter(isUnread).length,
      hasOlder: this.#hasOlder,
      isLoadingOlder: this.#loading !== null,
    });
  }
}

/** A message without what is only said of the event that told it. */
export function messageOf(told: ChatMessage): ChatMessage {
  const { event: _, actor: __, at: ___, ...message } = told as ChatMessage & Record<string, unknown>;
  return Object.freeze(message as unknown as ChatMessage);
}

/** What an event changes in a message. */
export const CHANGES: Readonly<Record<string, (message: ChatMessage, event: Frame) => Partial<ChatMessage>>> =
  {
    message_edited: (message, { text, mentions, at }) => ({
      text,
      mentions,
      edits: message.edits + 1,
      edited: at,
    }),
    message_deleted: (_, { at }) => ({ text: "", mentions: [], pinned: null, deleted: at }),
    message_pinned: (_, { at }) => ({ pinned: at }),
    message_unpinned: () => ({ pinned: null }),
    reaction_added: (message, event) => ({ reactions: withReactors(message, event, [event.actor]) }),
    reaction_removed: (message, event) => ({ reactions: withReactors(message, event, []) }),
  };

/** `added` after the others of this emoji. An emoji with which nobody reacts is not there. */
function withReactors(
  message: ChatMessage,
  { emoji, actor }: Frame,
  added: readonly string[],
): Record<string, readonly string[]> {
  const users = [...(message.reactions[emoji] ?? []).filter((user) => user !== actor), ...added];
  const reactions = Object.entries<readonly string[]>({ ...message.reactions, [emoji]: users });
  return Object.fromEntries(reactions.filter(([, reactors]) => reactors.length > 0));
}
