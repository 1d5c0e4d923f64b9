/** Which part of the strip is seen, in places of its scale. */

import { useEffect, useMemo, useState } from "react";
import type { TimeScale } from "./timeScale.ts";

export interface Zoom {
  readonly from: number;
  readonly until: number;
  readonly isZoomed: boolean;
  /** Nearer by a factor (or further, below 1), so that `around` stays where it is. */
  by(factor: number, around?: number): void;
  /** Along the strip, by a share of what is seen. */
  move(share: number): void;
  all(): void;
}

/** Nearer there is nothing between two letters. */
const CLOSEST = 1_000_000;

export function useZoom(scale: TimeScale, shown: number): Zoom {
  const [span, setSpan] = useState<{ from: number; until: number } | null>(null);
  const place = scale.placeOf(shown);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another scale has other places
  useEffect(() => setSpan(null), [scale]);
  useEffect(() => {
    setSpan((seen) => (seen === null ? null : keptInSight(seen, place, scale.length)));
  }, [place, scale]);
  return useMemo(() => {
    const { from, until } = span ?? { from: 0, until: scale.length };
    return {
      from,
      until,
      isZoomed: span !== null,
      by: (factor, around = place) => {
        const length = Math.max(Math.min(CLOSEST, scale.length), (until - from) / factor);
        if (length >= scale.length) return setSpan(null);
        const share = (around - from) / (until - from);
        setSpan(within(around - share * length, length, scale.length));
      },
      move: (share) => {
        if (span !== null) setSpan(within(from + share * (until - from), until - from, scale.length));
      },
      all: () => setSpan(null),
    };
  }, [span, scale, place]);
}

function within(from: number, length: number, all: number) {
  const begin = Math.max(0, Math.min(all - length, from));
  return { from: begin, until: begin + length };
}

/** The same while the place is in it; else moved on, so that what comes is seen. */
function keptInSight(seen: { from: number; until: number }, place: number, all: number) {
  if (place >= seen.from && place <= seen.until) return seen;
  const length = seen.until - seen.from;
  return within(place - length * (place < seen.from ? 0.9 : 0.1), length, all);
}
