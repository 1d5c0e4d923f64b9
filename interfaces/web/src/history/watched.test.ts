import { expect, test } from "vitest";
import { burstsOf, type Piece, type TouchingEdit } from "./watched.ts";

function edit(user: string, at: number, revision: number, ...pieces: [string, string][]): TouchingEdit {
  const told: Piece[] = pieces.map(([kind, text]) => ({ kind, text, length: text.length }));
  return { type: "edit", direction: "back", revision, user, at: at * 1_000_000, pieces: told };
}

test("what one person types in one go is told as one", () => {
  const bursts = burstsOf([
    edit("ada", 0, 1, ["kept", "x"], ["inserted", "on"]),
    edit("ada", 1, 2, ["inserted", "ce"], ["kept", "x"]),
    edit("ben", 1.5, 3, ["deleted", "once"]),
    edit("ada", 2, 4, ["inserted", "twice"]),
    edit("ada", 9, 5, ["inserted", "!"]),
  ]);
  expect(bursts.map(({ user, first, last, edits }) => [user, first, last, edits])).toEqual([
    ["ada", 1, 2, 2],
    ["ben", 3, 3, 1],
    ["ada", 4, 4, 1],
    ["ada", 5, 5, 1],
  ]);
  expect(bursts[0]!.pieces).toEqual([{ kind: "inserted", text: "once", length: 4 }]);
});
