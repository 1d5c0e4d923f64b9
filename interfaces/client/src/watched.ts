/** Projections of a room that are live while somebody looks: its activity, line by line, and its figures. */

import { Cell } from "./cell.ts";
import type { ServerFrame } from "./frames.ts";
import type { RoomPart, Surroundings } from "./part.ts";
import type { Frame } from "./requests.ts";
import { Stream } from "./stream.ts";
import type {
  ActivityLine,
  ActivitySnapshot,
  Activity as ActivityStore,
  LiveStatistics,
  Store,
} from "./types.ts";

/** Lines of activity come so many at a time. */
const PAGE = 50;

/** Reads the room's lines behind an id (the newest first), or the newest. */
export type FindLines = (before: number | null, limit: number) => Promise<LinesPage>;

export interface LinesPage {
  readonly lines: readonly ActivityLine[];
  /** Up to where the server had read the log: what has changed behind it is to be told. */
  readonly position: number;
}

export class Activity implements RoomPart, ActivityStore {
  readonly #around: Surroundings;
  readonly #findLines: FindLines;
  readonly #stream: Stream;
  readonly #snapshot: Cell<ActivitySnapshot>;
  readonly #lines = new Map<number, ActivityLine>();
  #hasOlder = true;
  #hasBegun = false;
  #first = 0; // from this id on there is every line
  #loading: Promise<void> | null = null;
  #logs = 0; // of how many logs we have heard

  constructor(around: Surroundings, findLines: FindLines) {
    this.#around = around;
    this.#findLines = findLines;
    this.#stream = new Stream("activity", around.requests, (frame) => {
      this.#onNews(frame.lines);
      return frame.position;
    });
    this.#snapshot = new Cell(around.bell, () => this.#describe());
    this.#snapshot.onWatched = () => {
      this.#stream.want(true, around.now());
      this.#begin();
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
    if (this.#loading !== null) return this.#loading;
    const loading = this.#load();
    this.#loading = loading;
    this.#snapshot.touch();
    this.#around.bell.ring();
    return loading;
  }

  /** The first page is asked for by itself, until it has come. */
  #begin(): void {
    if (!this.#hasBegun && this.#snapshot.isWatched) void this.loadOlder().catch(() => {});
  }

  async #load(): Promise<void> {
    const log = this.#logs;
    try {
      const page = await this.#findLines(this.#hasBegun ? this.#first : null, PAGE);
      if (log === this.#logs) this.#onPage(page);
    } finally {
      this.#loading = null;
      this.#snapshot.touch();
      if (log !== this.#logs) this.#begin(); // these were lines of another log
      this.#around.settle();
    }
  }

  #onPage({ lines, position }: LinesPage): void {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    this.#hasOlder = lines.length >= PAGE;
    this.#first = this.#hasOlder ? lines.at(-1)!.id : 0;
    this.#onNews(lines);
    // What has changed since this page was read is to be told, also if that was before we have subscribed.
    if (isFirst) this.#stream.goOnAfter(position, this.#around.now());
  }

  /**
   * A line comes again when something was folded into it, or its words were not there yet: the newer one takes the
   * other's place.
   */
  #onNews(lines: readonly ActivityLine[]): void {
    for (const line of lines) {
      const known = this.#lines.get(line.id);
      if (known === undefined || known.changed <= line.changed) this.#lines.set(line.id, Object.freeze(line));
    }
    this.#snapshot.touch();
  }

  onOnline(now: number): void {
    this.#stream.onOnline(now);
    this.#begin();
  }

  onOffline(): void {
    this.#stream.onOffline();
  }

  onOtherEpoch(): void {
    this.#stream.onOtherEpoch();
    this.#lines.clear();
    this.#logs += 1;
    this.#hasBegun = false;
    this.#hasOlder = true;
    this.#first = 0;
    this.#snapshot.touch();
  }

  onFrame(frame: ServerFrame): void {
    this.#stream.onFrame(frame);
  }

  onTime(now: number): void {
    this.#stream.onTime(now);
  }

  #describe(): ActivitySnapshot {
    // What was folded into a line of long ago is shown with its page: between the two others are missing.
    const known = [...this.#lines.values()].filter(({ id }) => id >= this.#first);
    const lines = known.sort((one, other) => other.id - one.id);
    return Object.freeze({ lines, hasOlder: this.#hasOlder, isLoading: this.#loading !== null });
  }
}

export class WatchedStatistics implements RoomPart, Store<LiveStatistics | null> {
  readonly #stream: Stream;
  readonly #snapshot: Cell<LiveStatistics | null>;
  #latest: LiveStatistics | null = null;

  constructor(around: Surroundings) {
    const onNews = (frame: Frame) => {
      const { position, day, ever } = frame;
      this.#latest = Object.freeze({ position, day, ever });
      this.#snapshot.touch();
      return position;
    };
    // From the beginning: in a quiet room nothing else would tell them.
    this.#stream = new Stream("statistics", around.requests, onNews, 0);
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

  get getSnapshot(): () => LiveStatistics | null {
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
    this.#latest = null;
    this.#snapshot.touch();
  }

  onFrame(frame: ServerFrame): void {
    this.#stream.onFrame(frame);
  }

  onTime(now: number): void {
    this.#stream.onTime(now);
  }
}
