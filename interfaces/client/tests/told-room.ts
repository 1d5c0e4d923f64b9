/** A room's parts at a session that hears what the test tells it: no socket, no server, and the test's time. */

import { readFileSync } from "node:fs";
import { Bell } from "../src/cell.ts";
import type { ServerFrame } from "../src/frames.ts";
import type { RoomPart, Surroundings } from "../src/part.ts";
import type { Frame } from "../src/requests.ts";
import { Session } from "../src/session.ts";

/** As all clients' tests have it: Ada comes, and Ben is here. */
const WELCOME: Frame = JSON.parse(
  readFileSync(new URL("../../../tests/scripts/welcome.json", import.meta.url), "utf8"),
);

export const ME = "ada-l";
export const BEN = "ben-k";

export class ToldRoom implements Surroundings {
  readonly bell = new Bell();
  readonly session = new Session({
    onStatus: () => {},
    onForeignClient: () => false,
    onComplaint: () => {},
  });
  #now = 1_000_000;
  #position: number = WELCOME.position;

  constructor() {
    this.session.client = "ada";
  }

  follow<T extends RoomPart>(part: T): T {
    this.session.parts.push(part);
    return part;
  }

  // What parts ask.

  get requests() {
    return this.session.requests;
  }

  get isOnline(): boolean {
    return this.session.isOnline;
  }

  get user(): string {
    return this.session.user;
  }

  now(): number {
    return this.#now;
  }

  settle(): void {
    this.bell.ring();
  }

  command(request: Frame): Promise<number | null> {
    return this.session.commands.add(request, this.#now);
  }

  // What the test does.

  /** We are in; `fields` say what is not as usual. */
  welcome(fields: Frame = {}): void {
    this.session.onConnected(this.#now, 1);
    const hello = this.sent("hello").at(-1)!;
    this.#position = Math.max(this.#position, fields.position ?? 0);
    this.hear({ ...WELCOME, position: this.#position, ...fields, ref: hello.ref });
  }

  cut(): void {
    this.session.onDisconnected(1006);
    this.bell.ring();
  }

  hear(frame: Frame): void {
    // Tests say in a frame only what matters to them.
    this.session.onFrame(frame as unknown as ServerFrame, this.#now);
    this.bell.ring();
  }

  /** Events of the room, at the next positions of the log and by Ben where nothing else is said. */
  tell(...events: Frame[]): void {
    const placed = events.map((event) => ({
      actor: BEN,
      at: this.#now * 1_000,
      position: ++this.#position,
      ...event,
    }));
    this.#position = Math.max(this.#position, ...placed.map(({ position }) => position));
    this.hear({ type: "events", position: this.#position, events: placed });
  }

  /** What was sent of this type since it was asked last. */
  sent(type: string): Frame[] {
    const frames = this.session.takeFrames();
    const wanted = frames.filter((frame) => frame.type === type);
    this.session.requests.frames = frames.filter((frame) => frame.type !== type);
    return wanted;
  }

  answer(request: Frame, fields: Frame = { type: "ok" }): void {
    this.hear({ ...fields, ref: request.ref });
  }

  /** Time goes by, and what is due on the way is done when it is. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let due = this.session.nextTime(); due !== null && due <= until; due = this.session.nextTime()) {
      this.#now = Math.max(this.#now, due);
      this.session.onTime(this.#now);
    }
    this.#now = until;
    this.bell.ring();
  }
}

/** A message as it is told on the socket; over HTTP it is the same without `event`. */
export function messageSaid(message: string, fields: Frame = {}): Frame {
  return {
    event: "message",
    message,
    author: BEN,
    posted: 5,
    client: "ben",
    text: `the text of ${message}`,
    documents: {},
    reply_to: null,
    mentions: [],
    link: null,
    edits: 0,
    edited: null,
    deleted: null,
    pinned: null,
    reactions: {},
    imported: null,
    ...fields,
  };
}

/** Keeps what a store shows whenever it tells that it has changed. */
export function watch<T>(store: { getSnapshot: () => T; subscribe: (listener: () => void) => () => void }): {
  readonly seen: T[];
  end(): void;
} {
  const seen: T[] = [];
  const end = store.subscribe(() => seen.push(store.getSnapshot()));
  return { seen, end };
}

/** Promises that are settled have told so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
