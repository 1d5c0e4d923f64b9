import { expect, test } from "vitest";
import { asTime, momentOf } from "./momentWords.ts";

const now = new Date(2026, 10, 28, 15, 30);

test("numbers are revisions, however one writes them", () => {
  expect(momentOf("17", now)).toBe("17");
  expect(momentOf("Revision 17", now)).toBe("17");
  expect(momentOf(" r17 ", now)).toBe("17");
});

test("a time of the day is one of today, or of yesterday when it is still to come", () => {
  expect(momentOf("14:05", now)).toBe(asTime(new Date(2026, 10, 28, 14, 5).getTime() * 1_000));
  expect(momentOf("14:05:09", now)).toBe(asTime(new Date(2026, 10, 28, 14, 5, 9).getTime() * 1_000));
  expect(momentOf("23:00", now)).toBe(asTime(new Date(2026, 10, 27, 23, 0).getTime() * 1_000));
  expect(momentOf("99:00", now)).toBe(null);
});

test("days and times in ISO's order", () => {
  expect(momentOf("2026-11-01", now)).toBe(asTime(new Date(2026, 10, 1).getTime() * 1_000));
  expect(momentOf("2026-11-01T10:00:00Z", now)).toBe("2026-11-01T10:00:00.000000Z");
});

test("everything else is a name", () => {
  expect(momentOf("green", now)).toBe("name:green");
  expect(momentOf("name:17", now)).toBe("name:17");
  expect(momentOf("NOW", now)).toBe("now");
  expect(momentOf("  ", now)).toBe(null);
});

test("no microsecond is lost", () => {
  expect(asTime(1_795_852_926_918_174)).toMatch(/\.918174Z$/);
  expect(asTime(1_795_852_926_000_007)).toMatch(/\.000007Z$/);
});
