import { describe, expect, test } from "vitest";
import { TimeLine } from "./timeLine.ts";

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

describe("a line of time", () => {
  test("is straight while people are busy", () => {
    const line = new TimeLine(0, 100 * SECOND, [{ at: 0, until: 100 * SECOND }]);
    expect(line.folds).toEqual([]);
    expect([0, 25, 50, 100].map((second) => line.shareOf(second * SECOND))).toEqual([0, 25, 50, 100]);
  });

  test("folds a week of nothing between two minutes of work", () => {
    const spans = [
      { at: 0, until: 60 * SECOND },
      { at: 7 * DAY, until: 7 * DAY + 60 * SECOND },
    ];
    const line = new TimeLine(0, 7 * DAY + 60 * SECOND, spans);
    expect(line.folds).toHaveLength(1);
    expect(line.shareOf(60 * SECOND)).toBeGreaterThan(35);
    expect(line.shareOf(7 * DAY)).toBeLessThan(65);
  });

  test("leads from times to places and back, never backwards", () => {
    const spans = [
      { at: 5 * SECOND, until: 9 * SECOND },
      { at: 500 * SECOND, until: 500 * SECOND },
      { at: 2 * DAY, until: 2 * DAY + SECOND },
    ];
    const line = new TimeLine(0, 3 * DAY, spans);
    let last = -1;
    for (const time of [0, SECOND, 7 * SECOND, 400 * SECOND, 500 * SECOND, DAY, 2 * DAY, 3 * DAY]) {
      const place = line.placeOf(time);
      expect(place).toBeGreaterThanOrEqual(last);
      expect(Math.abs(line.timeOf(place) - time)).toBeLessThanOrEqual(DAY / line.length + 1);
      last = place;
    }
  });

  test("of a room in which nothing happened is a line all the same", () => {
    const line = new TimeLine(5, 5, []);
    expect(line.length).toBeGreaterThan(0);
    expect(line.timeOf(0)).toBe(5);
  });
});
