/** Where a hunk of a difference stands in the newer text. */

import { lineStarts } from "./points.ts";

interface HunkLines {
  readonly new_start: number;
  readonly lines: readonly { readonly kind: string }[];
}

/** From its first changed line to behind its last, in code points: what stands between them is the hunk's. */
export function rangeOf(hunk: HunkLines, text: string): { readonly start: number; readonly end: number } {
  const starts = lineStarts(text);
  const end = starts.at(-1)!;
  let line = hunk.new_start - 1; // of the text, from 0
  let from: number | null = null;
  let to = 0;
  for (const { kind } of hunk.lines) {
    if (kind !== "same") from ??= line;
    if (kind !== "removed") line += 1;
    if (kind !== "same") to = line;
  }
  return { start: starts[from ?? line] ?? end, end: starts[to] ?? end };
}
