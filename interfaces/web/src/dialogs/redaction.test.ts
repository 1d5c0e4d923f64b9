import { describe, expect, test } from "vitest";
import { found, phraseIn } from "./redaction.ts";

describe("words that are looked for elsewhere", () => {
  test("are those of one line, without what stands around them", () => {
    expect(phraseIn("  hunter2 \n")).toBe("hunter2");
    expect(phraseIn("one\ntwo")).toBeNull();
    expect(phraseIn(" \n ")).toBeNull();
  });

  test("are no more than the server takes, which counts code points", () => {
    expect(phraseIn("😀".repeat(200))).toBe("😀".repeat(200));
    expect(phraseIn("x".repeat(201))).toBeNull();
  });
});

describe("what would go", () => {
  const goes = { characters: 1, events: 1, documents: [] as string[], messages: [] as string[] };

  test("is told with where it stood", () => {
    expect(found({ ...goes, documents: ["a.md"] })).toBe("1 character would go, from all versions of a.md.");
    expect(found({ ...goes, characters: 42, messages: ["m1"] })).toBe(
      "42 characters would go, from 1 message.",
    );
    expect(found({ ...goes, characters: 1234, documents: ["a.md", "b.md"], messages: ["m1", "m2"] })).toBe(
      "1,234 characters would go, from all versions of a.md, all versions of b.md and 2 messages.",
    );
  });

  test("may be nothing", () => {
    expect(found({ ...goes, characters: 0 })).toMatch(/nothing/);
  });
});
