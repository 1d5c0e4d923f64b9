/** Who wrote which part of a text, in the units of the browser; asked for line by line, since it may take long. */

import { useCallback, useEffect, useState } from "react";
import { useRoom } from "../workspace/room.tsx";
import { Units } from "./points.ts";
import { type Lines, pathOf, useLines } from "./useLines.ts";

export interface BlamedSpan {
  readonly from: number;
  readonly to: number;
  readonly author: string;
  readonly at: number;
  readonly revision: number;
  readonly cause: string;
  /** The document that it was written in, where that is another one. */
  readonly source: string | null;
}

export interface BlamedText {
  readonly document: string;
  readonly revision: number;
  readonly text: string;
  readonly spans: readonly BlamedSpan[];
}

interface ToldSpan {
  readonly start: number;
  readonly end: number;
  readonly author: string;
  readonly at: number;
  readonly revision: number;
  readonly cause: string;
  readonly document?: string;
}

type Line =
  | { readonly type: "blame"; readonly revision: number; readonly text: string }
  | { readonly type: "spans"; readonly spans: readonly ToldSpan[] }
  | { readonly type: "end" };

export interface Blamed {
  readonly blamed: BlamedText | null;
  readonly lines: Lines<Line>;
  again(): void;
}

/** `revision` null: of the present text. */
export function useBlamed(document: string, revision: number | null): Blamed {
  const { room } = useRoom();
  const lines = useLines<Line>();
  const [blamed, setBlamed] = useState<BlamedText | null>(null);
  const { ask, stop } = lines;
  const again = useCallback(() => {
    const spans: BlamedSpan[] = [];
    let text = "";
    let told = 0;
    let units = new Units(text);
    const query = { text: true, stream: true, revision: revision ?? undefined };
    void ask("GET", pathOf(room, document, "blame"), { query }, (line) => {
      if (line.type === "blame") {
        text = line.text;
        told = line.revision;
        units = new Units(text);
      } else if (line.type === "spans") {
        for (const span of line.spans) spans.push(spanOf(span, units, document));
      } else if (line.type === "end") {
        setBlamed({ document, revision: told, text, spans });
      }
    });
  }, [ask, room, document, revision]);
  useEffect(() => {
    setBlamed(null);
    again();
    return stop;
  }, [again, stop]);
  return { blamed, lines, again };
}

function spanOf(told: ToldSpan, units: Units, document: string): BlamedSpan {
  const { author, at, revision, cause } = told;
  const source = told.document !== undefined && told.document !== document ? told.document : null;
  const from = units.upTo(told.start);
  return { from, to: units.upTo(told.end), author, at, revision, cause, source };
}

/** How much of a text is whose, in percent, most first. */
export function sharesOf(spans: readonly Pick<BlamedSpan, "author" | "from" | "to">[]) {
  const counts = new Map<string, number>();
  let all = 0;
  for (const { author, from, to } of spans) {
    counts.set(author, (counts.get(author) ?? 0) + to - from);
    all += to - from;
  }
  return [...counts]
    .sort((one, other) => other[1] - one[1])
    .map(([author, count]) => ({ author, share: (100 * count) / Math.max(1, all) }));
}
