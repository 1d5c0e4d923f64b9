import type { ActivityLine } from "@chronoscribe/client";
import { expect, test } from "vitest";
import { fromActivity } from "./doings.ts";
import { lanesOf, outline } from "./lanes.ts";
import { TimeScale } from "./timeScale.ts";

function line(kind: string, user: string, at: number, until = at, details = {}): ActivityLine {
  return {
    room: "r",
    id: at,
    changed: at,
    kind,
    user,
    document: null,
    message: null,
    at,
    until,
    text: "",
    details,
    line: "",
  };
}

test("somebody with two windows is here until the last of them is closed", () => {
  const lines = [
    line("joined", "ada", 1),
    line("joined", "ada", 2),
    line("left", "ada", 5),
    line("left", "ada", 9),
    line("joined", "ben", 4),
  ];
  expect(fromActivity(lines, 20).stays).toEqual([
    { user: "ada", from: 1, until: 9 },
    { user: "ben", from: 4, until: 20 },
  ]);
});

test("who wrote most in a column is tallest there, in rows by who came first", () => {
  const doings = fromActivity(
    [
      line("joined", "ben", 0),
      line("joined", "ada", 1),
      line("edited", "ada", 1, 50, { inserted: 400, deleted: 0 }),
      line("edited", "ben", 90, 90, { inserted: 4, deleted: 0 }),
      line("said", "ben", 50),
    ],
    100,
  );
  const scale = new TimeScale({ from: 0, until: 100 }, [], false);
  const [ben, ada] = lanesOf(doings, scale, { from: 0, until: 100, width: 314 });
  expect([ben!.user, ada!.user]).toEqual(["ben", "ada"]);
  expect(Math.max(...ada!.columns)).toBe(1);
  expect(ada!.columns.filter((value) => value > 0)).toHaveLength(50);
  expect(ben!.columns.filter((value) => value > 0)).toHaveLength(1);
  expect(ben!.said).toEqual([157]);
});

test("one paste does not make all that was typed look flat", () => {
  const typed = Array.from({ length: 40 }, (_, at) =>
    line("edited", "ada", at, at, { inserted: 2, deleted: 0 }),
  );
  const pasted = line("edited", "ada", 99, 99, { inserted: 100_000, deleted: 0 });
  const scale = new TimeScale({ from: 0, until: 100 }, [], false);
  const doings = fromActivity([...typed, pasted], 100);
  const [ada] = lanesOf(doings, scale, { from: 0, until: 100, width: 300 });
  expect(ada!.columns[5]).toBeGreaterThan(0.5);
  expect(Math.max(...ada!.columns)).toBe(1);
});

test("zoomed in, what is outside is left out", () => {
  const doings = fromActivity([line("edited", "ada", 0, 10, { inserted: 10, deleted: 0 })], 100);
  const scale = new TimeScale({ from: 0, until: 100 }, [], false);
  const [ada] = lanesOf(doings, scale, { from: 50, until: 60, width: 90 });
  expect(ada!.columns.every((value) => value === 0)).toBe(true);
  expect(outline(ada!.columns, 10, 8)).toBe("");
});
