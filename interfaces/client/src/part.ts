/** A part of a room that follows what the session is told: presence, chat, activity, statistics, a replay. */

import type { Bell } from "./cell.ts";
import type { Edit, PresenceTold, RoomEvent, ServerFrame, Welcome } from "./frames.ts";
import type { Frame, Requests } from "./requests.ts";

/** Each is called when its moment has come; a part has those that it needs. Times are milliseconds. */
export interface RoomPart {
  /** We are in: what is told of the room as it is now. `resumed`: the events that were missed follow. */
  onWelcome?(welcome: Welcome, now: number): void;
  /** The log is another one than before: positions of the old mean nothing. Before `onWelcome`. */
  onOtherEpoch?(): void;
  /** After every part has taken the welcome in: now things may be asked. */
  onOnline?(now: number): void;
  onOffline?(): void;
  /** One event of the room, in the order of the log; no edits. */
  onEvent?(event: RoomEvent, now: number): void;
  /** An edit of any open document. */
  onEdit?(event: Edit, now: number): void;
  /** A `presence` frame: moves and signs of typing. */
  onPresence?(frame: PresenceTold, now: number): void;
  /** A frame of a type of its own: `activity`, `statistics`, `replay`, `notice`. */
  onFrame?(frame: ServerFrame, now: number): void;
  /** Do what is due; called at `due`, or earlier. */
  onTime?(now: number): void;
  readonly due?: number | null;
}

/** What a part may ask of the session. */
export interface Surroundings {
  readonly requests: Requests;
  readonly bell: Bell;
  readonly isOnline: boolean;
  /** Who we are; "" before the first welcome. */
  readonly user: string;
  /** Milliseconds of this machine's clock. */
  now(): number;
  /** Send what is waiting, plan the next `onTime`, tell listeners: after everything that is not called by the session. */
  settle(): void;
  /** Have a command done (see commands.ts). */
  command(request: Frame): Promise<number | null>;
}
