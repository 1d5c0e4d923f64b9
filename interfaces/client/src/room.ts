/** A room as a program sees it: its parts, put together around one session and one connection. */

import type { Op } from "./algebra.ts";
import { type Api, openApi } from "./api.ts";
import { Bell, Cell, callSafely } from "./cell.ts";
import { Chat, type MessagesPage, type MessagesReader } from "./chat.ts";
import { onlyForward } from "./clock.ts";
import { Connection } from "./connection.ts";
import { OpenDocument } from "./document.ts";
import { DocumentLink } from "./document-link.ts";
import { ChronoscribeError } from "./errors.ts";
import { newId } from "./ids.ts";
import { Keeping, type KeptDocument } from "./keeping.ts";
import { inProcessLocks } from "./locks.ts";
import type { Surroundings } from "./part.ts";
import { type FindLooks, Presence } from "./presence.ts";
import { Player, type ReplayOptions } from "./replay.ts";
import type { Frame } from "./requests.ts";
import { Session } from "./session.ts";
import { memoryStorage } from "./storage/memory.ts";
import type {
  ActivityLine,
  ChatMessage,
  ConnectionSnapshot,
  DocumentHandle,
  Notice,
  Replay,
  Role,
  Room,
  RoomOptions,
  RoomSnapshot,
  Store,
  UnsentText,
} from "./types.ts";
import { Activity, type FindLines, WatchedStatistics } from "./watched.ts";

/**
 * What is unsent is kept no more often than this: a pause that nobody loses more than a word in. While there is a
 * connection the first edit waits as long too, since most are durable by then and need not be kept at all; without
 * one it is kept at once.
 */
const KEEP_MS = 250;

/** How often the text of a document is kept for a start without a network, when nothing is unsent. */
const KEEP_TEXT_MS = 5_000;

/** For what is still to be sent when one leaves. */
const LEAVE_SECONDS = 5;

/** Messages of which it is remembered that they have mentioned us. */
const MENTIONS_KEPT = 1_000;

/** How often an idle document asks the server whether both have the same text. */
const CHECK_MS = 60_000;

/** Join a room: connects, and stays connected until `leave`. Returns at once; the stores tell how it goes. */
export function joinRoom(options: RoomOptions): Room {
  const room = new JoinedRoom(options);
  void room.start();
  return room;
}

