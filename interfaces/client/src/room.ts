/** A room as a program sees it: its parts, put together around one session and one connection. */

import type { Op } from "./algebra.ts";
import { openApi } from "./api.ts";
import { Bell, Cell, callSafely } from "./cell.ts";
import { Chat } from "./chat.ts";
import { Checks } from "./checks.ts";
import { onlyForward } from "./clock.ts";
import { Connection } from "./connection.ts";
import { OpenDocument } from "./document.ts";
import { DocumentKeeping } from "./document-keeping.ts";
import { DocumentLink, type LinkListener } from "./document-link.ts";
import { ChronoscribeError } from "./errors.ts";
import { newId } from "./ids.ts";
import { Keeping, type KeptDocument } from "./keeping.ts";
import { inProcessLocks } from "./locks.ts";
import { linesFinder, looksFinder, messagesReader } from "./looking-up.ts";
import type { Surroundings } from "./part.ts";
import { Presence } from "./presence.ts";
import { Player, type ReplayOptions } from "./replay.ts";
import type { Frame } from "./requests.ts";
import { RoomState } from "./room-state.ts";
import { Session } from "./session.ts";
import { memoryStorage } from "./storage/memory.ts";
import type {
  ConnectionSnapshot,
  DocumentHandle,
  Notice,
  Replay,
  Room,
  RoomOptions,
  RoomSnapshot,
  Store,
  UnsentText,
} from "./types.ts";
import { Activity, WatchedStatistics } from "./watched.ts";

/** So many client ids of others are met before something else must be wrong. */
const FOREIGN_MOST = 5;

/** A page before a reload has ended by then, on the busiest machine; a tab that lives costs a look at the storage. */
const LOOK_AGAIN_MS = 5_000;

/** For what is still to be sent when one leaves. */
const LEAVE_SECONDS = 5;

