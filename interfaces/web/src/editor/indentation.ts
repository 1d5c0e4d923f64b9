/** What a document is indented by: what most of its first indented lines are. */

import type { Text } from "@codemirror/state";

/** What is found in so many lines holds for the rest. */
const LINES_LOOKED_AT = 500;
const USUAL = "  ";

/** What a document of such a name is indented by as long as nothing is indented in it. */
export function usualIndentation(document: string): string {
  if (/\.(go|mk)$|(^|\/)Makefile$/.test(document)) return "\t";
  return /\.(py|pyi|rs|java|kt|c|cc|cpp|h|hpp|cs|php|sql)$/.test(document) ? "    " : USUAL;
}

export function indentationOf(text: Text, usual = USUAL): string {
  const steps = new Map<string, number>();
  let before = 0;
  let looked = 0;
  for (const line of text.iterLines()) {
    looked += 1;
    if (looked > LINES_LOOKED_AT) break;
    const white = /^[\t ]*/.exec(line)![0];
    if (white.length === line.length) continue;
    const step = white.includes("\t") ? "\t" : " ".repeat(Math.max(0, white.length - before));
    before = white.includes("\t") ? 0 : white.length;
    if (step.length === 1 && step !== "\t") continue;
    if (step !== "" && step.length <= 8) steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  const most = [...steps].sort(([, one], [, other]) => other - one)[0];
  return most?.[0] ?? usual;
}
