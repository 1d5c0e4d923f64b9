/**
 * A text in chunks that know their length in UTF-16 units and in code points.
 *
 * An op touches one or two chunks; the others are handed on as they are. So a letter in a text of a megabyte
 * costs a walk over some hundred numbers, and a place is turned from one unit into the other in the same way.
 */

import {
  countPoints,
  deletedPoints,
  isDelete,
  isHighSurrogate,
  isLowSurrogate,
  normalise,
  type Op,
  unitsOf,
} from "./algebra.ts";
import type { Change } from "./types.ts";

/** Chunks are cut at this size: small enough to walk over and copy for each letter, large enough that there are few. */
const CHUNK_UNITS = 1024;
/** Neighbours that together are smaller are joined, or a text would fall to crumbs where people type. */
const JOINED_UNITS = 512;

interface Chunk {
  readonly text: string;
  readonly points: number;
}

/** The op does not fit the text. Nothing has changed. */
export class OpInvalid extends Error {}

export class Text {
  #chunks: Chunk[];
  #units: number;
  #points: number;
  #whole: string | null;

  constructor(text: string) {
    this.#chunks = chunksOf(text);
    this.#units = text.length;
    this.#points = this.#chunks.reduce((sum, chunk) => sum + chunk.points, 0);
    this.#whole = text;
  }

  /** Shares what neither of both ever changes. */
  copy(): Text {
    const copy = new Text("");
    copy.#chunks = this.#chunks;
    copy.#units = this.#units;
    copy.#points = this.#points;
    copy.#whole = this.#whole;
    return copy;
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.#units;
  }

  get points(): number {
    return this.#points;
  }

  /** Of how many pieces it is made. */
  get chunkCount(): number {
    return this.#chunks.length;
  }

  toString(): string {
    this.#whole ??= this.#chunks.map((chunk) => chunk.text).join("");
    return this.#whole;
  }

