/* Made from the server's models by tests/interfaces/client/generate.py: not to be changed by hand. */
export type ClientFrame =
  | Hello
  | Refresh
  | Open
  | Close
  | EditFrame
  | UndoFrame
  | RedoFrame
  | CursorFrame
  | TypingFrame
  | StatusFrame
  | Post
  | EditMessage
  | DeleteMessage
  | React
  | PinMessage
  | SaveRevision
  | StartRun
  | FinishRun
  | ReceiptFrame
  | Subscribe
  | Unsubscribe
  | OpenReplay
  | PlayReplay
  | PauseReplay
  | SeekReplay
  | SpeedReplay
  | StepReplay
  | CloseReplay
  | CatchUp
  | Check
  | Ping
  | Pong;
export type ServerFrame =
  | Welcome
  | Opened
  | Edits
  | Ok
  | ErrorTold
  | Events
  | PresenceTold
  | Notice
  | ActivityTold
  | StatisticsTold
  | PingTold
  | ReplayOpened
  | ReplayTold;

export interface Frames {
  ClientFrame: ClientFrame;
  ServerFrame: ServerFrame;
}
/**
 * `ticket` is for those who could not offer it as a subprotocol.
 */
export interface Hello {
  ref: number;
  type: "hello";
  protocol: number;
  client: string;
  ticket?: string | null;
  at?: number | null;
  resume?: Resume | null;
}
export interface Resume {
  epoch: string;
  position: number;
}
/**
 * The token that this socket was opened with is about to end; here is a ticket bought with another.
 */
export interface Refresh {
  ref: number;
  type: "refresh";
  ticket: string;
}
export interface Open {
  ref: number;
  type: "open";
  document: string;
  revision?: number | null;
  create?: boolean;
}
export interface Close {
  ref: number;
  type: "close";
  document: string;
}
/**
 * `op` is checked by `text_op.parse`.
 */
export interface EditFrame {
  ref: number;
  type: "edit";
  document: string;
  seq: number;
  base: number;
  op: unknown[];
}
/**
 * Take back the last thing that one has done in a document. `revision` is the newest that one has seen:
 * asked once more with the same, it is not done twice.
 */
export interface UndoFrame {
  ref: number;
  type: "undo";
  document: string;
  revision?: number | null;
}
/**
 * Take one's last undo back. `revision` is as there.
 */
export interface RedoFrame {
  ref: number;
  type: "redo";
  document: string;
  revision?: number | null;
}
export interface CursorFrame {
  ref: number;
  type: "cursor";
  document: string;
  revision: number;
  anchor: number;
  head: number;
}
/**
 * Without `document` it is in the chat.
 */
export interface TypingFrame {
  ref: number;
  type: "typing";
  document?: string | null;
  typing: boolean;
}
/**
 * Without `status`, or with null, it follows from what the client does.
 */
export interface StatusFrame {
  ref: number;
  type: "status";
  status?: ("editing" | "running" | "idle" | "away") | null;
}
export interface Post {
  ref: number;
  type: "post";
  message: string;
  text: string;
  reply_to?: string | null;
  link?: LinkField | null;
}
/**
 * A range of a document in code points of the text of `revision`.
 */
export interface LinkField {
  document: string;
  revision: number;
  start: number;
  end: number;
}
export interface EditMessage {
  ref: number;
  type: "edit_message";
  message: string;
  text: string;
}
export interface DeleteMessage {
  ref: number;
  type: "delete_message";
  message: string;
}
/**
 * Add one's reaction, or with `reacted` false take it back.
 */
export interface React {
  ref: number;
  type: "react";
  message: string;
  emoji: string;
  reacted?: boolean;
}
export interface PinMessage {
  ref: number;
  type: "pin_message";
  message: string;
  pinned: boolean;
}
/**
 * `revision` is the one that the author sees; with a `name` it is a named one.
 */
export interface SaveRevision {
  ref: number;
  type: "save_revision";
  document: string;
  revision: number;
  name?: string | null;
}
/**
 * `document` is what is run, when it is one document.
 */
export interface StartRun {
  ref: number;
  type: "start_run";
  run: string;
  title: string;
  document?: string | null;
  revision?: number | null;
}
export interface FinishRun {
  ref: number;
  type: "finish_run";
  run: string;
  outcome: "passed" | "failed" | "stopped";
  exit_code?: number | null;
}
/**
 * Up to which notification ids the room's messages have been got and read. Neither ever goes back.
 */
export interface ReceiptFrame {
  ref: number;
  type: "receipt";
  delivered?: number;
  read?: number;
}
/**
 * Watch a projection of this room; first, what has changed in it behind position `after`.
 */
