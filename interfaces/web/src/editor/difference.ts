import { ChangeSet } from "@codemirror/state";

/** The one change between what two texts have in common at their beginnings and ends. */
export function difference(before: string, after: string): ChangeSet {
  const least = Math.min(before.length, after.length);
  let from = 0;
  while (from < least && before[from] === after[from]) from += 1;
  let same = 0;
  while (same < least - from && before[before.length - 1 - same] === after[after.length - 1 - same])
    same += 1;
  const to = before.length - same;
  const insert = after.slice(from, after.length - same);
  return ChangeSet.of(from === to && insert === "" ? [] : { from, to, insert }, before.length, "\n");
}
