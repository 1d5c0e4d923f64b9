import { expect, test } from "vitest";
import { clockOf, dayNameOf, relativeOf } from "./when.ts";

const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime() * 1_000;

test("times are told as they are said", () => {
  const now = at(23, 12);
  expect(relativeOf(now + 1_000_000, now)).toBe("now");
  expect(relativeOf(at(23, 11, 55), now)).toBe("5 min ago");
  expect(relativeOf(at(23, 9), now)).toBe(clockOf(at(23, 9)));
  expect(relativeOf(at(22, 23, 50), now)).toBe(`yesterday ${clockOf(at(22, 23, 50))}`);
});

test("days are told as they are said", () => {
  expect(dayNameOf(at(23, 0, 1), at(23, 12))).toBe("Today");
  expect(dayNameOf(at(22, 23, 59), at(23, 0, 1))).toBe("Yesterday");
  expect(dayNameOf(at(21, 12), at(23, 12))).toContain("21");
});
