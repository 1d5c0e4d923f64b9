/**
 * Time laid out on a line, with what lies idle folded together: a week in which people wrote for an hour shows that
 * hour. Places on the line are of no unit; only their ratio to `length` counts.
 */

/** A pause of this long is still part of what people do. */
const PAUSE_MICROSECONDS = 60_000_000;

/** What is longer takes as much room as this much of doing, or less where a whole session is shorter. */
const FOLDED_MICROSECONDS = 30_000_000;

/** Folds take no more than this part of the line together. */
const FOLDED_SHARE = 0.25;

export interface Span {
  readonly at: number;
  readonly until: number;
}

interface Knot {
  readonly time: number;
  readonly place: number;
}

export class TimeLine {
  readonly length: number;
  /** Where time is folded. */
  readonly folds: readonly number[];
  readonly #knots: readonly Knot[];

  constructor(from: number, until: number, spans: readonly Span[]) {
    const idle = idleOf(from, Math.max(until, from + 1), spans);
    const busy = Math.max(until, from + 1) - from - idle.reduce((sum, span) => sum + span.until - span.at, 0);
    const most = (busy * FOLDED_SHARE) / Math.max(1, idle.length);
    const fold = Math.max(1, Math.min(FOLDED_MICROSECONDS, most || 1));
    const knots: Knot[] = [{ time: from, place: 0 }];
    const folds: number[] = [];
    for (const span of idle) {
      const last = knots.at(-1)!;
      const begin = { time: span.at, place: last.place + span.at - last.time };
      if (begin.time > last.time) knots.push(begin);
      folds.push(begin.place + fold / 2);
      knots.push({ time: span.until, place: begin.place + fold });
    }
    const last = knots.at(-1)!;
    const end = Math.max(until, from + 1);
    if (end > last.time) knots.push({ time: end, place: last.place + end - last.time });
    this.#knots = knots;
    this.folds = folds;
    this.length = knots.at(-1)!.place;
  }

  placeOf(time: number): number {
    return between(this.#knots, time, "time", "place");
  }

  timeOf(place: number): number {
    return Math.round(between(this.#knots, place, "place", "time"));
  }

  /** In percent of the line. */
  shareOf(time: number): number {
    return (100 * this.placeOf(time)) / this.length;
  }
}

/** Where nobody did anything for longer than a pause. */
function idleOf(from: number, until: number, spans: readonly Span[]): Span[] {
  const idle: Span[] = [];
  let last = from;
  const ordered = [...spans].sort((one, other) => one.at - other.at);
  for (const span of [...ordered, { at: until, until }]) {
    const at = Math.min(Math.max(span.at, from), until);
    if (at - last > PAUSE_MICROSECONDS) idle.push({ at: last, until: at });
    last = Math.max(last, Math.min(span.until, until));
  }
  return idle;
}

/** A straight line between the knots around a value. */
function between(
  knots: readonly Knot[],
  value: number,
  known: "time" | "place",
  wanted: "time" | "place",
): number {
  const after = knots.findIndex((knot) => knot[known] >= value);
  if (after === -1) return knots.at(-1)![wanted];
  if (after === 0) return knots[0]![wanted];
  const [one, other] = [knots[after - 1]!, knots[after]!];
  const part = (value - one[known]) / (other[known] - one[known]);
  return one[wanted] + part * (other[wanted] - one[wanted]);
}