class JoinedRoom implements Room, Surroundings {
  readonly room: string;
  readonly bell = new Bell();
  readonly connection: Store<ConnectionSnapshot>;
  readonly state: Store<RoomSnapshot>;
  readonly presence: Presence;
  readonly chat: Chat;
  readonly activity: Activity;
  readonly statistics: WatchedStatistics;
  readonly #player: Player;
  readonly #api: Api;
  readonly #options: RoomOptions;
  readonly #now: () => number;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #connectionCell: Cell<ConnectionSnapshot>;
  readonly #stateCell: Cell<RoomSnapshot>;
  readonly #keeping: Keeping;
  readonly #handles = new Map<string, OpenDocument>();
  readonly #creates = new Set<string>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #toKeep = new Map<string, number>(); // when, by document
  readonly #keptAt = new Map<string, number>();
  readonly #timeOfDay: () => number;
  readonly #told = new Set<string>(); // mentions
  #onceSettled: (() => void)[] = [];
  readonly #textKept = new Map<string, { revision: number; at: number }>();
  readonly #checked = new Map<string, { revision: number; at: number }>();
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #release = () => {};
  #isStarted = false;
  #title: string;
  #documents: string[] = [];
  #isClosed = false;
  #hasWelcome = false;
  #clockOffset: number | null = null;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.room = options.room;
    this.#title = options.room;
    this.#timeOfDay = options.now ?? Date.now;
    this.#now = onlyForward(this.#timeOfDay);
    const url = options.url.replace(/\/+$/, "");
    this.#api = openApi({
      url,
      credentials: options.credentials,
      ...(options.fetch && { fetch: options.fetch }),
    });
    this.#session = new Session({
      onStatus: () => this.#onStatus(),
      onComplaint: (code, message) => this.#notify({ kind: "refused", code, message }),
    });
    this.#keeping = new Keeping(options.storage ?? memoryStorage(), url, options.room);
    this.#keeping.onFault = (error) => this.#onStorageFault(error);
    const WebSocketClass = options.WebSocket ?? (globalThis.WebSocket as unknown as RoomOptions["WebSocket"]);
    if (WebSocketClass === undefined)
      throw new Error("there is no WebSocket here: give one (in Node, that of `ws`)");
    const fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#connection = new Connection(
      {
        url,
        room: options.room,
        credentials: options.credentials,
        WebSocket: WebSocketClass,
        fetch: fetcher,
        now: this.#now,
        timeOfDay: this.#timeOfDay,
        random: options.random ?? Math.random,
      },
      this.#session,
      this.bell,
    );
    this.#connection.onSettled = () => this.#onSettled();
    this.#connectionCell = new Cell(this.bell, () => Object.freeze(this.#connection.snapshot()));
    this.#stateCell = new Cell(this.bell, () => this.#describe());
    this.connection = this.#connectionCell;
    this.state = this.#stateCell;
    this.presence = new Presence(this, this.#findLooks);
    this.chat = new Chat(this, this.presence, this.#messages);
    this.activity = new Activity(this, this.#findLines);
    this.statistics = new WatchedStatistics(this);
    this.#player = new Player(this);
    this.#session.parts.push(
      this.#self,
      this.presence,
      this.chat,
      this.activity,
      this.statistics,
      this.#player,
    );
    this.#session.commands.onChange = () => this.#onCommands();
  }

  // Starting.

  async start(): Promise<void> {
    try {
      await this.#takeClient();
      await this.#restore();
    } catch (error) {
      this.#session.client ||= newId();
      this.#onStorageFault(error);
    }
    this.#isStarted = true;
    await Promise.all([...this.#handles.keys()].map((document) => this.#attach(document)));
    this.#connection.start();
    this.#keeping.prune().catch(() => {});
  }

  async #takeClient(): Promise<void> {
    const { locks, client } = this.#options;
    const [taken, release] = await this.#keeping.claim(
      locks ?? inProcessLocks,
      this.#timeOfDay(),
      newId,
      client,
    );
    this.#session.client = taken;
    this.#release = release;
  }

  /** What an earlier life of this client has left unsent goes on its way again. */
  async #restore(): Promise<void> {
    const { found, lost } = await this.#keeping.unsent();
    for (const [document, kept] of found) {
      try {
        this.#link(document, kept);
      } catch {
        lost.set(document, kept.replica.queue); // another text than the one it was made on
      }
    }
    for (const [document, queue] of lost) this.#tellLost(document, queue);
    for (const post of await this.#keeping.posts()) this.chat.say(post).catch(() => {});
  }

  #tellLost(document: string, queue: readonly Op[]): void {
    const inserted = queue.flat().filter((component) => typeof component === "string");
    const why = "the text that this was written in is not in the storage any more";
    const unsent = { document, code: "E_STORAGE", why, inserted, text: inserted.join("\n") };
    if (this.#noticeListeners.size > 0) this.#keeping.forget(document); // else it is told next time
    this.#notify({ kind: "unsent", unsent });
  }

  #onStorageFault(error: unknown): void {
    this.#notify({ kind: "refused", code: "E_STORAGE", message: String(error) });
  }

  /** Give a handle what it is to speak through, with the text that is kept if there is one. */
  async #attach(document: string): Promise<void> {
    const kept = this.#session.links.has(document)
      ? null
      : await this.#keeping.text(document).catch(() => null);
    const handle = this.#handles.get(document);
    if (handle === undefined) return; // closed meanwhile
    handle.attach(this.#session.links.get(document) ?? this.#link(document, kept));
    this.settle();
  }

  #link(document: string, kept: KeptDocument | null): DocumentLink {
    const { requests, pacer, client } = this.#session;
    const create = this.#creates.has(document);
    const link = new DocumentLink({ document, client, requests, pacer, create, kept });
    this.#session.follow(link, this.#now());
    return link;
  }

  // What one does.

  get client(): string {
    return this.#session.client;
  }

  open(document: string, options: { create?: boolean } = {}): DocumentHandle {
    const known = this.#handles.get(document);
    if (known !== undefined) return known;
    if (options.create) this.#creates.add(document);
    const handle = new OpenDocument(document, this);
    this.#handles.set(document, handle);
    if (this.#isStarted) void this.#attach(document);
    return handle;
  }

  closeDocument(document: string): void {
    this.#handles.delete(document);
    const link = this.#session.links.get(document);
    if (link === undefined) return;
    this.#keep(document);
    link.listener = null;
    if (!link.isSaved && !link.hasEnded) return; // it goes on until all of it is sent
    link.close();
    this.#session.links.delete(document);
  }

  /** The person has seen what is unsent, and takes the server's text. */
  openAfresh(document: string): void {
    this.#keeping.forget(document);
    this.#session.links.get(document)?.openAfresh(this.#now(), this.isOnline);
    this.settle();
  }

  replay(options: ReplayOptions = {}): Promise<Replay> {
    return this.#player.open(options);
  }

  async startRun(title: string, document?: string): Promise<string> {
    const run = newId();
    const request: Frame = { type: "start_run", run, title };
    const replica = document === undefined ? undefined : this.#session.links.get(document)?.replica;
    if (document !== undefined) request.document = document;
    if (replica) request.revision = replica.revision;
    await this.command(request);
    return run;
  }

  async finishRun(run: string, outcome: "passed" | "failed" | "stopped", exitCode?: number): Promise<void> {
    const request: Frame = { type: "finish_run", run, outcome };
    if (exitCode !== undefined) request.exit_code = exitCode;
    await this.command(request);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    const own = (notice: Notice) => listener(notice);
    this.#noticeListeners.add(own);
    return () => this.#noticeListeners.delete(own);
  }

  wake(): void {
    this.#connection.wake();
  }

  rest(): void {
    this.#flush();
    this.#connection.rest();
  }

  async leave(seconds = LEAVE_SECONDS): Promise<void> {
    await this.#sent(seconds);
    this.#flush();
    this.#session.commands.abandon(new ChronoscribeError("E_LEFT", "the room was left"));
    this.#connection.end();
    clearTimeout(this.#keepTimer);
    await this.#keeping.flushed();
    this.#release();
  }

  /** Resolves when nothing is to be sent any more, or can be. */
  async #sent(seconds: number): Promise<void> {
    let isOver = seconds <= 0;
    const timer = setTimeout(() => {
      isOver = true;
      this.settle();
    }, seconds * 1_000);
    while (!isOver && this.isOnline && this.#hasUnsent) {
      await new Promise<void>((resolve) => this.#onceSettled.push(resolve));
    }
    clearTimeout(timer);
  }

  get #hasUnsent(): boolean {
    const isUnsaved = [...this.#session.links.values()].some((link) => !link.isSaved && !link.hasEnded);
    return isUnsaved || this.#session.commands.waiting.length > 0;
  }

  // What the parts ask.

  get requests() {
    return this.#session.requests;
  }

  get isOnline(): boolean {
    return this.#session.isOnline;
  }

  get user(): string {
    return this.#session.user;
  }

  now(): number {
    return this.#now();
  }

  settle(): void {
    this.#connection.settle();
  }

  command(request: Frame): Promise<number | null> {
    const done = this.#session.commands.add(request, this.#now());
    this.settle();
    return done;
  }

  typing(document: string, isTyping: boolean): void {
    this.presence.type(document, isTyping);
  }

  onUnsent(unsent: UnsentText): void {
    this.#notify({ kind: "unsent", unsent });
  }

  // Over HTTP.

  readonly #findLooks: FindLooks = async (users) => {
    const query = { user: [...users] };
    const { profiles } = await this.#api.data(this.#api.raw.GET("/api/profiles", { params: { query } }));
    return new Map(profiles.map(({ user, name, colour, avatar }) => [user, { name, colour, avatar }]));
  };

  readonly #messages: MessagesReader = {
    before: (before, limit) => this.#page({ before, limit }),
    around: (around, limit) => this.#page({ around, limit }),
  };

  async #page(query: { before?: number; around?: string; limit: number }): Promise<MessagesPage> {
    const params = { path: { room: this.room }, query };
    const { messages, older } = await this.#api.data(
      this.#api.raw.GET("/api/rooms/{room}/messages", { params }),
    );
    return { messages: messages as readonly ChatMessage[], older: older ?? null };
  }

  readonly #findLines: FindLines = async (before, limit) => {
    const query = before === null ? { limit } : { before, limit };
    const params = { path: { room: this.room }, query };
    const { lines } = await this.#api.data(this.#api.raw.GET("/api/rooms/{room}/activity", { params }));
    return lines as readonly ActivityLine[];
  };

  // What is told of the room itself.

  readonly #self = {
    onWelcome: (welcome: Frame) => {
      this.#hasWelcome = true;
      this.#title = welcome.room.title;
      this.#documents = [...welcome.documents];
      this.#stateCell.touch();
    },
    onEvent: (event: Frame) => this.#onEvent(event),
    onEdit: (event: Frame) => this.#onClock(event.at),
    onFrame: (frame: Frame) => {
      if (frame.type === "notice" && frame.notice === "mention") {
        this.#tellMention(frame.room, frame.message, frame.actor);
      }
    },
  };

  #onEvent(event: Frame): void {
    this.#onClock(event.at);
    switch (event.event) {
      case "document_listed":
        this.#documents = [
          ...this.#documents.filter((document) => document !== event.document),
          event.document,
        ];
        break;
      case "document_unlisted":
        this.#documents = this.#documents.filter((document) => document !== event.document);
        break;
      case "room_opened":
      case "room_renamed":
        this.#title = event.title;
        break;
      case "room_closed":
        this.#isClosed = true;
        break;
      case "member_added":
      case "role_changed":
        if (event.user === this.user) this.#notify({ kind: "role", role: event.role });
        break;
      case "member_removed":
        if (event.user === this.user) this.#notify({ kind: "role", role: this.presence.everyone });
        break;
      case "message":
      case "message_edited":
        if (event.mentions.includes(this.user) && event.actor !== this.user) {
          this.#tellMention(this.room, event.message, event.actor);
        }
        break;
    }
    this.#stateCell.touch();
  }

  /** Once for each message: an edit mentions us again, and a node that is behind tells it once more. */
  #tellMention(room: string, message: string, actor: string): void {
    const mention = `${room} ${message}`;
    if (this.#told.has(mention)) return;
    this.#told.add(mention);
    if (this.#told.size > MENTIONS_KEPT) this.#told.delete(this.#told.values().next().value!);
    this.#notify({ kind: "mention", room, message, actor });
  }

  /** What comes was made before: of all differences of the clocks the largest is the closest to the truth. */
  #onClock(at: number): void {
    const offset = at - this.#now() * 1_000;
    if (this.#clockOffset === null || offset > this.#clockOffset) this.#clockOffset = offset;
  }

  #onStatus(): void {
    this.#connectionCell.touch();
    this.#stateCell.touch();
    for (const handle of this.#handles.values()) handle.onConnection();
    if (this.#session.code === 4505) this.#notify({ kind: "other-version", message: this.#session.why });
    if (this.#session.status === "offline" || this.#session.status === "stopped") this.#flush();
  }

  #onCommands(): void {
    const { waiting, isFirstSent } = this.#session.commands;
    this.chat.onCommands(waiting, isFirstSent);
    this.#keeping.keepPosts(waiting.filter((request) => request.type === "post"));
  }

  #describe(): RoomSnapshot {
    const { user } = this.#session;
    const role = (this.presence.getSnapshot().members.get(user) ?? this.presence.everyone) as Role;
    let unsaved = 0;
    for (const link of this.#session.links.values()) {
      const counts = link.replica?.counts;
      if (counts !== undefined) unsaved += counts.sent + counts.local;
    }
    return Object.freeze({
      room: this.room,
      title: this.#title,
      me: this.#hasWelcome ? { user, role, ...this.presence.looksOf(user) } : null,
      everyone: this.presence.everyone,
      documents: this.#documents,
      isClosed: this.#isClosed,
      unsaved,
      clockOffset: this.#clockOffset ?? 0,
    });
  }

  #notify(notice: Notice): void {
    for (const listener of [...this.#noticeListeners]) callSafely(() => listener(notice));
  }

  // Keeping.

  /** Something of the document has changed: have it kept soon. */
  touch(document: string): void {
    this.#stateCell.touch();
    if (this.#toKeep.has(document)) return;
    const now = this.#now();
    const earliest = (this.#keptAt.get(document) ?? 0) + KEEP_MS;
    this.#toKeep.set(document, this.isOnline ? now + KEEP_MS : Math.max(now, earliest));
  }

  #onSettled(): void {
    this.#connectionCell.touch();
    const settled = this.#onceSettled;
    this.#onceSettled = [];
    for (const resolve of settled) resolve();
    if (this.#toKeep.size === 0 || !this.#isStarted) return;
    clearTimeout(this.#keepTimer);
    const first = Math.min(...this.#toKeep.values());
    this.#keepTimer = setTimeout(() => this.#keepDue(), Math.max(0, first - this.#now()));
  }

  #keepDue(): void {
    const now = this.#now();
    for (const [document, due] of this.#toKeep) if (due <= now) this.#keep(document);
    this.#onSettled();
    this.bell.ring();
  }

  #flush(): void {
    for (const document of this.#toKeep.keys()) this.#keep(document);
  }

  #keep(document: string): void {
    this.#toKeep.delete(document);
    const link = this.#session.links.get(document);
    if (!link?.replica || link.epoch === null) return;
    const { replica, epoch } = link;
    this.#keptAt.set(document, this.#now());
    if (link.phase === "stranded") return; // what is kept stays, until the person has taken the text
    if (!replica.isSaved) {
      this.#keeping.keep(document, { epoch, replica: replica.kept() }, () => replica.serverText());
      return;
    }
    this.#keeping.forget(document);
    if (link.listener === null) this.#closeSent(document, link);
    this.#keepText(document, epoch, link);
    void this.#check(document, link);
  }

  /** A document that was closed while something was unsent is done now. */
  #closeSent(document: string, link: DocumentLink): void {
    if (this.#handles.has(document)) return;
    link.close();
    this.#session.links.delete(document);
    this.settle();
  }

  #keepText(document: string, epoch: string, { replica }: DocumentLink): void {
    const now = this.#now();
    const last = this.#textKept.get(document);
    if (replica === null || last?.revision === replica.revision) return;
    if (last !== undefined && now - last.at < KEEP_TEXT_MS) {
      this.#toKeep.set(document, last.at + KEEP_TEXT_MS);
      return;
    }
    this.#textKept.set(document, { revision: replica.revision, at: now });
    this.#keeping.keepText(document, epoch, replica.revision, replica.text, now);
  }

  /** From time to time, when nothing is outstanding: is our text the server's? */
  async #check(document: string, link: DocumentLink): Promise<void> {
    const { replica } = link;
    const last = this.#checked.get(document);
    const now = this.#now();
    if (replica === null || link.phase !== "open" || !globalThis.crypto?.subtle) return;
    if (last !== undefined && (last.revision === replica.revision || now - last.at < CHECK_MS)) return;
    const { revision, text } = replica;
    this.#checked.set(document, { revision, at: now });
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (link.phase !== "open") return;
    link.check(revision, hash);
    this.settle();
  }
}
