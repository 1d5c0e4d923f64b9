import { describe, expect, test } from "vitest";
import { TimeScale } from "./timeScale.ts";

const SECOND = 1_000_000;
const whole = { from: 0, until: 1_000 * SECOND };
const work = [
  { from: 0, until: 10 * SECOND },
  { from: 990 * SECOND, until: 1_000 * SECOND },
];

describe("the scale of the strip", () => {
  test("is even when nothing is folded", () => {
    const scale = new TimeScale(whole, work, false);
    expect(scale.length).toBe(whole.until);
    expect(scale.placeOf(250 * SECOND)).toBe(250 * SECOND);
    expect(scale.timeAt(750 * SECOND)).toBe(750 * SECOND);
  });

  test("leaves most of it to the time in which something was done", () => {
    const scale = new TimeScale(whole, work, true);
    expect(scale.folds).toHaveLength(1);
    expect(scale.folds[0]).toMatchObject({ from: 10 * SECOND, until: 990 * SECOND });
    expect(scale.placeOf(10 * SECOND) / scale.length).toBeGreaterThan(0.45);
    expect(scale.length).toBeLessThan(22 * SECOND);
  });

  test("leads from a moment to its place and back, also in a pause and at both ends", () => {
    const scale = new TimeScale(whole, work, true);
    for (const at of [0, 3 * SECOND, 10 * SECOND, 500 * SECOND, 990 * SECOND, 995 * SECOND, 1_000 * SECOND])
      expect(scale.timeAt(scale.placeOf(at))).toBeCloseTo(at, 0);
  });

  test("never goes back", () => {
    const scale = new TimeScale(whole, work, true);
    let last = -1;
    for (let at = 0; at <= whole.until; at += SECOND) {
      const place = scale.placeOf(at);
      expect(place).toBeGreaterThan(last);
      last = place;
    }
  });

  test("goes no further than its ends", () => {
    const scale = new TimeScale(whole, work, true);
    expect(scale.placeOf(-5)).toBe(0);
    expect(scale.timeAt(scale.length + 5)).toBe(whole.until);
  });

  test("keeps short pauses, and takes work in any order and over each other", () => {
    const busy = [
      { from: 2 * SECOND, until: 9 * SECOND },
      { from: 0, until: 4 * SECOND },
      { from: 11 * SECOND, until: 12 * SECOND },
    ];
    expect(new TimeScale({ from: 0, until: 12 * SECOND }, busy, true).folds).toEqual([]);
  });

  test("has a length also where nothing took any time", () => {
    const scale = new TimeScale({ from: 7, until: 7 }, [], true);
    expect(scale.length).toBeGreaterThan(0);
    expect(scale.placeOf(7)).toBe(0);
  });
});
