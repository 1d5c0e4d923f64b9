import { expect, test } from "vitest";
import { linkAt, safeAddress, whereTo } from "./links.ts";

const linkIn = (text: string) => linkAt(text, text.search(/\w+:/))?.text ?? null;

test("what follows an address in a sentence does not belong to it", () => {
  expect(linkIn("see https://a.example/b.")).toBe("https://a.example/b");
  expect(linkIn("(see https://a.example/b)")).toBe("https://a.example/b");
  expect(linkIn("https://en.example/wiki/Log_(disambiguation)")).toBe(
    "https://en.example/wiki/Log_(disambiguation)",
  );
  expect(linkIn('"https://a.example/?q=1&r=2#x",')).toBe("https://a.example/?q=1&r=2#x");
  expect(linkIn("<https://a.example>")).toBe("https://a.example");
});

test("only http, https and mailto are addresses", () => {
  expect(safeAddress("https://a.example")).toBe("https://a.example/");
  expect(safeAddress("mailto:ada@a.example")).toBe("mailto:ada@a.example");
  for (const hostile of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://a.example/1",
    "https://",
    "mailto:",
  ])
    expect(safeAddress(hostile)).toBeNull();
});

test("nothing that cannot be seen hides in an address", () => {
  expect(linkIn("https://a.example/\u202egnp.exe")).toBe("https://a.example/");
  expect(linkIn("https://a.ex\u200bample/")).toBe("https://a.ex");
});

test("a person can read where an address leads", () => {
  expect(whereTo(safeAddress("https://bank.example@evil.example/x")!)).toBe("Opens evil.example");
  expect(whereTo(safeAddress("https://аpple.example/")!)).toBe("Opens xn--pple-43d.example");
  expect(whereTo("mailto:ada@a.example")).toBe("Write to ada@a.example");
});
