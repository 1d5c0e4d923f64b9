import { describe, expect, it } from "vitest";
import { findUnseen, nameOf } from "./specialCharacters.ts";

function codes(text: string): string[] {
  return findUnseen(text).map(({ code }) => code.toString(16));
}

describe("characters that cannot be seen", () => {
  it("shows everything that turns the direction of writing", () => {
    const turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c";
    expect(findUnseen(`a${turning}b`)).toHaveLength(12);
    expect(codes("if (admin\u202e \u2066// check\u2069 \u2066)")).toEqual(["202e", "2066", "2069", "2066"]);
  });

  it("shows what has no width, and spaces that are none", () => {
    expect(codes("pay\u200bpal \u2060 \ufeff a\u00a0b \u3000 \u3164")).toEqual([
      "200b",
      "2060",
      "feff",
      "a0",
      "3000",
      "3164",
    ]);
  });

  it("shows controls, a carriage return and separators of lines, but no tab", () => {
    expect(codes("a\tb\r c\u0007 \u2028 \u0085")).toEqual(["d", "7", "2028", "85"]);
  });

  it("leaves joiners inside emoji, and shows them elsewhere", () => {
    expect(codes("👩‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 ❤️‍🔥 🤷🏻‍♀️")).toEqual([]);
    expect(codes("a\u200db 👩\u200d")).toEqual(["200d", "200d"]);
  });

  it("leaves joiners between letters of scripts that need them", () => {
    expect(codes("می‌خواهم क्‍ष")).toEqual([]);
    expect(codes("ad\u200cmin")).toEqual(["200c"]);
  });

  it("leaves the flags of Scotland and Wales, and shows tags that hide elsewhere", () => {
    expect(codes("🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿")).toEqual([]);
    expect(codes("hi\u{e0041}\u{e0042}")).toEqual(["e0041", "e0042"]);
  });

  it("leaves the style of an emoji, and shows styles that carry something else", () => {
    expect(codes("❤️ ☺︎ 1️⃣")).toEqual([]);
    expect(findUnseen("x\ufe01\u{e0155}")).toHaveLength(2);
  });

  it("leaves words of every script as they are", () => {
    expect(
      codes("Grüße, Ελλάδα, Привет, שלום, مرحبا, 你好, こんにちは, 한국어, ไทย, हिन्दी 👍🏽 e\u0301"),
    ).toEqual([]);
  });

  it("names them", () => {
    expect(nameOf(0x202e)).toBe("U+202E RIGHT-TO-LEFT OVERRIDE");
    expect(nameOf(0x1)).toBe("U+0001");
  });
});
