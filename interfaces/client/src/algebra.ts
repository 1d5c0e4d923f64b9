/**
 * Ops on texts: the algebra of `ot-text-unicode`, and the little that it leaves to its users.
 *
 * An op walks over a text from its start: `n` skips n code points, `"text"` inserts, `{d: n}` deletes n code
 * points, `{d: "text"}` deletes this text. Ops in here are normal, and own ones are invertible: their deletes
 * carry the text, so that they can be taken back.
 */

import { type TextOp, type TextOpComponent, type } from "ot-text-unicode";

export type Component = TextOpComponent;
export type Op = TextOp;
export type Side = "left" | "right";

/** Rewrites `op` to come after `other`; at one place `left` stands first. Source: ot-text-unicode. */
export function transform(op: Op, other: Op, side: Side): Op {
  return type.transform(op, other, side);
}

/** One op that does what `first` and then `second` do. */
export function compose(first: Op, second: Op): Op {
  return type.compose(first, second);
}

/** A copy without no-ops, neighbours of one kind joined, no skip at its end. */
export function normalise(op: Op): Op {
  // The package joins neighbours within the op that it is given.
  return type.normalize(op.map((component) => (isDelete(component) ? { ...component } : component)));
}

/** Where a cursor of somebody else stands after `op`. An insert exactly there does not move it. */
export function transformPosition(position: number, op: Op): number {
  return type.transformPosition(position, op);
}

/** What takes an invertible op back. */
export function invert(op: Op): Op {
  return op.map((component) => {
    if (typeof component === "string") return { d: component };
    if (!isDelete(component)) return component;
    if (typeof component.d === "number") throw new Error("this op does not say what it deletes");
    return component.d;
  });
}

export function isDelete(component: Component): component is { d: number | string } {
  return typeof component === "object";
}

/** Code points of a string. */
export function countPoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) {
      count--;
      index++;
    }
  }
  return count;
}

/** The UTF-16 length of the first `points` code points of a string. */
export function unitsOf(text: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0; left--) {
    const unit = text.charCodeAt(units);
    units += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
  }
  return units;
}

export function deletedPoints(deleted: number | string): number {
  return typeof deleted === "number" ? deleted : countPoints(deleted);
}

/** `op` with every delete as a count: deleting a chapter takes as few bytes as deleting a word. */
export function asWire(op: Op): Op {
  return op.map((component) => (isDelete(component) ? { d: deletedPoints(component.d) } : component));
}

/** An op with the same effect that does not delete what it inserts again at the same place. */
export function simplified(op: Op): Op {
  const result: Op = [];
  for (let at = 0; at < op.length; at++) {
    const [one, other] = [op[at]!, op[at + 1]];
    const inserted = typeof one === "string" ? one : other;
    const deleted = isDelete(one) ? one.d : other !== undefined && isDelete(other) ? other.d : null;
    if (typeof inserted !== "string" || typeof deleted !== "string") {
      result.push(one);
      continue;
    }
    const [start, end] = commonEnds(inserted, deleted);
    result.push(
      countPoints(inserted.slice(0, start)),
      inserted.slice(start, inserted.length - end),
      { d: deleted.slice(start, deleted.length - end) },
      countPoints(inserted.slice(inserted.length - end)),
    );
    at += 1;
  }
  return normalise(result);
}

/** UTF-16 units that two texts have in common at their starts, and at the ends of the rest; whole pairs. */
function commonEnds(one: string, other: string): [start: number, end: number] {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  if (start > 0 && isHighSurrogate(one.charCodeAt(start - 1))) start--;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  if (end > 0 && isLowSurrogate(one.charCodeAt(one.length - end))) end--;
  return [start, end];
}

/** Whether two normal ops are the same but for how their deletes are written. */
export function hasSameEffect(first: Op, second: Op): boolean {
  return JSON.stringify(asWire(first)) === JSON.stringify(asWire(second));
}

/** Where the author of `op` has the cursor after it: right behind what was inserted or deleted last. */
export function placeAfter(op: Op): number {
  let place = 0;
  for (const component of op) {
    if (typeof component === "number") place += component;
    else if (typeof component === "string") place += countPoints(component);
  }
  return place;
}

// Pieces: an op that is too large for one frame is cut into ops that follow one another.

/** Bytes of JSON of one op on the wire; leaves 4 KiB of a frame of 64 to the edit's other fields. */
const PIECE_BYTES = 60 * 1024;
/** More than a skip, a delete by count, or an insert's quotes and comma need. */
const COMPONENT_BYTES = 16;

/** The part of `op` that one frame holds, and the rest, which is made on the text after it. */
export function firstPiece(op: Op): [piece: Op, rest: Op] {
  let room = PIECE_BYTES;
  let written = 0; // code points of the new text that the piece walks over
  for (const [place, component] of op.entries()) {
    const cost = bytesOf(component);
    if (cost > room) return cut(op, place, room, written);
    room -= cost;
    if (typeof component === "number") written += component;
    else if (typeof component === "string") written += countPoints(component);
  }
  return [op, []];
}

function cut(op: Op, place: number, room: number, written: number): [Op, Op] {
  const piece = op.slice(0, place);
  const rest = op.slice(place);
  const component = rest[0]!;
  let walked = written;
  if (typeof component === "string") {
    const end = unitsWithin(component, room - COMPONENT_BYTES);
    piece.push(component.slice(0, end));
    rest[0] = component.slice(end);
    walked += countPoints(component.slice(0, end));
  }
  return [normalise(piece), normalise([walked, ...rest])];
}

function bytesOf(component: Component): number {
  return COMPONENT_BYTES + (typeof component === "string" ? jsonBytes(component) : 0);
}

function jsonBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) bytes += unitBytes(text.charCodeAt(at));
  return bytes;
}

/** UTF-16 units of the longest beginning that takes so many bytes of JSON, without half a pair. */
function unitsWithin(text: string, most: number): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    bytes += unitBytes(text.charCodeAt(at));
    if (bytes > most) return at > 0 && isHighSurrogate(text.charCodeAt(at - 1)) ? at - 1 : at;
  }
  return text.length;
}

/** Bytes of a UTF-16 unit in JSON, in UTF-8. */
function unitBytes(unit: number): number {
  if (unit < 0x20) return 6; // \u001f
  if (unit === 0x22 || unit === 0x5c) return 2; // a quote, a backslash
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3; // two units of a pair take four
}

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Half an emoji is no text, and NUL is none that the server stores. */
export function asText(typed: string): string {
  return typed.replace(
    /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
    "\uFFFD",
  );
}
