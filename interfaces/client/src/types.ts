/**
 * What a program sees of a room. `joinRoom` (room.ts) makes a `Room`; everything else hangs below it.
 *
 * Positions in the texts that a program sees are UTF-16 code units, as in JavaScript's strings and in every
 * editor of the web; the client turns them into the code points of the wire at its edge. Where a position is
 * one of the wire it is called a code point. Times are microseconds since the epoch, by the server's clock.
 *
 * What changes is a `Store`: read it with `getSnapshot`, hear of changes with `subscribe`. A snapshot is frozen;
 * a new one is made only when something in it has changed, so that it can be compared with `===`.
 */

export interface Store<T> {
  /** Bound, as `subscribe` is: both can be handed on as they are. */
  readonly getSnapshot: () => T;
  /** Returns what ends the subscription. Listeners are called after the change, at most once for each frame. */
  readonly subscribe: (listener: () => void) => () => void;
}

export type Role = "viewer" | "commenter" | "editor" | "owner";
export type PersonStatus = "editing" | "running" | "idle" | "away";

/** How somebody looks. `avatar` is an https URL or empty: then the initials stand there. */
export interface Looks {
  readonly name: string;
  readonly colour: string;
  readonly avatar: string;
}

// ---------------------------------------------------------------- connection

/**
 * `connecting`: on the way, for the first time or again; `online`; `offline`: there is no network, or the server
 * does not answer, and it will be tried again at `retryAt`; `stopped`: for good, `code` says why.
 */
export interface ConnectionSnapshot {
  readonly status: "connecting" | "online" | "offline" | "stopped";
  /** Close code (4503 …), or coded error (`E_AUTH` …), of the last end; null while all is well. */
  readonly code: number | string | null;
  /** The same for a person, in a sentence; "" while all is well. */
  readonly why: string;
  /** When it will be tried again, in milliseconds of this machine's clock; null when nothing is planned. */
  readonly retryAt: number | null;
}

export interface RoomSnapshot {
  readonly room: string;
  readonly title: string;
  /** Who we are, and what we may do; null before the first welcome. */
  readonly me: ({ readonly user: string; readonly role: Role } & Looks) | null;
  /** The role of those who are no members; null: none. */
  readonly everyone: Role | null;
  /** Ids of the listed documents, in the room's order. */
  readonly documents: readonly string[];
  readonly isClosed: boolean;
  /** Of all open documents together: edits that are not durable yet, and whether any text is in danger. */
  readonly unsaved: number;
  /** The server's clock minus ours, in microseconds, as well as it is known. */
  readonly clockOffset: number;
}

// ---------------------------------------------------------------- presence

/** A cursor (`anchor === head`) or selection, in UTF-16 units of the present text of an open document. */
export interface Selection {
  readonly anchor: number;
  readonly head: number;
}

/** One client of somebody: a tab, a phone, a program. */
export interface Place {
  readonly client: string;
  readonly session: string;
  readonly status: PersonStatus;
  readonly since: number;
  /** Documents with a cursor of this client, the newest last. */
  readonly documents: readonly string[];
  /** Where it types now: documents, and null for the chat. */
  readonly typing: readonly (string | null)[];
}

/** Somebody who is here, once, with all their places; `status` is the liveliest of them. */
export interface Person extends Looks {
  readonly user: string;
  readonly initials: string;
  readonly isMe: boolean;
  readonly role: Role | null;
  readonly status: PersonStatus;
  readonly places: readonly Place[];
}

export interface PresenceSnapshot {
  /** Who is here, oneself first, then by name. */
  readonly people: readonly Person[];
  readonly members: ReadonlyMap<string, Role>;
  /** How everybody looks whom we have heard of, also who is gone. */
  readonly looks: ReadonlyMap<string, Looks>;
  /** Others who type in the chat now: users. */
  readonly typing: readonly string[];
}

/** Somebody else's cursor in an open document. */
export interface RemoteCursor extends Selection {
  readonly client: string;
  readonly user: string;
  readonly name: string;
  readonly colour: string;
  /** When it was moved last. */
  readonly at: number;
}

export interface Presence extends Store<PresenceSnapshot> {
  /** Say what one is doing; null lets it follow from what one does. */
  declare(status: PersonStatus | null): void;
  /** How a user looks; of somebody we have not heard of the id is the name, and the server is asked. */
  looksOf(user: string): Looks;
}

