import { ChangeSet, EditorState, Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { inkOn } from "./colours.ts";
import { difference } from "./difference.ts";
import { indentationOf } from "./indentation.ts";
import { Touched } from "./touched.ts";
import { changesOf, onlyStorable } from "./wellFormed.ts";

function text(value: string): Text {
  return Text.of(value.split("\n"));
}

function state(doc: string): EditorState {
  return EditorState.create({ doc, extensions: [EditorState.lineSeparator.of("\n"), onlyStorable] });
}

describe("a change of the view on its way to the document", () => {
  it("never splits a surrogate pair", () => {
    const before = text("a😀b");
    // 😀 is d83d de00, 😁 is d83d de01: an editor that compares units replaces the second half only.
    const halves = ChangeSet.of({ from: 2, to: 3, insert: "\ude01" }, before.length, "\n");
    expect(changesOf(halves, before)).toEqual([{ from: 1, to: 3, insert: "😁" }]);
  });

  it("keeps every line end", () => {
    const before = text("one\r\ntwo\u2028");
    const set = ChangeSet.of({ from: 3, insert: "\r\n\u2029\n" }, before.length, "\n");
    expect(changesOf(set, before)).toEqual([{ from: 3, to: 3, insert: "\r\n\u2029\n" }]);
    expect(set.apply(before).sliceString(0, Number.MAX_SAFE_INTEGER, "\n")).toBe(
      "one\r\n\u2029\n\r\ntwo\u2028",
    );
  });

  it("lets in nothing that cannot be stored, and moves nothing for it", () => {
    const before = state("ab");
    const after = before.update({
      changes: { from: 1, insert: "x\ud800\0y" },
      selection: { anchor: 5 },
    }).state;
    expect(after.doc.toString()).toBe("ax\ufffd\u2400yb");
    expect(after.selection.main.head).toBe(5);
  });

  it("lets an emoji become its neighbour", () => {
    const after = state("a😀").update({ changes: { from: 2, to: 3, insert: "\ude01" } }).state;
    expect(after.doc.toString()).toBe("a😁");
  });
});

describe("what others write while one types", () => {
  it("comes together, whichever of the two is applied first", () => {
    const others = ChangeSet.of(
      [
        { from: 0, insert: "[" },
        { from: 3, to: 5, insert: "X" },
      ],
      6,
    );
    const mine = ChangeSet.of(
      [
        { from: 0, insert: "(" },
        { from: 4, insert: "y" },
      ],
      6,
    );
    const before = text("abcdef");
    const inHandle = mine.map(others).apply(others.apply(before));
    const inView = others.map(mine, true).apply(mine.apply(before));
    expect(inView.toString()).toBe(inHandle.toString());
  });
});

describe("the difference of two texts", () => {
  it.each([
    ["", ""],
    ["abc", "abc"],
    ["abc", "aXc"],
    ["aaa", "aaaa"],
    ["", "x\r\ny"],
    ["abab", "ab"],
  ])("makes %j into %j", (before, after) => {
    expect(difference(before, after).apply(text(before)).toString()).toBe(after);
  });
});

describe("what a document is indented by", () => {
  it.each([
    ["a\n  b\n    c\n", "  "],
    ["def f():\n    if x:\n        return\n", "    "],
    ["a\n\tb\n\t\tc", "\t"],
    ["nothing", "  "],
  ])("finds it in %j", (doc, unit) => {
    expect(indentationOf(text(doc))).toBe(unit);
  });
});

it("remembers where two have written in one line", () => {
  const touched = new Touched();
  const doc = text("one\ntwo\nthree");
  touched.addOwn(ChangeSet.of({ from: 4, to: 7, insert: "two" }, 13));
  touched.addOthers(ChangeSet.of({ from: 0, to: 3, insert: "one" }, 13));
  expect(touched.meeting(doc)).toEqual([]);
  touched.addOthers(ChangeSet.of({ from: 5, to: 6, insert: "w" }, 13));
  expect(touched.meeting(doc)).toEqual([{ from: 5, to: 6, kind: "conflict" }]);
});

it("writes on a colour what can be read on it", () => {
  expect(inkOn("#1a1a6b")).toBe("#ffffff");
  expect(inkOn("#ffe680")).toBe("#000000");
});
