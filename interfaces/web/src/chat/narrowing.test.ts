import { expect, test } from "vitest";
import { ANYTHING, narrowedBy, queryFor } from "./narrowing.ts";

test("nothing is asked for that was not chosen", () => {
  expect(queryFor({ ...ANYTHING, q: "tea" }, "ada")).toEqual({});
  expect(narrowedBy({ ...ANYTHING, q: "tea" })).toBe(0);
});

test("what was chosen is asked for, with all of the last day", () => {
  const narrowing = {
    ...ANYTHING,
    author: "ben",
    from: "2026-11-23",
    to: "2026-11-23",
    emoji: "",
    mentionsMe: true,
  };
  expect(queryFor(narrowing, "ada")).toEqual({
    author: "ben",
    from: new Date(2026, 10, 23).toISOString(),
    to: new Date(2026, 10, 24).toISOString(),
    emoji: "",
    mentions: "ada",
  });
  expect(narrowedBy(narrowing)).toBe(5);
});
