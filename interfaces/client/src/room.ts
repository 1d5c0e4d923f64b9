import type { Room, RoomOptions } from "./types.ts";

/** Join a room: connects, and stays connected until `leave`. Returns at once; the stores tell how it goes. */
export function joinRoom(options: RoomOptions): Room {
  throw new Error(`not written yet: ${options.room}`);
}
