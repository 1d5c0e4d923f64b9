import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countPoints, type Op } from "../src/algebra.ts";
import { OpInvalid, Text } from "../src/text.ts";
import type { Change } from "../src/types.ts";
import { opOf, plainApply, RUNS, steps, text } from "./texts.ts";

/** Longer than a chunk, with pairs at every place where one might be cut. */
const long = fc
  .tuple(text(), fc.nat(3), fc.constantFrom("😅", "a😅", "ab", "x\n"))
  .map(([head, kilo, filling]) => head + filling.repeat(kilo * 1_500));

const changes = (length: number) =>
  fc.array(fc.tuple(fc.nat(length), fc.nat(length), text(3)), { maxLength: 3 }).map((drawn): Change[] => {
    const places = drawn.flatMap(([from, to]) => [from, to] as const).sort((a, b) => a - b);
    return drawn.map(([, , insert], at) => ({ from: places[2 * at]!, to: places[2 * at + 1]!, insert }));
  });

const applyChanges = (before: string, made: readonly Change[]) =>
  [...made].reverse().reduce((so, { from, to, insert }) => so.slice(0, from) + insert + so.slice(to), before);

const isNormal = (op: Op) =>
  op.every(
    (component, at) =>
      (typeof component !== typeof op[at - 1] || at === 0) &&
      component !== 0 &&
      component !== "" &&
      !(typeof component === "object" && (component.d === 0 || component.d === "")),
  ) && typeof op.at(-1) !== "number";

describe("a text in chunks", () => {
  test("is after ops what a plain string is", () => {
    fc.assert(
      fc.property(long, fc.array(steps, { maxLength: 6 }), (before, many) => {
        const chunked = new Text(before);
        let plain = before;
        for (const drawn of many) {
          const op = opOf(drawn, countPoints(plain));
          const done = chunked.apply(op);
          expect(plainApply(plain, done.op)).toBe(plainApply(plain, op));
          expect(applyChanges(plain, done.changes)).toBe(plainApply(plain, op));
          plain = plainApply(plain, op);
          expect(chunked.length).toBe(plain.length);
          expect(chunked.points).toBe(countPoints(plain));
          expect(chunked.slice(3, 9)).toBe(plain.slice(3, 9)); // before anything has joined it
        }
        expect(chunked.toString()).toBe(plain);
      }),
      { numRuns: RUNS },
    );
  });

  test("turns places from one unit into the other", () => {
    fc.assert(
      fc.property(long, fc.nat(), steps, (before, drawn, made) => {
        const chunked = new Text(before);
        chunked.apply(opOf(made, countPoints(before)));
        const points = [...chunked.toString()];
        const place = drawn % (points.length + 1);
        const units = points.slice(0, place).join("").length;
        expect(chunked.toUnits(place)).toBe(units);
        expect(chunked.toPoints(units)).toBe(place);
      }),
      { numRuns: RUNS },
    );
  });

  test("takes a place within a pair for the one before it", () => {
    const chunked = new Text("a😅b");
    expect([0, 1, 2, 3, 4, 9].map((units) => chunked.toPoints(units))).toEqual([0, 1, 1, 2, 3, 3]);
    expect([0, 1, 2, 3, 9].map((points) => chunked.toUnits(points))).toEqual([0, 1, 3, 4, 4]);
  });

  test("refuses an op that does not fit, and is as it was", () => {
    const chunked = new Text("a😅");
    const unfitting: Op[] = [[3, "x"], ["y", { d: 3 }], [{ d: "b" }], [1, { d: "😅!" }]];
    for (const op of unfitting) expect(() => chunked.apply(op)).toThrow(OpInvalid);
    expect([chunked.toString(), chunked.length, chunked.points]).toEqual(["a😅", 3, 2]);
  });

  test("stays in chunks of a size, wherever people type", () => {
    const chunked = new Text("x".repeat(200_000));
    for (let at = 0; at < 2_000; at++) chunked.apply([(at * 97) % 150_000, "yy"]);
    for (let at = 0; at < 2_000; at++) chunked.apply([(at * 89) % 100_000, { d: 50 }]);
    expect(chunked.length).toBe(200_000 + 4_000 - 100_000);
    expect(chunked.chunkCount).toBeLessThan(2 * (chunked.length / 512) + 2);
  });
});

describe("the op of changes", () => {
  test("is normal, invertible, and does what they do", () => {
    const cases = long.chain((before) => fc.tuple(fc.constant(before), changes(before.length)));
    fc.assert(
      fc.property(cases, ([before, made]) => {
        const chunked = new Text(before);
        const op = chunked.opOf(made);
        expect(isNormal(op)).toBe(true);
        const done = chunked.apply(op);
        expect(chunked.toString()).not.toMatch(/\p{Cs}/u); // no half of a pair
        expect(done.op).toEqual(op);
        const whole = (place: number) =>
          place <= 0 || !/^[\ud800-\udbff][\udc00-\udfff]/.test(before.slice(place - 1, place + 1));
        if (made.every(({ from, to }) => whole(from) && whole(to))) {
          expect(chunked.toString()).toBe(applyChanges(before, made));
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("takes in both halves of a pair", () => {
    const op = (made: Change[]) => new Text("a😅b😅").opOf(made);
    expect(op([{ from: 2, to: 3, insert: "" }])).toEqual([1, { d: "😅" }]);
    expect(op([{ from: 1, to: 2, insert: "x" }])).toEqual([1, { d: "😅" }, "x"]);
    expect(op([{ from: 2, to: 2, insert: "x" }])).toEqual([1, "x"]);
    // Both halves, by two changes.
    const both: Change[] = [
      { from: 1, to: 2, insert: "" },
      { from: 2, to: 4, insert: "y" },
    ];
    expect(op(both)).toEqual([1, { d: "😅b" }, "y"]);
  });

  test("joins what is inserted or deleted side by side", () => {
    const inserted: Change[] = [
      { from: 1, to: 1, insert: "x" },
      { from: 1, to: 1, insert: "y" },
    ];
    expect(new Text("ab").opOf(inserted)).toEqual([1, "xy"]);
    const deleted: Change[] = [
      { from: 0, to: 1, insert: "" },
      { from: 1, to: 2, insert: "" },
    ];
    expect(new Text("ab").opOf(deleted)).toEqual([{ d: "ab" }]);
  });

  test("is refused where they overlap or reach behind the end", () => {
    const op = (made: Change[]) => () => new Text("abcd").opOf(made);
    expect(op([{ from: 3, to: 5, insert: "" }])).toThrow(OpInvalid);
    expect(op([{ from: 3, to: 2, insert: "" }])).toThrow(OpInvalid);
    expect(op([{ from: -1, to: 2, insert: "" }])).toThrow(OpInvalid);
    expect(
      op([
        { from: 0, to: 3, insert: "" },
        { from: 2, to: 4, insert: "" },
      ]),
    ).toThrow(OpInvalid);
  });
});