interface Errand {
  readonly room: JoinedRoom;
}

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
  readonly #options: RoomOptions;
  readonly #isErrand: boolean;
  readonly #now: () => number;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #connectionCell: Cell<ConnectionSnapshot>;
  readonly #keeping: Keeping;
  readonly #handles = new Map<string, OpenDocument>();
  readonly #creates = new Set<string>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #timeOfDay: () => number;
  readonly #state: RoomState;
  readonly #documents: DocumentKeeping;
  readonly #checks = new Checks();
  #onceSettled: (() => void)[] = [];
  #starting: Promise<void> | null = null;
  #isStarted = false;
  #isLeft = false;
  #foreign = 0; // client ids that were somebody else's
  #errand: Errand | null = null; // for others of this device
  #hasLookedAround = false;
  #lookTimer: ReturnType<typeof setTimeout> | undefined;

  /** `isErrand`: only if no other program is this client. */
  constructor(options: RoomOptions, isErrand = false) {
    this.#options = options;
    this.#isErrand = isErrand;
    this.room = options.room;
    this.#timeOfDay = options.now ?? Date.now;
    this.#now = onlyForward(this.#timeOfDay);
    const url = options.url.replace(/\/+$/, "");
    const { credentials, fetch } = options;
    const api = openApi({ url, credentials, ...(fetch && { fetch }) });
    this.#session = new Session({
      onStatus: () => this.#onStatus(),
      onForeignClient: () => this.#onForeignClient(),
      onComplaint: (code, message) => this.notify({ kind: "refused", code, message }),
      onOtherEpoch: () => this.notify({ kind: "other-history" }),
    });
    const storage = options.storage ?? memoryStorage();
    this.#keeping = new Keeping(storage, options.locks ?? inProcessLocks, url, options.room);
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
    this.connection = this.#connectionCell;
    this.presence = new Presence(this, looksFinder(api));
    this.chat = new Chat(this, this.presence, messagesReader(api, options.room));
    this.activity = new Activity(this, linesFinder(api, options.room));
    this.statistics = new WatchedStatistics(this);
    this.#player = new Player(this);
    this.#state = new RoomState(this);
    this.state = this.#state.cell;
    this.#documents = new DocumentKeeping(this.#keeping, this);
    this.#session.parts.push(
      this.#state,
      this.presence,
      this.chat,
      this.activity,
      this.statistics,
      this.#player,
    );
    this.#session.commands.onChange = () => this.#onCommands();
  }

  // Starting.

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    try {
      if (!(await this.#takeClient())) return;
      await this.#restore();
    } catch (error) {
      this.#session.client ||= this.#keeping.begin(newId());
      this.#onStorageFault(error);
    }
    this.#isStarted = true;
    await Promise.all([...this.#handles.keys()].map((document) => this.#attach(document)));
    this.#connection.start();
    this.#keeping.prune().catch(() => {});
  }

  /** The server says that our client id is somebody else's: another person used this device. Take another. */
  #onForeignClient(): boolean {
    if (this.#options.client !== undefined || this.#foreign >= FOREIGN_MOST) return false;
    this.#foreign += 1;
    for (const link of this.#session.links.values()) {
      if (link.hasNews) link.strand("E_FORBIDDEN", "this was written as somebody else who uses this device");
    }
    this.#starting = this.#startAgain();
    return true;
  }

  async #startAgain(): Promise<void> {
    this.#documents.end();
    this.#session.links.clear();
    await this.#keeping.disown();
    if (!this.#isLeft) await this.#start();
  }

  async #takeClient(): Promise<boolean> {
    const { client } = this.#options;
    if (this.#isErrand && !(await this.#keeping.claimFree(client!, this.#timeOfDay()))) return false;
    this.#session.client = this.#isErrand
      ? client!
      : await this.#keeping.claim(this.#timeOfDay(), newId, client);
    return true;
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
    this.notify({ kind: "unsent", unsent });
  }

  #onStorageFault(error: unknown): void {
    this.notify({ kind: "refused", code: "E_STORAGE", message: String(error) });
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
    link.listener = this.#quietly(document);
    this.#session.follow(link, this.#now());
    return link;
  }

  /** Nobody shows this document; what was written in it is kept and sent all the same. */
  #quietly(document: string): LinkListener {
    const nothing = () => {};
    const onState = () => this.touch(document);
    const onUnsent = (unsent: UnsentText) => this.onUnsent(unsent);
    return {
      onState,
      onUnsent,
      onText: nothing,
      onForeign: nothing,
      onSent: nothing,
      onAcked: nothing,
      onCursors: nothing,
    };
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
    this.#documents.keep(document);
    link.listener = this.#quietly(document);
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
    this.#errand?.room.wake();
    this.#connection.wake();
  }

  rest(): void {
    this.#documents.flush();
    this.#errand?.room.rest();
    this.#connection.rest();
  }

  async leave(seconds = LEAVE_SECONDS): Promise<void> {
    await this.#sent(seconds);
    this.#isLeft = true;
    clearTimeout(this.#lookTimer);
    await this.#errand?.room.leave(0);
    await this.#starting; // or it would take a client id that nobody gives back
    this.#documents.end();
    this.#session.commands.abandon(new ChronoscribeError("E_LEFT", "the room was left"));
    for (const handle of this.#handles.values()) handle.onLeft("E_LEFT", "the room was left");
    this.#connection.end();
    await this.#keeping.flushed();
    this.#keeping.release();
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

  get links(): ReadonlyMap<string, DocumentLink> {
    return this.#session.links;
  }

  get user(): string {
    return this.#session.user;
  }

  now(): number {
    return this.#now();
  }

  timeOfDay(): number {
    return this.#timeOfDay();
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
    this.notify({ kind: "unsent", unsent });
  }

  // What happens.

  #onStatus(): void {
    this.#connectionCell.touch();
    this.#state.cell.touch();
    for (const handle of this.#handles.values()) handle.onConnection();
    if (this.#session.isOnline) this.#onWelcomed();
    if (this.#session.code === 4505) this.notify({ kind: "other-version", message: this.#session.why });
    if (this.#session.status === "offline" || this.#session.status === "stopped") this.#documents.flush();
  }

  #onWelcomed(): void {
    this.#keeping.belongsTo(this.#session.user);
    if (this.#hasLookedAround || this.#options.client !== undefined) return;
    this.#hasLookedAround = true;
    this.#lookAround();
  }

  /**
   * Tabs of ours that have crashed have left something unsent: it is sent as theirs, one after the other. Of one that
   * seems to be alive it is looked again: it may be the page before a reload, which a busy browser is still ending.
   */
  async #sendForOthers(): Promise<void> {
    let areAllSent = true;
    for (const client of await this.#keeping.orphans()) {
      if (this.#isLeft) return;
      const room = new JoinedRoom({ ...this.#options, client }, true);
      this.#errand = { room };
      room.onNotice((notice) => notice.kind === "unsent" && this.notify(notice));
      areAllSent = (await room.sendAndLeave()) && areAllSent;
      this.#errand = null;
    }
    if (!areAllSent && !this.#isLeft) this.#lookTimer = setTimeout(() => this.#lookAround(), LOOK_AGAIN_MS);
  }

  #lookAround(): void {
    this.#sendForOthers().catch((error: unknown) => this.#onStorageFault(error));
  }

  /**
   * Go in, send what this client has left unsent, and leave. Resolves with whether it could: if another program is
   * this client, it does nothing.
   */
  async sendAndLeave(): Promise<boolean> {
    await this.start();
    const isOurs = this.#isStarted;
    while (this.#isStarted && !this.#isLeft && this.#session.status !== "stopped" && this.#hasUnsent) {
      await new Promise<void>((resolve) => this.#onceSettled.push(resolve));
    }
    if (!this.#isLeft) await this.leave();
    return isOurs;
  }

  #onCommands(): void {
    const { waiting, isFirstSent } = this.#session.commands;
    this.chat.onCommands(waiting, isFirstSent);
    this.#keeping.keepPosts(waiting.filter((request) => request.type === "post"));
  }

  notify(notice: Notice): void {
    for (const listener of [...this.#noticeListeners]) callSafely(() => listener(notice));
  }

  // Keeping.

  /** Something of the document has changed: have it kept soon. */
  touch(document: string): void {
    this.#state.cell.touch();
    this.#documents.touch(document);
  }

  #onSettled(): void {
    this.#connectionCell.touch();
    const settled = this.#onceSettled;
    this.#onceSettled = [];
    for (const resolve of settled) resolve();
    if (this.#isStarted) this.#documents.plan();
  }

  /** Nothing in a document is unsent any more. */
  onSaved(link: DocumentLink): void {
    if (this.#handles.has(link.document)) {
      void this.#checks.look(link, this.#now()).then((isAsked) => isAsked && this.settle());
      return;
    }
    // It was closed while something was unsent; that is done now.
    link.close();
    this.#session.links.delete(link.document);
  }

  onTime(): void {
    this.settle();
  }
}
