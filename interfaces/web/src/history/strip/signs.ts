/** The signs on the strip: what one may want to go to. */

import type { Mark } from "@chronoscribe/client";

export type Shape = "up" | "diamond" | "play" | "ring" | "dot";

export interface Sign extends Mark {
  readonly shape: Shape;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  joined: "up",
  saved: "diamond",
  named: "diamond",
  ran: "play",
  run_started: "play",
  run_finished: "play",
  restored: "ring",
  undone: "ring",
  redone: "ring",
  merged: "ring",
  branched: "ring",
};

export function signsOf(marks: readonly Mark[]): readonly Sign[] {
  return marks.map((mark) => ({ ...mark, shape: SHAPES[mark.kind] ?? "dot" }));
}

/** Around (0, 0), for an SVG path; a dot and a ring are circles. */
export const PATHS: Readonly<Record<Exclude<Shape, "ring" | "dot">, string>> = {
  up: "M-4 3.5L4 3.5L0 -4z",
  diamond: "M-5 0L0 -5L5 0L0 5z",
  play: "M-3.5 -4.5L-3.5 4.5L4.5 0z",
};
