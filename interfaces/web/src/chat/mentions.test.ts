import { describe, expect, test } from "vitest";
import { asSent, asWritten, matching, queryAt, withPicked } from "./mentions.ts";

const ada = { user: "guest-ada-1", name: "Ada Lovelace" };
const ben = { user: "guest-ben-2", name: "Ben" };
const zoë = { user: "zoe", name: "Zoë" };
const everybody = [ada, ben, zoë];

describe("a mention that is being written", () => {
  test("begins with an @ that is not in a word", () => {
    expect(queryAt("hi @be", 6)).toEqual({ at: 3, query: "be" });
    expect(queryAt("@", 1)).toEqual({ at: 0, query: "" });
    expect(queryAt("hi @Ada Lo", 10)).toEqual({ at: 3, query: "Ada Lo" });
    expect(queryAt("me@be", 5)).toBeNull();
    expect(queryAt("@ben\nand", 8)).toBeNull();
    expect(queryAt("@ ben", 5)).toBeNull();
    expect(queryAt("hi", 2)).toBeNull();
  });

  test("finds people by name, by later words of it, without accents, and by id", () => {
    expect(matching(everybody, "ad", 5)).toEqual([ada]);
    expect(matching(everybody, "love", 5)).toEqual([ada]);
    expect(matching(everybody, "zoe", 5)).toEqual([zoë]);
    expect(matching(everybody, "guest-b", 5)).toEqual([ben]);
    expect(matching(everybody, "", 2)).toEqual([ada, ben]);
    expect(matching(everybody, "x", 5)).toEqual([]);
  });

  test("becomes the name, and the id when it is sent", () => {
    const done = withPicked("hi @ad!", { at: 3, caret: 6, candidate: ada, picked: {} });
    expect(done.text).toBe("hi @Ada Lovelace !");
    expect(done.caret).toBe(17);
    expect(asSent("hi @Ada Lovelace!", done.picked, [])).toBe("hi @guest-ada-1!");
  });

  test("of a second person of the same name is written by id", () => {
    const other = { user: "ben-3", name: "Ben" };
    const first = withPicked("@b", { at: 0, caret: 2, candidate: ben, picked: {} });
    const second = withPicked(`${first.text}@b`, { at: 5, caret: 7, candidate: other, picked: first.picked });
    expect(second.text).toBe("@Ben @ben-3 ");
    expect(asSent(second.text, second.picked, [])).toBe("@guest-ben-2 @ben-3 ");
  });
});

describe("what is sent", () => {
  test("mentions a name that was written out when it is clear who is meant", () => {
    expect(asSent("@Ben, see", {}, everybody)).toBe("@guest-ben-2, see");
    expect(asSent("@Ben", {}, [...everybody, { user: "ben-3", name: "Ben" }])).toBe("@Ben");
    expect(asSent("@Benjamin and me@Ben", {}, everybody)).toBe("@Benjamin and me@Ben");
  });

  test("takes names as they are, whatever they are made of", () => {
    const odd = { user: "odd", name: "(.*)$&" };
    expect(asSent("@(.*)$& hi", { [odd.name]: odd.user }, [])).toBe("@odd hi");
  });

  test("is written with names again when it is edited", () => {
    const name = (user: string) => (user === ada.user ? ada.name : user);
    const written = asWritten("hi @guest-ada-1 and @nobody", [ada.user], name);
    expect(written.text).toBe("hi @Ada Lovelace and @nobody");
    expect(asSent(written.text, written.picked, [])).toBe("hi @guest-ada-1 and @nobody");
  });
});