export interface Subscribe {
  ref: number;
  type: "subscribe";
  to: "activity" | "statistics";
  after?: number | null;
}
export interface Unsubscribe {
  ref: number;
  type: "unsubscribe";
  to: "activity" | "statistics";
}
/**
 * Of what went on in the room between two moments; from its beginning until now when they are missing.
 * One that is open is closed first.
 */
export interface OpenReplay {
  ref: number;
  type: "replay";
  from?: number | null;
  to?: number | null;
  speed?: number;
  skip_idle?: boolean;
}
export interface PlayReplay {
  ref: number;
  type: "replay_play";
}
export interface PauseReplay {
  ref: number;
  type: "replay_pause";
}
/**
 * Either to a moment or to a place that was told.
 */
export interface SeekReplay {
  ref: number;
  type: "replay_seek";
  at?: number | null;
  place?: string | null;
}
/**
 * What is missing stays as it is.
 */
export interface SpeedReplay {
  ref: number;
  type: "replay_speed";
  speed?: number | null;
  skip_idle?: boolean | null;
}
/**
 * By so many steps, backward when it is negative; it is paused then.
 */
export interface StepReplay {
  ref: number;
  type: "replay_step";
  by: number;
}
export interface CloseReplay {
  ref: number;
  type: "replay_close";
}
export interface CatchUp {
  ref: number;
  type: "catch_up";
  document: string;
  after: number;
  limit?: number;
}
/**
 * Whether the client's text of a revision is the server's: `hash` is the SHA-256 of its UTF-8, in hex.
 */
export interface Check {
  ref: number;
  type: "check";
  document: string;
  revision: number;
  hash: string;
}
export interface Ping {
  ref: number;
  type: "ping";
}
export interface Pong {
  type: "pong";
}
export interface Welcome {
  type: "welcome";
  ref: number;
  protocol: 1;
  epoch: string;
  position: number;
  resumed: boolean;
  session: string;
  node: string;
  you: You;
  room: RoomTold;
  members: Member[];
  documents: string[];
  people: {
    [k: string]: Looks;
  };
  roster: Stay[];
  messages: MessageSaid[];
  receipts: Pointers[];
  heartbeat: Heartbeat;
  limits: LimitsTold;
}
export interface You {
  name: string;
  colour: string;
  avatar: string;
  user: string;
  role: "viewer" | "commenter" | "editor" | "owner";
}
export interface RoomTold {
  id: string;
  title: string;
  everyone: ("viewer" | "commenter" | "editor" | "owner") | null;
}
export interface Member {
  user: string;
  role: "viewer" | "commenter" | "editor" | "owner";
}
/**
 * How somebody looks. `avatar` is a URL or empty.
 */
export interface Looks {
  name: string;
  colour: string;
  avatar: string;
}
export interface Stay {
  client: string;
  session: string;
  user: string;
  since: number;
  status: "editing" | "running" | "idle" | "away";
  active: number;
  cursors: Move[];
  typing: (string | null)[];
}
/**
 * `anchor` and `head` are null for a cursor that is not shown any more.
 */
export interface Move {
  client: string;
  document: string;
  revision: number;
  anchor: number | null;
  head: number | null;
  at: number;
}
export interface MessageSaid {
  actor: string;
  at: number;
  position: number;
  message: string;
  author: string;
  posted: number;
  client: string | null;
  text: string;
  documents: {
    [k: string]: number;
  };
  reply_to: string | null;
  mentions: string[];
  link: Link | null;
  edits: number;
  edited: number | null;
  deleted: number | null;
  pinned: number | null;
  reactions: {
    [k: string]: string[];
  };
  imported: Origin | null;
  event: "message";
}
/**
 * A range of a document in code points of the text of `revision`.
 */
export interface Link {
  document: string;
  revision: number;
  start: number;
  end: number;
}
/**
 * Where a message was imported from, by whom and when.
 */
export interface Origin {
  room: string;
  by: string;
  at: number;
}
/**
 * Up to which positions a user has got and read the messages.
 */
export interface Pointers {
  user: string;
  delivered: number;
  read: number;
}
/**
 * In seconds.
 */
export interface Heartbeat {
  interval: number;
  timeout: number;
}
export interface LimitsTold {
  frame_bytes: number;
  op_components: number;
  edits_per_second: number | null;
  chat_per_second: number | null;
  typing_seconds: number;
}
/**
 * `text`, or the `edits` behind the revision that was named.
 */
