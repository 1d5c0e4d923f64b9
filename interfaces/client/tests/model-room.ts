/** A room at a model server, in the test's time. */

import { afterEach, beforeEach, vi } from "vitest";
import { joinRoom } from "../src/room.ts";
import type { Locks, Room, RoomOptions } from "../src/types.ts";
import { type ModelServer, URL_OF_MODEL } from "./model-server.ts";

/** To be called in a `describe`: timers are false in it. */
export function inTestTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

export function enter(server: ModelServer, options: Partial<RoomOptions> = {}): Room {
  return joinRoom({
    url: URL_OF_MODEL,
    room: "room",
    credentials: { token: async () => "token" },
    WebSocket: server.WebSocket,
    fetch: server.fetch,
    random: () => 1,
    ...options,
  });
}

/** The program ends at once, without a word: its sockets go, and nothing of it runs on. */
export class Program {
  readonly locks: Locks;
  #release: (() => void)[] = [];
  #isDead = false;

  constructor(held: Set<string>) {
    this.locks = {
      acquire: async (name) => {
        if (this.#isDead) return new Promise(() => {});
        if (held.has(name)) return null;
        held.add(name);
        this.#release.push(() => held.delete(name));
        return () => held.delete(name);
      },
    };
  }

  kill(): void {
    this.#isDead = true;
    vi.clearAllTimers();
    for (const release of this.#release) release();
  }
}
