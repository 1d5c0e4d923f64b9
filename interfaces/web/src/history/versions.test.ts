import type { ActivityLine } from "@chronoscribe/client";
import { expect, test } from "vitest";
import { workOf } from "./versions.ts";

const MINUTE = 60_000_000;

function burst(user: string, at: number, from: number, to: number): ActivityLine {
  return {
    room: "r",
    id: at,
    changed: at,
    kind: "edited",
    user,
    document: "main.md",
    message: null,
    at,
    until: at + MINUTE,
    text: "",
    details: { from, to, edits: to - from, inserted: 10, deleted: 1 },
    line: "",
  };
}

test("what is written without a longer pause is one piece of work, by whoever took part", () => {
  const work = workOf([
    burst("ben", 60 * MINUTE, 20, 25),
    burst("ada", 0, 0, 10),
    burst("ben", MINUTE, 4, 20),
    burst("ada", 3 * MINUTE, 12, 18),
  ]);
  expect(work).toEqual([
    {
      kind: "work",
      at: 0,
      until: 4 * MINUTE,
      before: 0,
      revision: 20,
      users: ["ada", "ben"],
      edits: 32,
      inserted: 30,
      deleted: 3,
    },
    {
      kind: "work",
      at: 60 * MINUTE,
      until: 61 * MINUTE,
      before: 20,
      revision: 25,
      users: ["ben"],
      edits: 5,
      inserted: 10,
      deleted: 1,
    },
  ]);
});

test("what is no edit is no work", () => {
  const named = { ...burst("ada", 0, 0, 1), kind: "named", details: { name: "green", revision: 3 } };
  expect(workOf([named])).toEqual([]);
});
