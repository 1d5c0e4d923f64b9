import { describe, expect, test } from "vitest";
import { lineStarts, pointsAt, Units, unitsAt } from "./points.ts";

const TEXT = "a😀b👩‍🚀é";

describe("places in a text", () => {
  test("are the same in both ways of counting", () => {
    const points = [...TEXT];
    for (let at = 0; at <= points.length; at++) {
      const units = points.slice(0, at).join("").length;
      expect(unitsAt(TEXT, at)).toBe(units);
      expect(pointsAt(TEXT, units)).toBe(at);
    }
    expect(unitsAt(TEXT, 99)).toBe(TEXT.length);
    expect(pointsAt(TEXT, 99)).toBe(points.length);
  });

  test("are found one after the other", () => {
    const units = new Units(TEXT);
    for (const points of [0, 1, 2, 2, 5, 7]) expect(units.upTo(points)).toBe(unitsAt(TEXT, points));
    expect(units.upTo(99)).toBe(TEXT.length);
  });

  test("of lines are told in code points, with the end of the text", () => {
    expect(lineStarts("a😀\nb\n")).toEqual([0, 3, 5]);
    expect(lineStarts("a\n😀")).toEqual([0, 2, 3]);
    expect(lineStarts("")).toEqual([0]);
  });
});
