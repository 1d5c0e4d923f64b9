/** Where others and oneself have changed the text a moment ago: whether two have written at one place at once. */

import type { ChangeSet, Text } from "@codemirror/state";
import type { Flash } from "./flash.ts";

/** An edit is back from the server long before; later nobody would connect the two. */
const RECENT_MS = 3_000;
/** Of more nobody could see anything. */
const MOST = 60;

interface Place {
  from: number;
  to: number;
  readonly at: number;
}

export class Touched {
  private own: Place[] = [];
  private others: Place[] = [];

  map(changes: ChangeSet): void {
    if (changes.empty) return;
    for (const place of [...this.own, ...this.others]) {
      place.from = changes.mapPos(place.from, -1);
      place.to = changes.mapPos(place.to, 1);
    }
  }

  addOwn(changes: ChangeSet): void {
    this.own = added(this.own, changes);
  }

  addOthers(changes: ChangeSet): void {
    this.others = added(this.others, changes);
  }

  /** Others' places in lines in which we have written as well. */
  meeting(text: Text): readonly Flash[] {
    const since = performance.now() - RECENT_MS;
    const lines = new Set<number>();
    for (const { from, at } of this.own) if (at >= since) lines.add(lineOf(text, from));
    return this.others
      .filter(
        ({ from, to, at }) => at >= since && (lines.has(lineOf(text, from)) || lines.has(lineOf(text, to))),
      )
      .map(({ from, to }) => ({ from, to, kind: "conflict" }));
  }
}

function lineOf(text: Text, position: number): number {
  return text.lineAt(Math.min(position, text.length)).number;
}

function added(places: readonly Place[], changes: ChangeSet): Place[] {
  const at = performance.now();
  const next = places.filter((place) => place.at >= at - RECENT_MS);
  changes.iterChangedRanges((_from, _to, from, to) => next.push({ from, to, at }));
  return next.slice(-MOST);
}
