import { describe, expect, test } from "vitest";
import { Cutter, pointsAt, unitsAt } from "./points.ts";

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

  test("cut it into parts that together are the text", () => {
    const cutter = new Cutter(TEXT);
    const parts = [1, 2, 2, 5, 7].map((end) => cutter.upTo(end));
    expect(parts).toEqual(["a", "😀", "", "b👩‍", "🚀é"]);
  });
});
