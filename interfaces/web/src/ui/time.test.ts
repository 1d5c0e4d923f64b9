import { describe, expect, test } from "vitest";
import { ago, dayOf, stretch } from "./time.ts";

const NOW = new Date(2026, 10, 28, 12, 0, 0).getTime();
const before = (milliseconds: number) => (NOW - milliseconds) * 1_000;

describe("a moment in words", () => {
  test("is near or far", () => {
    expect(ago(before(10_000), NOW)).toBe("just now");
    expect(ago(before(61_000), NOW)).toBe("1 minute ago");
    expect(ago(before(3 * 3_600_000), NOW)).toBe("3 hours ago");
    expect(ago(before(30 * 3_600_000), NOW)).toMatch(/Nov 27|27 Nov/);
  });

  test("has a day", () => {
    expect(dayOf(before(0), NOW)).toBe("Today");
    expect(dayOf(before(13 * 3_600_000), NOW)).toBe("Yesterday");
    expect(dayOf(before(50 * 3_600_000), NOW)).toMatch(/26/);
  });

  test("a stretch is told in two units at most", () => {
    expect([3, 119, 3_600, 3_900].map((seconds) => stretch(seconds * 1e6))).toEqual([
      "3 s",
      "2 min",
      "1 h",
      "1 h 5 min",
    ]);
  });
});