// ---------------------------------------------------------------- documents

/** Replace `from` up to `to` of the text before by `insert`. Of several, all are of the same text, in order. */
export interface Change {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** How far a local edit has come: only here; on its way; in the log, for everybody; refused and taken back. */
export type EditState = "local" | "sent" | "durable" | "refused";

/**
 * `opening`: no text yet; `open`; `offline`: there is text, edits are kept and sent later; `stranded`: the text
 * cannot be brought together with the server's, a person must look, `unsentText` has what was written;
 * `refused`: it may not be opened, `why` says it; `closed`.
 */
export interface DocumentSnapshot {
  readonly status: "opening" | "open" | "offline" | "stranded" | "refused" | "closed";
  readonly why: string;
  readonly revision: number;
  /** Length of the present text in UTF-16 units. */
  readonly length: number;
  /** Local edits not durable: on their way, and still here. */
  readonly sent: number;
  readonly local: number;
  /** When the last edit of ours became durable, by this machine's clock in milliseconds; null: none yet. */
  readonly savedAt: number | null;
}

/** How the present text has changed. `isOwn`: by `edit` of this handle; the editor has done it already. */
export interface TextChanged {
  readonly changes: readonly Change[];
  readonly isOwn: boolean;
  /** Who did it; null for a text that was loaded anew. */
  readonly user: string | null;
  readonly client: string | null;
  readonly cause:
    | "typed"
    | "undo"
    | "redo"
    | "restore"
    | "branch"
    | "merge"
    | "import"
    | "redaction"
    | "loaded"
    | "refused";
  /** Others' edits that this one of ours was transformed over, when it came back from the server. */
  readonly over?: readonly { readonly user: string; readonly revision: number }[];
}

/**
 * Text that the server would not have, or has no more: shown to the person to copy, never thrown away. Where the
 * server's history has become another one (`E_EPOCH`) and nothing was unsent, `inserted` is empty, and the document
 * goes on with the server's text.
 */
export interface UnsentText {
  readonly document: string;
  readonly code: string;
  readonly why: string;
  /** What was inserted, one string for each place. */
  readonly inserted: readonly string[];
  /** The whole text as the person saw it. */
  readonly text: string;
}

export interface DocumentHandle extends Store<DocumentSnapshot> {
  readonly document: string;
  readonly text: string;
  /** Others' cursors, in the present text. */
  readonly cursors: Store<readonly RemoteCursor[]>;
  /**
   * Change the present text at once and send it as soon as it may go. Returns the number of this local edit.
   * Throws `NotEditable` when there is no text, or nobody to send it to ever.
   */
  edit(changes: readonly Change[]): number;
  stateOf(edit: number): EditState;
  /** Every change of the present text, in order, so that whoever applies them to `text` as it was has it. */
  onText(listener: (changed: TextChanged) => void): () => void;
  /** An edit that was refused and taken back, or a text that is stranded. */
  onUnsent(listener: (unsent: UnsentText) => void): () => void;
  /** Where one's own cursor is; it is told to others a little later, and moved by what others write. */
  setCursor(selection: Selection | null): void;
  setTyping(isTyping: boolean): void;
  /**
   * Take back one's last step (or one's last undo); the revision that it made, null when there was nothing. Like all
   * that is asked of the server it waits for a connection as long as it takes: give a number of `seconds`, and it
   * rejects with `TimedOut` after them.
   */
  undo(seconds?: number): Promise<number | null>;
  redo(seconds?: number): Promise<number | null>;
  /** Resolves when everything typed until now is durable. Rejects with `NotSaved`, `TimedOut`. */
  saved(seconds?: number): Promise<void>;
  /** Mark the present revision, with a name or without. */
  saveRevision(name?: string): Promise<void>;
  /** A place of the present text as others can find it later: revision and code points. */
  link(from: number, to: number): TextLink;
  /**
   * Give up what is unsent in a text that is `stranded`, which the person has seen and copied, and take the server's;
   * or try once more to open a document that was `refused`.
   */
  openAfresh(): void;
  /** From UTF-16 units of the present text to code points, and back. */
  toCodePoints(position: number): number;
  toUtf16(codePoints: number): number;
  close(): void;
}

/** A range of a document in code points of the text of `revision`. */
export interface TextLink {
  readonly document: string;
  readonly revision: number;
  readonly start: number;
  readonly end: number;
}

// ---------------------------------------------------------------- chat

export interface ChatMessage {
  readonly message: string;
  readonly position: number;
  readonly author: string;
  readonly posted: number;
  readonly client: string | null;
  readonly text: string;
  /** Revision of every document that its author had open, when it was written. */
  readonly documents: Readonly<Record<string, number>>;
  readonly reply_to: string | null;
  readonly mentions: readonly string[];
  readonly link: TextLink | null;
  readonly edits: number;
  readonly edited: number | null;
  readonly deleted: number | null;
  readonly pinned: number | null;
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  readonly imported: { readonly room: string; readonly by: string; readonly at: number } | null;
}

/** A message that is not in the log yet. `refused` stays until it is retried or dropped. */
export interface PendingMessage {
  readonly message: string;
  readonly text: string;
  readonly reply_to: string | null;
  readonly link: TextLink | null;
  readonly state: "local" | "sent" | "refused";
  readonly why: string;
}

export interface Pointers {
  readonly delivered: number;
  readonly read: number;
}

export interface ChatSnapshot {
  /** In the room's order; as far back as was loaded. */
  readonly messages: readonly ChatMessage[];
  readonly pending: readonly PendingMessage[];
  readonly pointers: ReadonlyMap<string, Pointers>;
  /** Others' messages behind our pointer, among those that are loaded. */
  readonly unread: number;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
}

export interface Chat extends Store<ChatSnapshot> {
  /** Resolves with the message's id when it is in the log. Rejects with `Refused`. Survives a reload, if stored. */
  post(text: string, options?: { replyTo?: string; link?: TextLink }): Promise<string>;
  retry(message: string): void;
  drop(message: string): void;
  edit(message: string, text: string): Promise<void>;
  delete(message: string): Promise<void>;
  react(message: string, emoji: string, reacted: boolean): Promise<void>;
  pin(message: string, pinned: boolean): Promise<void>;
  setTyping(isTyping: boolean): void;
  /** Everything up to this message (the last one when it is missing) was seen. */
  read(message?: string): void;
  /** Users who have read it, as far as pointers tell. */
  readersOf(message: string): readonly string[];
  loadOlder(): Promise<void>;
  /** Load what is around an older message, so that it can be shown in its place. */
  loadAround(message: string): Promise<void>;
}

// ---------------------------------------------------------------- projections that are watched

export interface ActivityLine {
  readonly room: string;
  readonly id: number;
  readonly changed: number;
  readonly kind: string;
  readonly user: string;
  readonly document: string | null;
  readonly message: string | null;
  readonly at: number;
  readonly until: number;
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The same in words, to stand behind a name. */
  readonly line: string;
}

export interface ActivitySnapshot {
  /** Newest first, as far back as was loaded. */
  readonly lines: readonly ActivityLine[];
  readonly hasOlder: boolean;
  readonly isLoading: boolean;
}

/** Live while somebody subscribes. */
export interface Activity extends Store<ActivitySnapshot> {
  loadOlder(): Promise<void>;
}

// ---------------------------------------------------------------- replay

export interface StageDocument {
  readonly document: string;
  readonly revision: number;
  readonly text: string;
  readonly listed: boolean;
  /** Who made the last edit that the replay has shown in it; null while it has shown none. */
  readonly writer: string | null;
}

export interface StagePerson extends Looks {
  readonly client: string;
  readonly user: string;
  readonly status: PersonStatus;
  /** In code points of the document's text as it is on the stage. */
  readonly cursor: { document: string; revision: number; anchor: number; head: number } | null;
  readonly typing: { document: string | null; at: number } | null;
}

/** The whole room at a moment. */
export interface Stage {
  readonly at: number;
  readonly place: string;
  readonly documents: ReadonlyMap<string, StageDocument>;
  readonly people: ReadonlyMap<string, StagePerson>;
  readonly messages: readonly ChatMessage[];
}

export interface Mark {
  readonly at: number;
  readonly position: number;
  readonly kind: string;
  readonly user: string;
  readonly text: string;
}

export interface ReplaySnapshot {
  readonly status: "opening" | "open" | "offline" | "closed";
  readonly from: number;
  readonly until: number;
  readonly events: number;
  readonly marks: readonly Mark[];
  readonly at: number;
  readonly place: string;
  readonly isPlaying: boolean;
  readonly speed: number;
  readonly skipIdle: boolean;
  readonly stage: Stage;
}

/** A replay on the server, for this client alone. One at a time. */
export interface Replay extends Store<ReplaySnapshot> {
  play(): Promise<void>;
  pause(): Promise<void>;
  seek(where: number | string): Promise<void>;
  setSpeed(speed: number): Promise<void>;
  setSkipIdle(skip: boolean): Promise<void>;
  step(by: number): Promise<void>;
  close(): void;
}

// ---------------------------------------------------------------- what happens

/** What a program may want to tell the person, beside what the stores show. */
export type Notice =
  | { readonly kind: "mention"; readonly room: string; readonly message: string; readonly actor: string }
  | { readonly kind: "role"; readonly role: Role | null }
  | { readonly kind: "unsent"; readonly unsent: UnsentText }
  /** The server's history is another one than before: it was restored from a backup. */
  | { readonly kind: "other-history" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "other-version"; readonly message: string };

// ---------------------------------------------------------------- the room

export interface Room {
  readonly room: string;
  /** The id of this client: its edits are numbered under it. */
  readonly client: string;
  readonly connection: Store<ConnectionSnapshot>;
  readonly state: Store<RoomSnapshot>;
  readonly presence: Presence;
  readonly chat: Chat;
  readonly activity: Activity;
  /** The room's figures, live while somebody subscribes; null until they have come. */
  readonly statistics: Store<LiveStatistics | null>;
  /** The same handle for the same document, until it is closed. */
  open(document: string, options?: { create?: boolean }): DocumentHandle;
  replay(options?: { from?: number; until?: number; speed?: number; skipIdle?: boolean }): Promise<Replay>;
  startRun(title: string, document?: string): Promise<string>;
  finishRun(run: string, outcome: "passed" | "failed" | "stopped", exitCode?: number): Promise<void>;
  onNotice(listener: (notice: Notice) => void): () => void;
  /** The network is back, or the app is in front again: do not wait for the next try. */
  wake(): void;
  /** The app goes to the background or the network is gone: no tries until `wake`. */
  rest(): void;
  /** Leave, after at most `seconds` for what is still to be sent. What is not stays in the storage. */
  leave(seconds?: number): Promise<void>;
}

/** Figures as they are told live: of the last 24 hours, and of all that was since the room was opened. */
export interface LiveStatistics {
  /** Up to where in the log they count. */
  readonly position: number;
  readonly day: Statistics;
  readonly ever: Pick<Statistics, "totals" | "people" | "emoji" | "words" | "response_times">;
}

/** As `GET /api/rooms/{room}/statistics` answers; see generated/http.ts. */
export type Statistics = import("./generated/http.ts").components["schemas"]["StatisticsAnswer"];

// ---------------------------------------------------------------- how to get in

/** Where what must survive a reload is kept: IndexedDB, React Native's AsyncStorage, a Map. */
export interface Storage {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** All keys that begin with this. */
  keys(prefix: string): Promise<readonly string[]>;
}

/** One program at a time uses a client id: tabs of one browser hold a Web Lock. */
export interface Locks {
  /** Returns what gives it back, or null when somebody else has it. */
  acquire(name: string): Promise<(() => void) | null>;
}

/** Who asks. Called again when the token it gave was refused or is about to end. */
export interface Credentials {
  token(): Promise<string>;
  /** The token was refused: do not give it again. */
  onRefused?(): void;
}

/** The little that is needed of the socket of browsers, of `ws` and of React Native. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => WebSocketLike;

export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export interface RoomOptions {
  /** Of the server, such as `https://edit.example.org`; a path is kept. */
  readonly url: string;
  readonly room: string;
  readonly credentials: Credentials;
  /** Memory when it is missing: then unsent edits do not survive the program. */
  readonly storage?: Storage;
  readonly locks?: Locks;
  /** The id of this client, when the program keeps one itself. Never one that another program uses now. */
  readonly client?: string;
  readonly WebSocket?: WebSocketClass;
  readonly fetch?: typeof fetch;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
  readonly random?: () => number;
}
