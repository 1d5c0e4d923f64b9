/**
 * Where on the strip a moment stands. Pauses in which nobody did anything are folded, or a session of an hour would be
 * a dot in a room that is a month old. A place is microseconds of what is shown: those of the pauses are left out.
 */

export interface Span {
  readonly from: number;
  readonly until: number;
}

/** A pause that is folded: where it stands, and when it was. */
export interface Fold extends Span {
  readonly place: number;
}

/** Shorter pauses belong to the work. */
const LEAST_PAUSE = 3_000_000;
/** Of all the work, a pause that is worth folding... */
const PAUSE_SHARE = 1 / 40;
/** ...and as how much of that it is still seen, as long as all of them together take no more than... */
const FOLDED_SHARE = 0.3;
/** ...this share of the work. */
const ALL_FOLDED_SHARE = 0.3;

interface Stretch extends Span {
  readonly place: number;
  readonly length: number;
}

export class TimeScale {
  readonly #stretches: readonly Stretch[];
  readonly folds: readonly Fold[];
  /** Of all of it. */
  readonly length: number;

  /** `busy`: when something was done, in any order. With `isFolded` false every second is as long as another. */
  constructor(whole: Span, busy: readonly Span[], isFolded: boolean) {
    const until = Math.max(whole.until, whole.from + 1);
    const pauses = isFolded ? pausesOf({ from: whole.from, until }, busy) : [];
    const stretches: Stretch[] = [];
    const folds: Fold[] = [];
    let place = 0;
    let at = whole.from;
    const add = (to: number, length: number) => {
      if (to <= at) return;
      stretches.push({ from: at, until: to, place, length });
      place += length;
      at = to;
    };
    for (const { from, until: end, length } of pauses) {
      add(from, from - at);
      folds.push({ from, until: end, place: place + length / 2 });
      add(end, length);
    }
    add(until, until - at);
    this.#stretches = stretches;
    this.folds = folds;
    this.length = place;
  }

  placeOf(at: number): number {
    const { from, until, place, length } = this.#find((stretch) => stretch.until >= at);
    return place + Math.min(1, Math.max(0, (at - from) / (until - from))) * length;
  }

  timeAt(wanted: number): number {
    const { from, until, place, length } = this.#find((stretch) => stretch.place + stretch.length >= wanted);
    return from + Math.min(1, Math.max(0, (wanted - place) / length)) * (until - from);
  }

  /** The first one that is far enough; they are in order. */
  #find(isFar: (stretch: Stretch) => boolean): Stretch {
    let low = 0;
    let high = this.#stretches.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isFar(this.#stretches[middle]!)) high = middle;
      else low = middle + 1;
    }
    return this.#stretches[low]!;
  }
}

function pausesOf(whole: Span, busy: readonly Span[]): (Span & { readonly length: number })[] {
  const joined = [...busy].sort((one, other) => one.from - other.from);
  const gaps: Span[] = [];
  let end = whole.from;
  for (const { from, until } of joined) {
    if (from > end) gaps.push({ from: end, until: Math.min(from, whole.until) });
    end = Math.max(end, until);
  }
  if (end < whole.until) gaps.push({ from: end, until: whole.until });
  const short = gaps.filter(({ from, until }) => until - from > LEAST_PAUSE);
  const work = whole.until - whole.from - short.reduce((sum, { from, until }) => sum + until - from, 0);
  const least = Math.max(LEAST_PAUSE, work * PAUSE_SHARE);
  const long = short.filter(({ from, until }) => until - from > least);
  const length = Math.max(1, Math.min(least * FOLDED_SHARE, (work * ALL_FOLDED_SHARE) / long.length || 1));
  return long.map((gap) => ({ ...gap, length }));
}