  /**
   * Apply a normal op. Returns it with the text of all its deletes, and what it did, in UTF-16 units of the
   * text before. Throws `OpInvalid`.
   */
  apply(op: Op): { op: Op; changes: Change[] } {
    const walk = new Walk(this.#chunks);
    const invertible: Op = [];
    const changes: Change[] = [];
    let last: { from: number; to: number; insert: string } | null = null;
    for (const component of op) {
      if (typeof component === "number") {
        walk.skip(component);
        invertible.push(component);
        last = null;
        continue;
      }
      if (last === null) {
        last = { from: walk.units, to: walk.units, insert: "" };
        changes.push(last);
      }
      if (isDelete(component)) {
        const deleted = walk.delete(deletedPoints(component.d));
        if (typeof component.d === "string" && component.d !== deleted)
          throw new OpInvalid("this text is not there");
        invertible.push({ d: deleted });
        last.to = walk.units;
      } else {
        walk.insert(component);
        invertible.push(component);
        last.insert += component;
      }
    }
    this.#chunks = walk.end();
    this.#whole = null;
    this.#units = 0;
    this.#points = 0;
    for (const chunk of this.#chunks) {
      this.#units += chunk.text.length;
      this.#points += chunk.points;
    }
    return { op: invertible, changes };
  }

  /** Code points before a place in UTF-16 units; one within a pair counts as before it. */
  toPoints(units: number): number {
    let left = Math.max(0, Math.min(units, this.#units));
    let points = 0;
    for (const chunk of this.#chunks) {
      if (left < chunk.text.length) {
        return (
          points +
          (chunk.points === chunk.text.length
            ? left
            : countPoints(chunk.text.slice(0, wholePair(chunk.text, left))))
        );
      }
      left -= chunk.text.length;
      points += chunk.points;
    }
    return points;
  }

  /** UTF-16 units before a place in code points. */
  toUnits(points: number): number {
    let left = Math.max(0, Math.min(points, this.#points));
    let units = 0;
    for (const chunk of this.#chunks) {
      if (left < chunk.points) {
        return units + (chunk.points === chunk.text.length ? left : unitsOf(chunk.text, left));
      }
      left -= chunk.points;
      units += chunk.text.length;
    }
    return units;
  }

  /** A part, in UTF-16 units. */
  slice(from: number, to: number): string {
    if (this.#whole !== null) return this.#whole.slice(from, to);
    let start = 0;
    let found = "";
    for (const { text } of this.#chunks) {
      if (start >= to) break;
      if (start + text.length > from) found += text.slice(Math.max(0, from - start), to - start);
      start += text.length;
    }
    return found;
  }

  /**
   * The op of changes that were made on this text, in its order, all on the text before. A change that would
   * cut a surrogate pair takes in all of it.
   */
  opOf(changes: readonly Change[]): Op {
    const op: Op = [];
    let told = 0; // where the change before ends, as it was told
    let units = 0; // and with all of its pairs
    let points = 0;
    for (const change of changes) {
      if (change.from < told || change.to < change.from || change.to > this.#units)
        throw new OpInvalid("these changes do not fit the text");
      told = change.to;
      const from = Math.max(units, this.#outOfPair(change.from, -1));
      const to = change.to > change.from ? Math.max(from, this.#outOfPair(change.to, 1)) : from;
      const start = this.toPoints(from);
      const deleted = this.slice(from, to);
      op.push(start - points, { d: deleted }, change.insert);
      units = to;
      points = start + countPoints(deleted);
    }
    return normalise(op);
  }

  #outOfPair(units: number, direction: 1 | -1): number {
    return this.isWithinPair(units) ? units + direction : units;
  }

  /** Whether this place, in UTF-16 units, cuts a character in two. */
  isWithinPair(units: number): boolean {
    if (units <= 0 || units >= this.#units) return false;
    const around = this.slice(units - 1, units + 1);
    return isHighSurrogate(around.charCodeAt(0)) && isLowSurrogate(around.charCodeAt(1));
  }
}

/** One walk over old chunks that puts new ones together. */
class Walk {
  /** Of the old text, that were walked over. */
  units = 0;
  readonly #old: readonly Chunk[];
  readonly #new: Chunk[] = [];
  #index = 0;
  #rest: Chunk | null = null; // of the chunk that we stand in
  #tail = ""; // new text that is in no chunk yet
  #tailPoints = 0;

  constructor(old: readonly Chunk[]) {
    this.#old = old;
  }

  skip(points: number): void {
    this.#take(points, (chunk) => this.#keep(chunk));
  }

  delete(points: number): string {
    let deleted = "";
    this.#take(points, (chunk) => {
      deleted += chunk.text;
    });
    return deleted;
  }

  insert(text: string): void {
    this.#append({ text, points: countPoints(text) });
  }

  end(): Chunk[] {
    if (this.#rest !== null) this.#keep(this.#rest);
    for (; this.#index < this.#old.length; this.#index++) this.#keep(this.#old[this.#index]!);
    this.#flush();
    return this.#new;
  }

  #take(points: number, use: (chunk: Chunk) => void): void {
    let left = points;
    while (left > 0) {
      const chunk = this.#rest ?? this.#old[this.#index++];
      if (chunk === undefined) throw new OpInvalid("the op goes on behind the end of the text");
      this.#rest = null;
      let taken = chunk;
      if (chunk.points > left) {
        const units = chunk.points === chunk.text.length ? left : unitsOf(chunk.text, left);
        taken = { text: chunk.text.slice(0, units), points: left };
        this.#rest = { text: chunk.text.slice(units), points: chunk.points - left };
      }
      left -= taken.points;
      this.units += taken.text.length;
      use(taken);
    }
  }

  #keep(chunk: Chunk): void {
    if (this.#tail === "" && chunk.text.length >= JOINED_UNITS) this.#new.push(chunk);
    else if (this.#tail.length + chunk.text.length <= CHUNK_UNITS) this.#append(chunk);
    else {
      this.#flush();
      if (chunk.text.length >= JOINED_UNITS) this.#new.push(chunk);
      else this.#append(chunk);
    }
  }

  #append({ text, points }: Chunk): void {
    this.#tail += text;
    this.#tailPoints += points;
  }

  #flush(): void {
    if (this.#tail.length > CHUNK_UNITS) for (const chunk of chunksOf(this.#tail)) this.#new.push(chunk);
    else if (this.#tail !== "") this.#new.push({ text: this.#tail, points: this.#tailPoints });
    this.#tail = "";
    this.#tailPoints = 0;
  }
}

function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < text.length; ) {
    const end = wholePair(text, Math.min(text.length, start + CHUNK_UNITS));
    const chunk = text.slice(start, end);
    chunks.push({ text: chunk, points: countPoints(chunk) });
    start = end;
  }
  return chunks;
}

/** A place that is not within a pair: before it, if `units` is. */
function wholePair(text: string, units: number): number {
  return units > 0 &&
    units < text.length &&
    isLowSurrogate(text.charCodeAt(units)) &&
    isHighSurrogate(text.charCodeAt(units - 1))
    ? units - 1
    : units;
}
