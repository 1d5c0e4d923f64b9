import { describe, expect, test } from "vitest";
import { momentOfAddress, parseRoute } from "./route.ts";

describe("an address", () => {
  test("is that of the lobby when it says nothing else", () => {
    for (const hash of ["", "#", "#/", "#/room", "#/join/a", "#/elsewhere"]) {
      expect(parseRoute(hash)).toEqual({ kind: "lobby" });
    }
  });

  test("names a room, a document and a passage", () => {
    expect(parseRoute("#/room/demo")).toEqual({ kind: "room", room: "demo", document: null, passage: null });
    expect(parseRoute("#/room/demo/a%20b.md?passage=3,1,9")).toEqual({
      kind: "room",
      room: "demo",
      document: "a b.md",
      passage: { revision: 3, start: 1, end: 9 },
    });
    expect(parseRoute("#/room/demo/a.md?passage=x,1").kind).toBe("room");
    expect(parseRoute("#/room/demo/%E0%A4%A")).toMatchObject({ document: "%E0%A4%A" });
  });

  test("is an invitation", () => {
    const route = parseRoute("#/join/study/in1/se-cret");
    expect(route).toEqual({ kind: "join", room: "study", invitation: "in1", secret: "se-cret" });
  });
});

test("an address may lead to a moment", () => {
  expect(momentOfAddress("#/room/r/main.md?at=1795852926918174")).toBe(1_795_852_926_918_174);
  expect(momentOfAddress("#/room/r/main.md")).toBe(null);
  expect(momentOfAddress("#/room/r?at=yesterday")).toBe(null);
});
