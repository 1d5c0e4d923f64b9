/** Projections of a room that are live while somebody looks: its activity, line by line, and its figures. */

import { Cell } from "./cell.ts";
import type { ServerFrame } from "./frames.ts";
import type { RoomPart, Surroundings } from "./part.ts";
import { Stream } from "./stream.ts";
import type {
  ActivityLine,
  ActivitySnapshot,
  Activity as ActivityStore,
  Statistics,
  Store,
} from "./types.ts";

/** Lines of activity come so many at a time. */
const PAGE = 50;

/** Reads the room's lines behind an id (the newest first), or the newest. */
export type FindLines = (before: number | null, limit: number) => Promise<readonly ActivityLine[]>;

export class Activity implements RoomPart, ActivityStore {
  readonly #around: Surroundings;
  readonly #findLines: FindLines;
  readonly #stream: Stream;
  readonly #snapshot: Cell<ActivitySnapshot>;
  readonly #lines = new Map<number, ActivityLine>();
  #hasOlder = true;
  #hasBegun = false;
  #loading: Promise<void> | null = null;

  constructor(around: Surroundings, findLines: FindLines) {
    this.#around = around;
    this.#findLines = findLines;
    this.#stream = new Stream("activity", around.requests, (frame) => this.#onNews(frame.lines));
    this.#snapshot = new Cell(around.bell, () => this.#describe());
    this.#snapshot.onWatched = () => {
      this.#stream.want(true, around.now());
      if (!this.#hasBegun) void this.loadOlder().catch(() => {});
      around.settle();
    };
    this.#snapshot.onUnwatched = () => {
      this.#stream.want(false, around.now());
      around.settle();
    };
  }

  get getSnapshot(): () => ActivitySnapshot {
    return this.#snapshot.getSnapshot;
  }

  get subscribe(): (listener: () => void) => () => void {
    return this.#snapshot.subscribe;
  }

  get due(): number | null {
    return this.#stream.due;
  }

  loadOlder(): Promise<void> {
    if (this.#hasBegun && !this.#hasOlder) return Promise.resolve();
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#snapshot.touch();
    try {
      const before = this.#hasBegun ? Math.min(...this.#lines.keys(), Number.MAX_SAFE_INTEGER) : null;
      const lines = await this.#findLines(before, PAGE);
      this.#hasBegun = true;
      this.#hasOlder = lines.length >= PAGE;
      this.#onNews(lines);
    } finally {
      this.#loading = null;
      this.#snapshot.touch();
      this.#around.bell.ring();
    }
  }

  /** A line comes again when something was folded into it: the newer one takes the other's place. */
  #onNews(lines: readonly ActivityLine[]): number {
    let last = 0;
    for (const line of lines) {
      const known = this.#lines.get(line.id);
      if (known === undefined || known.changed <= line.changed) this.#lines.set(line.id, Object.freeze(line));
      last = Math.max(last, line.changed);
    }
    this.#snapshot.touch();
    return last;
  }

  onOnline(now: number): void {
    this.#stream.onOnline(now);
  }

  onOffline(): void {
    this.#stream.onOffline();
  }

  onOtherEpoch(): void {
    this.#stream.onOtherEpoch();
    this.#lines.clear();
    this.#hasBegun = false;
    this.#snapshot.touch();
  }

  onFrame(frame: ServerFrame): void {
    this.#stream.onFrame(frame);
  }

  onTime(now: number): void {
    this.#stream.onTime(now);
  }

  #describe(): ActivitySnapshot {
    const lines = [...this.#lines.values()].sort((one, other) => other.id - one.id);
    return Object.freeze({ lines, hasOlder: this.#hasOlder, isLoading: this.#loading !== null });
  }
}

export class WatchedStatistics implements RoomPart, Store<Statistics | null> {
  readonly #stream: Stream;
  readonly #snapshot: Cell<Statistics | null>;
  #latest: Statistics | null = null;

  constructor(around: Surroundings) {
    this.#stream = new Stream("statistics", around.requests, (frame) => {
      const { type: _, ...statistics } = frame;
      this.#latest = Object.freeze(statistics) as unknown as Statistics;
      this.#snapshot.touch();
      return frame.position;
    });
    this.#snapshot = new Cell(around.bell, () => this.#latest);
    this.#snapshot.onWatched = () => {
      this.#stream.want(true, around.now());
      around.settle();
    };
    this.#snapshot.onUnwatched = () => {
      this.#stream.want(false, around.now());
      around.settle();
    };
  }

  get getSnapshot(): () => Statistics | null {
    return this.#snapshot.getSnapshot;
  }

  get subscribe(): (listener: () => void) => () => void {
    return this.#snapshot.subscribe;
  }

  get due(): number | null {
    return this.#stream.due;
  }

  onOnline(now: number): void {
    this.#stream.onOnline(now);
  }

  onOffline(): void {
    this.#stream.onOffline();
  }

  onOtherEpoch(): void {
    this.#stream.onOtherEpoch();
  }

  onFrame(frame: ServerFrame): void {
    this.#stream.onFrame(frame);
  }

  onTime(now: number): void {
    this.#stream.onTime(now);
  }
}
