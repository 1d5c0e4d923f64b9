import type { ActivityLine } from "@chronoscribe/client";
import { describe, expect, test } from "vitest";
import { daysOf, EVERYTHING, GROUPS, merged, narrowed } from "./lines.ts";
import { targetOf } from "./target.ts";
import { usersIn, withNames } from "./words.ts";

const NOON = new Date(2026, 10, 23, 12).getTime() * 1_000;

function line(id: number, kind: string, more: Partial<ActivityLine> = {}): ActivityLine {
  return {
    room: "demo",
    id,
    changed: id,
    kind,
    user: "ada",
    document: null,
    message: null,
    at: NOON + id,
    until: NOON + id,
    text: "",
    details: {},
    line: kind,
    ...more,
  };
}

test("lines are narrowed down by person, kind and document together", () => {
  const lines = [
    line(3, "edited", { document: "main.md", user: "ben" }),
    line(2, "edited", { document: "main.md" }),
    line(1, "said"),
  ];
  expect(narrowed(lines, EVERYTHING)).toEqual(lines);
  expect(narrowed(lines, { ...EVERYTHING, group: "edits", user: "ada" })).toEqual([lines[1]]);
  expect(narrowed(lines, { ...EVERYTHING, document: "other.md" })).toEqual([]);
});

test("every kind belongs to one group", () => {
  const kinds = Object.values(GROUPS).flat();
  expect(new Set(kinds).size).toBe(kinds.length);
});

test("of two states of a line the later one is shown, newest lines first", () => {
  const old = line(1, "edited");
  const newer = line(1, "edited", { changed: 9 });
  expect(merged([newer], [line(2, "said"), old])).toEqual([line(2, "said"), newer]);
  const withWords = line(2, "said", { line: "said: hello" });
  expect(merged([line(2, "said")], [withWords])).toEqual([withWords]);
});

describe("days", () => {
  const shown = (lines: readonly ActivityLine[]) =>
    daysOf(lines).map(({ rows }) =>
      rows.map((row) => (row.kind === "fold" ? row.lines.length : row.line.kind)),
    );

  test("stand apart", () => {
    expect(shown([line(2, "said", { at: NOON + 86_400e6 }), line(1, "said")])).toEqual([["said"], ["said"]]);
  });

  test("fold comings and goings when there are several", () => {
    const lines = [line(5, "left"), line(4, "joined"), line(3, "left"), line(2, "said"), line(1, "joined")];
    expect(shown(lines)).toEqual([[3, "said", "joined"]]);
  });
});

test("a line leads to what it is about", () => {
  expect(targetOf(line(1, "said", { message: "m" }))).toEqual({ kind: "message", message: "m" });
  expect(targetOf(line(1, "edited", { document: "a.md", details: { from: 1, to: 4 } }))).toEqual({
    kind: "revision",
    document: "a.md",
    revision: 4,
  });
  expect(targetOf(line(1, "saved", { document: "a.md", details: { revision: 2 } }))).toEqual({
    kind: "revision",
    document: "a.md",
    revision: 2,
  });
  expect(targetOf(line(1, "listed", { document: "a.md" }))).toEqual({ kind: "document", document: "a.md" });
  expect(targetOf(line(1, "joined"))).toEqual({ kind: "moment", at: NOON + 1 });
});

test("ids in the words are names", () => {
  const nameOf = (user: string) => ({ a: "Ada", "guest-ben-1": "$& Ben" })[user] ?? user;
  expect(withNames("made a a member, as editor", "a", nameOf)).toBe("made Ada a member, as editor");
  expect(withNames("said: hi @guest-ben-1, me@a", null, nameOf)).toBe("said: hi @$& Ben, me@a");
  expect(usersIn("said: hi @guest-ben-1 and @a", null)).toEqual(["guest-ben-1", "a"]);
});
