/** What goes over the socket, by the server's own models. */

import type { ClientFrame, Edit, Events } from "./generated/frames.ts";

export type { Edit, Events, PresenceTold, Reaction, ServerFrame, Stay, Welcome } from "./generated/frames.ts";

/** What happens in a room, but for edits, which come to the documents. */
export type RoomEvent = Exclude<Events["events"][number], Edit>;

/** A request before it has its `ref`. */
export type Request = ClientFrame extends infer Each
  ? Each extends { ref: number }
    ? Omit<Each, "ref">
    : never
  : never;
