/** The real server that these tests speak with, and people in its rooms. */

import { joinRoom, type Room, type RoomOptions, type WebSocketClass } from "@chronoscribe/client";
import { WebSocket } from "ws";

/** Of a running server; whoever starts the tests sets it. Without one the tests that need it are skipped. */
export const url = process.env.CHRONOSCRIBE_URL;

export async function guest(name: string): Promise<string> {
  const response = await fetch(`${url}/api/guests`, { method: "POST", body: JSON.stringify({ name }) });
  return ((await response.json()) as { token: string }).token;
}

/** A new room for everyone; its id. */
export async function makeRoom(token: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const body = JSON.stringify({ everyone: "editor" });
  const response = await fetch(`${url}/api/rooms`, { method: "POST", headers, body });
  return ((await response.json()) as { room: string }).room;
}

export function join(room: string, token: string, options: Partial<RoomOptions> = {}): Room {
  return joinRoom({
    url: url!,
    room,
    credentials: { token: async () => token },
    WebSocket: WebSocket as unknown as WebSocketClass,
    ...options,
  });
}

/** Resolves when it is so; listens, and does not ask again and again. */
export function until<T>(
  store: { getSnapshot: () => T; subscribe: (listener: () => void) => () => void },
  isSo: (value: T) => boolean,
): Promise<T> {
  return new Promise((resolve) => {
    const look = () => {
      const value = store.getSnapshot();
      if (!isSo(value)) return;
      end();
      resolve(value);
    };
    const end = store.subscribe(look);
    look();
  });
}
