import { describe, expect, test } from "vitest";
import { isOnlyEmoji, type Piece, piecesOf } from "./pieces.ts";

const kinds = (text: string, mentions: readonly string[] = []) =>
  piecesOf(text, mentions).map((piece) => piece.kind);
const joined = (pieces: readonly Piece[]) => pieces.map(({ text }) => text).join("");

describe("a message's text", () => {
  test("is whole again when its pieces are joined", () => {
    const text = "see `x[i]` at https://a.example/b?c=1#d, @ada!\n```py\nprint(1)\n```\nand \u202eback";
    expect(joined(piecesOf(text, ["ada"]))).toBe(text);
    expect(kinds(text, ["ada"])).toEqual([
      "text", "code", "text", "link", "text", "mention", "text", "block", "text", "unseen", "text",
    ]); // biome-ignore format: one line is easier to compare
  });

  test("is never markup", () => {
    expect(kinds("<script>alert(1)</script>")).toEqual(["text"]);
    expect(kinds("<img src=x onerror=alert(1)>")).toEqual(["text"]);
  });

  test("mentions only those whom the server says", () => {
    expect(kinds("@ada and @ben", ["ben"])).toEqual(["text", "mention"]);
    expect(kinds("write to ada@ben", ["ben"])).toEqual(["text"]);
    expect(kinds("é@ben", ["ben"])).toEqual(["text"]);
    expect(kinds("@ben-x", ["ben"])).toEqual(["text"]);
  });

  test("has code in which nothing is found", () => {
    expect(piecesOf("`https://a.example @ada`", ["ada"])).toEqual([
      { kind: "code", text: "`https://a.example @ada`", shown: "https://a.example @ada" },
    ]);
    expect(kinds("a ` b")).toEqual(["text"]);
    expect(piecesOf("``a`b``", [])).toEqual([{ kind: "code", text: "``a`b``", shown: "a`b" }]);
  });

  test("has blocks of code with a language", () => {
    expect(piecesOf("```ts\nlet a;\n\nlet b;\n```", [])).toEqual([
      { kind: "block", text: "```ts\nlet a;\n\nlet b;\n```", shown: "let a;\n\nlet b;", language: "ts" },
    ]);
    expect(kinds("```ts\nnever closed")).toEqual(["text"]);
  });

  test("shows what turns the direction of writing, and leaves joiners and unusual spaces", () => {
    expect(kinds("a\u202eb")).toEqual(["text", "unseen", "text"]);
    expect(kinds("a\u2066b\u2069")).toEqual(["text", "unseen", "text", "unseen"]);
    expect(kinds("👩\u200d💻")).toEqual(["text"]);
    expect(kinds("Bonjour\u202f!")).toEqual(["text"]);
  });
});

test("a few emoji alone are shown large", () => {
  expect(["👍", "👩‍💻 🎉", "🇩🇪", "❤️"].map(isOnlyEmoji)).toEqual([true, true, true, true]);
  expect(["", "1", "👍 ok", "#", "👍".repeat(7)].map(isOnlyEmoji)).toEqual(Array(5).fill(false));
});
