/** A replay on a real server, and the stages that its steps lead to. */

import type { Stage } from "@chronoscribe/client";
import { describe, expect, test } from "vitest";
import { StageFold } from "../src/stage.ts";
import { guest, join, makeRoom, until, url } from "./server.ts";

describe.skipIf(url === undefined)("a replay on a real server", () => {
  test("the steps lead from the first stage to the room as it is", async () => {
    const ada = await guest("Ada");
    const room = await makeRoom(ada);
    const one = join(room, ada);
    await until(one.connection, (c) => c.status === "online");
    const document = one.open("main.md", { create: true });
    await until(document, (d) => d.status === "open");
    for (const word of ["one ", "two 😀 ", "three"]) {
      document.edit([{ from: document.text.length, to: document.text.length, insert: word }]);
      await document.saved();
      document.setCursor({ anchor: 2, head: 2 });
      await one.chat.post(`typed ${word}`);
    }
    await one.chat.react(
      (await until(one.chat, (c) => c.messages.length === 3)).messages[0]!.message,
      "👍",
      true,
    );
    const replay = await one.replay({ speed: 64 });
    expect(replay.getSnapshot().stage.documents.size).toBe(0);
    await replay.play();
    const end = await until(replay, (r) => !r.isPlaying && r.stage.messages.length === 3);
    expect(end.stage.documents.get("main.md")!.text).toBe("one two 😀 three");
    await replay.step(-1);
    const before = await until(replay, (r) => r.place !== end.place);
    await replay.seek(end.until);
    const again = await until(replay, (r) => r.at >= end.at && r.place !== before.place);
    // Made by the server of that moment's state, where the other was folded here, step by step; only who wrote
    // last is known from steps alone.
    const told = ({ documents, people, messages }: Stage) => ({
      documents: [...documents.values()].map(({ writer: _, ...document }) => document),
      people: [...people],
      messages,
    });
    expect(told(again.stage)).toEqual(told(end.stage));
    expect(again.stage.messages[0]!.reactions["👍"]).toHaveLength(1);
    replay.close();
    await one.leave();
  });

  test("a cursor is moved by an edit before it, and a sign of typing ends", () => {
    const fold = new StageFold({
      at: 0,
      place: "",
      documents: [{ document: "a", revision: 1, text: "ab", listed: true }],
      people: [
        {
          client: "c",
          user: "u",
          name: "U",
          colour: "#123456",
          status: "editing",
          cursor: { document: "a", revision: 1, anchor: 1, head: 1 },
          typing: { document: null, at: 0 },
        },
      ],
      messages: [],
    });
    fold.step({
      at: 5,
      place: "1",
      events: [{ event: "edit", document: "a", revision: 2, op: ["😀"], client: "d" }],
    });
    const person = () => fold.stage().people.get("c")!;
    expect(person().cursor).toEqual({ document: "a", revision: 2, anchor: 2, head: 2 });
    expect(person().typing).toEqual({ document: null, at: 0 });
    fold.advance(10_000_000, "2");
    expect(person().typing).toBeNull();
  });
});
