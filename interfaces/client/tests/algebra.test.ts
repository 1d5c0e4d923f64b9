import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  asText,
  asWire,
  compose,
  countPoints,
  firstPiece,
  hasSameEffect,
  invert,
  normalise,
  type Op,
  type Side,
  simplified,
  transform,
} from "../src/algebra.ts";
import { Text } from "../src/text.ts";
import { opOf, plainApply, RUNS, steps, text } from "./texts.ts";

type Vector =
  | { fn: "apply"; args: [string, Op]; ok: string }
  | { fn: "compose"; args: [Op, Op]; ok: Op }
  | { fn: "transform"; args: [Op, Op, Side]; ok: Op };

const VECTORS = new URL("../../../tests/vectors/vectors.jsonl.gz", import.meta.url);

function readVectors(): Vector[] {
  const lines = gunzipSync(readFileSync(VECTORS)).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

function applied(before: string, op: Op): string {
  const after = new Text(before);
  after.apply(op);
  return after.toString();
}

describe("the algebra", () => {
  test("agrees with the vectors that the server's is tried with", () => {
    const vectors = readVectors();
    expect(vectors.length).toBe(10_239);
    for (const vector of vectors) {
      if (vector.fn === "apply") expect(applied(...vector.args)).toBe(vector.ok);
      else if (vector.fn === "compose") expect(compose(...vector.args)).toEqual(vector.ok);
      else expect(transform(...vector.args)).toEqual(vector.ok);
    }
  });

  test("brings two concurrent ops together", () => {
    fc.assert(
      fc.property(text(), steps, steps, (before, ours, theirs) => {
        const [a, b] = [opOf(ours, countPoints(before)), opOf(theirs, countPoints(before))];
        const ab = applied(applied(before, a), transform(b, a, "right"));
        expect(applied(applied(before, b), transform(a, b, "left"))).toBe(ab);
      }),
      { numRuns: RUNS },
    );
  });

  test("composes and inverts", () => {
    fc.assert(
      fc.property(text(), steps, steps, (before, first, second) => {
        const a = new Text(before).apply(opOf(first, countPoints(before))).op;
        const middle = plainApply(before, a);
        const b = new Text(middle).apply(opOf(second, countPoints(middle))).op;
        const composed = compose(a, b);
        expect(applied(before, composed)).toBe(plainApply(middle, b));
        // The deletes of what came to be by composing carry their text, or this would throw.
        expect(applied(applied(before, composed), invert(composed))).toBe(before);
        expect(invert(invert(composed))).toEqual(composed);
      }),
      { numRuns: RUNS },
    );
  });

  test("changes none of the ops that it is given", () => {
    fc.assert(
      fc.property(text(), steps, steps, (before, ours, theirs) => {
        const a = new Text(before).apply(opOf(ours, countPoints(before))).op;
        const b = new Text(before).apply(opOf(theirs, countPoints(before))).op;
        const [ours0, theirs0] = [JSON.stringify(a), JSON.stringify(b)];
        transform(a, b, "left");
        transform(b, a, "right");
        compose(a, transform(b, a, "right"));
        normalise([...a, { d: "x" }, ...b]);
        invert(a);
        expect([JSON.stringify(a), JSON.stringify(b)]).toEqual([ours0, theirs0]);
      }),
      { numRuns: RUNS },
    );
  });

  test("finds a simpler op with the same effect", () => {
    fc.assert(
      fc.property(text(), steps, steps, (before, first, second) => {
        const a = new Text(before).apply(opOf(first, countPoints(before))).op;
        const middle = plainApply(before, a);
        const b = new Text(middle).apply(opOf(second, countPoints(middle))).op;
        const simple = simplified(compose(a, b));
        expect(plainApply(before, simple)).toBe(plainApply(middle, b));
        expect(applied(plainApply(before, simple), invert(simple))).toBe(before);
        expect(simplified(compose(a, invert(a)))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test("knows an op again whose deletes are written as counts", () => {
    expect(hasSameEffect([1, { d: "a😅" }, "x"], [1, { d: 2 }, "x"])).toBe(true);
    expect(hasSameEffect([1, { d: "a😅" }, "x"], [1, { d: 3 }, "x"])).toBe(false);
    expect(asWire([{ d: "😅😅" }, 2, "x"])).toEqual([{ d: 2 }, 2, "x"]);
  });
});

describe("a piece for one frame", () => {
  /** What an edit's other fields may take is left out: the op alone has to leave them 4 KiB of 64. */
  const most = 60 * 1024;
  const bytes = (op: Op) => new TextEncoder().encode(JSON.stringify(op)).length;

  test.each([
    ["a book", [5, "word ".repeat(100_000)]],
    ["emojis", ["😅🤖".repeat(30_000)]],
    ["control characters", [1, "\u0001".repeat(30_000), { d: 7 }]],
    ["many cursors", Array.from({ length: 9_000 }, (_, index) => (index % 2 === 0 ? 3 : "x"))],
  ] as [string, Op][])("of %s fits, and the pieces do together what the op does", (_name, op) => {
    const before = "0123456789".repeat(2_000);
    let present = before;
    let rest = op;
    let count = 0;
    while (rest.length > 0) {
      const [piece, left] = firstPiece(rest);
      expect(bytes(asWire(piece))).toBeLessThanOrEqual(most);
      expect(piece.length).toBeLessThanOrEqual(5_000);
      present = plainApply(present, piece);
      rest = left;
      count += 1;
    }
    expect(present).toBe(plainApply(before, op));
    expect(count).toBeGreaterThan(1);
  });

  test("holds as much of ordinary text as a frame does", () => {
    expect(firstPiece(["x".repeat(50_000)])[1]).toEqual([]);
    expect(firstPiece(["中".repeat(15_000)])[1]).toEqual([]);
  });
});

describe("what is typed", () => {
  test("becomes text that the server takes", () => {
    expect(asText("a\0b")).toBe("a\uFFFDb");
    expect(asText("\ud83d")).toBe("\uFFFD");
    expect(asText("x\ude05y")).toBe("x\uFFFDy");
    expect(asText("😅\n\t")).toBe("😅\n\t");
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (typed) => {
        expect(asText(typed)).not.toMatch(/\p{Cs}/u); // no half of a pair
        expect(asText(typed).length).toBe(typed.length);
      }),
      { numRuns: RUNS },
    );
  });
});