export interface Opened {
  type: "opened";
  ref: number;
  document: string;
  revision: number;
  seq: number;
  cursors: Move[];
  text?: string | null;
  edits?: Edit[] | null;
}
/**
 * `cause`, `undoes` and `source` are there where it was not typed. Of one that was imported `author` and
 * `written` say who made it elsewhere and when, `reference` and `note` what it is called there and what was
 * said of it. Edits that are read by revision have no `position`. What has a `redaction` has lost text:
 * blocks stand there, and it deletes by length.
 */
export interface Edit {
  event: "edit";
  actor: string;
  at: number;
  position?: number | null;
  document: string;
  revision: number;
  base: number;
  client: string;
  seq: number;
  op: (number | string | Delete)[];
  cause?: ("undo" | "redo" | "restore" | "branch" | "merge" | "import" | "redaction") | null;
  undoes?: number[][] | null;
  source?: (string | number)[] | null;
  author?: string | null;
  written?: number | null;
  reference?: string | null;
  note?: string | null;
  redaction?: string | null;
}
export interface Delete {
  d: number | string;
}
export interface Edits {
  type: "edits";
  ref: number;
  document: string;
  revision: number;
  edits: Edit[];
}
/**
 * `revision` answers `undo` and `redo`.
 */
export interface Ok {
  type: "ok";
  ref: number;
  revision?: number | null;
}
/**
 * With facts that depend on the code.
 */
export interface ErrorTold {
  type: "error";
  ref: number | null;
  code: string;
  message: string;
  retry_after?: number | null;
  [k: string]: unknown;
}
export interface Events {
  type: "events";
  position: number;
  events: (
    | Edit
    | MessageSaid
    | MessageEdited
    | MessageChanged
    | Reaction
    | Receipts
    | RevisionSaved
    | Redacted
    | RunStarted
    | RunFinished
    | Joined
    | StatusChanged
    | Left
    | ProfileChanged
    | DocumentListed
    | RoomOpened
    | RoomRenamed
    | AccessChanged
    | SealingChanged
    | RoomClosed
    | MemberChanged
    | MemberRemoved
    | InvitationMade
    | InvitationRevoked
  )[];
}
export interface MessageEdited {
  actor: string;
  at: number;
  position: number;
  event: "message_edited";
  message: string;
  text: string;
  mentions: string[];
}
export interface MessageChanged {
  actor: string;
  at: number;
  position: number;
  event: "message_deleted" | "message_pinned" | "message_unpinned";
  message: string;
}
export interface Reaction {
  actor: string;
  at: number;
  position: number;
  event: "reaction_added" | "reaction_removed";
  message: string;
  emoji: string;
}
export interface Receipts {
  actor: string;
  at: number;
  position: number;
  event: "receipts";
  receipts: Pointers[];
}
export interface RevisionSaved {
  actor: string;
  at: number;
  position: number;
  event: "revision_saved";
  document: string;
  revision: number;
  name: string | null;
}
/**
 * Text was removed from the past of these documents and messages; `author`: all of theirs.
 */
export interface Redacted {
  actor: string;
  at: number;
  position: number;
  event: "redaction";
  redaction: string;
  reason: string;
  author: string | null;
  documents: string[];
  messages: string[];
  events: number;
  characters: number;
}
export interface RunStarted {
  actor: string;
  at: number;
  position: number;
  event: "run_started";
  run: string;
  client: string;
  title: string;
  document: string | null;
  revision: number | null;
}
export interface RunFinished {
  actor: string;
  at: number;
  position: number;
  event: "run_finished";
  run: string;
  outcome: "passed" | "failed" | "stopped";
  exit_code: number | null;
}
export interface Joined {
  name: string;
  colour: string;
  avatar: string;
  actor: string;
  at: number;
  position: number;
  event: "joined";
  client: string;
  session: string;
}
export interface StatusChanged {
  actor: string;
  at: number;
  position: number;
  event: "status";
  client: string;
  session: string;
  status: "editing" | "running" | "idle" | "away";
}
export interface Left {
  actor: string;
  at: number;
  position: number;
  event: "left";
  client: string;
  session: string;
  reason: string;
}
export interface ProfileChanged {
  name: string;
  colour: string;
  avatar: string;
  actor: string;
  at: number;
  position: number;
  event: "profile";
  user: string;
}
export interface DocumentListed {
  actor: string;
  at: number;
  position: number;
  event: "document_listed" | "document_unlisted";
  document: string;
}
export interface RoomOpened {
  actor: string;
  at: number;
  position: number;
  event: "room_opened";
  title: string;
  everyone: ("viewer" | "commenter" | "editor" | "owner") | null;
}
export interface RoomRenamed {
  actor: string;
  at: number;
  position: number;
  event: "room_renamed";
  title: string;
}
export interface AccessChanged {
  actor: string;
  at: number;
  position: number;
  event: "access_changed";
  everyone: ("viewer" | "commenter" | "editor" | "owner") | null;
}
export interface SealingChanged {
  actor: string;
  at: number;
  position: number;
  event: "sealing_changed";
  sealed: boolean;
}
export interface RoomClosed {
  actor: string;
  at: number;
  position: number;
  event: "room_closed";
}
export interface MemberChanged {
  actor: string;
  at: number;
  position: number;
  event: "member_added" | "role_changed";
  user: string;
  role: "viewer" | "commenter" | "editor" | "owner";
}
export interface MemberRemoved {
  actor: string;
  at: number;
  position: number;
  event: "member_removed";
  user: string;
}
export interface InvitationMade {
  actor: string;
  at: number;
  position: number;
  event: "invitation_made";
  invitation: string;
  role: "viewer" | "commenter" | "editor" | "owner";
  expires: number;
  uses: number | null;
}
export interface InvitationRevoked {
  actor: string;
  at: number;
  position: number;
  event: "invitation_revoked";
  invitation: string;
}
export interface PresenceTold {
  type: "presence";
  position: number;
  moves: Move[];
  typing: Sign[];
}
/**
 * Of typing; without a document in the chat.
 */
