import { expect, test } from "vitest";
import { rangeOf } from "./hunkRange.ts";

const TEXT = "one\n😀 two\nthree\nfour\n";

function hunk(new_start: number, ...kinds: string[]) {
  return { new_start, lines: kinds.map((kind) => ({ kind })) };
}

test("a hunk reaches from its first changed line to behind its last", () => {
  expect(rangeOf(hunk(1, "same", "removed", "added", "added", "same"), TEXT)).toEqual({ start: 4, end: 16 });
});

test("where lines were only taken out, it is the place between", () => {
  expect(rangeOf(hunk(1, "same", "removed", "removed", "same"), TEXT)).toEqual({ start: 4, end: 4 });
});

test("it goes no further than the text", () => {
  expect(rangeOf(hunk(4, "same", "added"), `${TEXT}five`)).toEqual({ start: 21, end: 25 });
  expect(rangeOf(hunk(1, "removed"), "")).toEqual({ start: 0, end: 0 });
});
