/** A replay on the server, for this client alone: what was opened, what it has shown, and how to steer it. */

import { Cell } from "./cell.ts";
import { ChronoscribeError, Refused } from "./errors.ts";
import type { ServerFrame } from "./frames.ts";
import type { RoomPart, Surroundings } from "./part.ts";
import type { Frame } from "./requests.ts";
import { StageFold } from "./stage.ts";
import type { Mark, Replay, ReplaySnapshot } from "./types.ts";
import { within } from "./within.ts";

/** An answer is lost with its socket; and a room with a long past takes some seconds to be opened at its end. */
const ANSWER_SECONDS = 30;

export interface ReplayOptions {
  readonly from?: number;
  readonly until?: number;
  readonly speed?: number;
  readonly skipIdle?: boolean;
}

/** The room's player: one replay at a time. */
export class Player implements RoomPart {
  readonly #around: Surroundings;
  #open: OpenReplay | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  async open(options: ReplayOptions): Promise<Replay> {
    this.#open?.end();
    const replay = new OpenReplay(this.#around, options);
    this.#open = replay;
    await replay.begin();
    return replay;
  }

  onFrame(frame: ServerFrame): void {
    if (frame.type === "replay") this.#open?.onFrame(frame);
  }

  onOnline(): void {
    this.#open?.onOnline();
  }

  onOffline(): void {
    this.#open?.onOffline();
  }
}

class OpenReplay implements Replay {
  readonly #around: Surroundings;
  readonly #options: ReplayOptions;
  readonly #snapshot: Cell<ReplaySnapshot>;
  #status: ReplaySnapshot["status"] = "opening";
  #from = 0;
  #until = 0;
  #events = 0;
  #marks: readonly Mark[] = [];
  #at = 0;
  #place = "";
  #isPlaying = false;
  #speed: number;
  #skipIdle: boolean;
  #fold = new StageFold({ at: 0, place: "", documents: [], people: [], messages: [] });

  constructor(around: Surroundings, options: ReplayOptions) {
    this.#around = around;
    this.#options = options;
    this.#speed = options.speed ?? 1;
    this.#skipIdle = options.skipIdle ?? true;
    this.#snapshot = new Cell(around.bell, () => this.#describe());
  }

  get getSnapshot(): () => ReplaySnapshot {
    return this.#snapshot.getSnapshot;
  }

  get subscribe(): (listener: () => void) => () => void {
    return this.#snapshot.subscribe;
  }

  // Steering.

  async begin(): Promise<void> {
    const frame: Frame = { type: "replay", speed: this.#speed, skip_idle: this.#skipIdle };
    if (this.#options.from !== undefined) frame.from = this.#options.from;
    if (this.#options.until !== undefined) frame.to = this.#options.until;
    const opened = await this.#ask(frame);
    this.#from = opened.from;
    this.#until = opened.until;
    this.#events = opened.events;
    this.#marks = opened.marks;
    this.#status = "open";
    this.#take(opened);
  }

  async play(): Promise<void> {
    await this.#ask({ type: "replay_play" });
    this.#set({ isPlaying: true });
  }

  async pause(): Promise<void> {
    await this.#ask({ type: "replay_pause" });
    this.#set({ isPlaying: false });
  }

  async seek(where: number | string): Promise<void> {
    await this.#ask({
      type: "replay_seek",
      ...(typeof where === "number" ? { at: Math.round(where) } : { place: where }),
    });
  }

  async setSpeed(speed: number): Promise<void> {
    this.#speed = speed;
    await this.#ask({ type: "replay_speed", speed });
  }

  async setSkipIdle(skip: boolean): Promise<void> {
    this.#skipIdle = skip;
    await this.#ask({ type: "replay_speed", skip_idle: skip });
    this.#touch();
  }

  async step(by: number): Promise<void> {
    await this.#ask({ type: "replay_step", by });
    this.#set({ isPlaying: false });
  }

  close(): void {
    if (this.#status === "closed") return;
    this.end();
    if (this.#around.isOnline) this.#around.requests.ask({ type: "replay_close" }, () => {});
    this.#around.settle();
  }

  /** Another one has taken its place. */
  end(): void {
    this.#status = "closed";
    this.#isPlaying = false;
    this.#snapshot.touch();
  }

  #ask(frame: Frame): Promise<Frame> {
    if (!this.#around.isOnline)
      return Promise.reject(new ChronoscribeError("E_OFFLINE", "there is no connection"));
    const answered = new Promise<Frame>((resolve, reject) => {
      this.#around.requests.ask(frame, ({ ref: _, ...reply }) => {
        if (reply.type === "error") reject(new Refused(reply.code, reply.message, reply));
        else resolve(reply);
      });
    });
    this.#around.settle();
    return within(ANSWER_SECONDS, "the replay", answered);
  }

  // Hearing.

  onFrame(frame: Frame): void {
    if (this.#status === "open") this.#take(frame);
  }

  /** The server keeps no replay over a lost socket: it is opened again where it was. */
  onOnline(): void {
    if (this.#status !== "offline") return;
    const { at: was } = this.#snapshot.getSnapshot();
    const wasPlaying = this.#isPlaying;
    this.begin()
      .then(() => this.seek(was))
      .then(() => (wasPlaying ? this.play() : undefined))
      .catch(() => this.end());
  }

  onOffline(): void {
    if (this.#status === "closed") return;
    this.#status = "offline";
    this.#snapshot.touch();
  }

  #take(frame: Frame): void {
    if (frame.stage) this.#fold = new StageFold(frame.stage);
    for (const step of frame.steps ?? []) this.#fold.step(step);
    this.#at = frame.at;
    this.#place = frame.place;
    this.#fold.advance(frame.at, frame.place);
    this.#isPlaying = frame.playing;
    this.#speed = frame.speed;
    this.#touch();
  }

  #set({ isPlaying }: { isPlaying: boolean }): void {
    this.#isPlaying = isPlaying;
    this.#touch();
  }

  #touch(): void {
    this.#snapshot.touch();
    this.#around.bell.ring();
  }

  #describe(): ReplaySnapshot {
    return Object.freeze({
      status: this.#status,
      from: this.#from,
      until: this.#until,
      events: this.#events,
      marks: this.#marks,
      at: this.#at,
      place: this.#place,
      isPlaying: this.#isPlaying,
      speed: this.#speed,
      skipIdle: this.#skipIdle,
      stage: this.#fold.stage(),
    });
  }
}