export interface Sign {
  client: string;
  document: string | null;
  typing: boolean;
  at: number;
}
export interface Notice {
  type: "notice";
  notice: "mention";
  room: string;
  message: string;
  actor: string;
  at: number;
  position: number;
}
/**
 * Lines as over HTTP; `position`: up to where that is all of it.
 */
export interface ActivityTold {
  type: "activity";
  position: number;
  lines: {
    [k: string]: unknown;
  }[];
}
/**
 * The figures as over HTTP, and up to where they count.
 */
export interface StatisticsTold {
  type: "statistics";
  position: number;
  [k: string]: unknown;
}
export interface PingTold {
  type: "ping";
}
export interface ReplayOpened {
  type: "replay_opened";
  ref: number;
  room: string;
  from: number;
  until: number;
  events: number;
  marks: Mark[];
  stage: StageTold;
  at: number;
  place: string;
  playing: boolean;
  speed: number;
}
export interface Mark {
  at: number;
  position: number;
  kind: string;
  user: string;
  text: string;
}
export interface StageTold {
  at: number;
  place: string;
  documents: StagedDocument[];
  people: StagedPerson[];
  messages: PlacedMessage[];
}
export interface StagedDocument {
  document: string;
  revision: number;
  text: string;
  listed: boolean;
}
export interface StagedPerson {
  client: string;
  user: string;
  name: string;
  colour: string;
  status: "editing" | "running" | "idle" | "away";
  cursor: StagedCursor | null;
  typing: StagedTyping | null;
}
export interface StagedCursor {
  document: string;
  revision: number;
  anchor: number;
  head: number;
}
export interface StagedTyping {
  document: string | null;
  at: number;
}
/**
 * One with its place in the log.
 */
export interface PlacedMessage {
  message: string;
  author: string;
  posted: number;
  client: string | null;
  text: string;
  documents: {
    [k: string]: number;
  };
  reply_to: string | null;
  mentions: string[];
  link: Link | null;
  edits: number;
  edited: number | null;
  deleted: number | null;
  pinned: number | null;
  reactions: {
    [k: string]: string[];
  };
  imported: Origin | null;
  position: number;
}
export interface ReplayTold {
  type: "replay";
  at: number;
  place: string;
  playing: boolean;
  speed: number;
  steps?: Step[] | null;
  stage?: StageTold | null;
  error?: ReplayError | null;
}
/**
 * What an event of a step is: one of the room, or a `presence` frame.
 */
export interface Step {
  type: "step";
  at: number;
  place: string;
  events: (
    | (
        | Edit
        | MessageSaid
        | MessageEdited
        | MessageChanged
        | Reaction
        | Receipts
        | RevisionSaved
        | Redacted
        | RunStarted
        | RunFinished
        | Joined
        | StatusChanged
        | Left
        | ProfileChanged
        | DocumentListed
        | RoomOpened
        | RoomRenamed
        | AccessChanged
        | SealingChanged
        | RoomClosed
        | MemberChanged
        | MemberRemoved
        | InvitationMade
        | InvitationRevoked
      )
    | PresenceTold
  )[];
}
export interface ReplayError {
  code: string;
  message: string;
}
