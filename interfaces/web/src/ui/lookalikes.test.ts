import { describe, expect, test } from "vitest";
import { lookAlikes, skeletonOf } from "./lookalikes.ts";

const of = (...names: string[]) =>
  [...lookAlikes(names.map((name, at) => ({ user: `user-${at}`, name })))].sort();

describe("names that look the same", () => {
  test.each([
    ["Ada", "Ada"],
    ["Ada", "ada"],
    ["Ada", "Аdа"], // Cyrillic А and а
    ["Paypal", "Рaypal"], // Cyrillic Р
    ["Alice", "A1ice"],
    ["Ill", "lll"],
    ["Bob", "B0b"],
    ["modern", "modem"],
    ["Νina", "Nina"], // Greek Ν
    ["Bеn", "Ben"], // Cyrillic е,
    ["Ada", "A\u200dd\u200ba"],
    ["Ada", "\u202eAda"],
    ["Zoë", "Zoe\u0308"],
    ["Zoë", "Zoe"],
    ["ﬁona", "fiona"],
    ["Ａｄａ", "Ada"],
    ["Ada  L.", "Ada L"],
  ])("%j and %j are told apart by their ids", (one, other) => {
    expect(of(one, other)).toHaveLength(2);
  });

  test.each([
    ["Ada", "Adam"],
    ["Ben", "Bob"],
    ["Анна", "Ольга"],
    ["李雷", "李磊"],
    ["Quiet Dolphin", "Quiet Otter"],
  ])("%j and %j need none", (one, other) => {
    expect(of(one, other)).toEqual([]);
  });

  test("one user in several lists is one", () => {
    expect(lookAlikes([1, 2].map(() => ({ user: "ada", name: "Ada" }))).size).toBe(0);
  });

  test("only those who are alike are named", () => {
    expect(of("Ada", "Bob", "ADA")).toEqual(["user-0", "user-2"]);
  });

  test("a name in another script stays itself, however it is written", () => {
    expect(skeletonOf("李雷")).toBe("李雷");
    expect(skeletonOf("")).toBe("");
  });
});
