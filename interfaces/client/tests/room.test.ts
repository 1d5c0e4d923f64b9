/** Rooms on a real server, over real sockets. */

import { describe, expect, test } from "vitest";
import { guest, join, makeRoom, until, url } from "./server.ts";

describe.skipIf(url === undefined)("a room on a real server", () => {
  test("what one types the other sees, and both have the same text", async () => {
    const [ada, ben] = await Promise.all([guest("Ada"), guest("Ben")]);
    const room = await makeRoom(ada);
    const [one, other] = [join(room, ada), join(room, ben)];
    await Promise.all([
      until(one.connection, (c) => c.status === "online"),
      until(other.connection, (c) => c.status === "online"),
    ]);
    const mine = one.open("main.md", { create: true });
    await until(mine, (d) => d.status === "open");
    const theirs = other.open("main.md");
    await until(theirs, (d) => d.status === "open");
    mine.edit([{ from: 0, to: 0, insert: "Hello 😀 world" }]);
    await mine.saved();
    await until(theirs, (d) => d.revision === 1);
    theirs.edit([{ from: 6, to: 8, insert: "👩‍🚀" }]);
    await theirs.saved();
    await until(mine, (d) => d.revision === 2);
    expect(mine.text).toBe("Hello 👩‍🚀 world");
    expect(theirs.text).toBe(mine.text);
    expect(await theirs.undo()).toBe(3);
    await until(mine, (d) => d.revision === 3);
    expect(mine.text).toBe("Hello 😀 world");
    await other.chat.post("Seen?");
    const chat = await until(one.chat, (c) => c.messages.length === 1);
    expect(chat.messages[0]!.text).toBe("Seen?");
    expect(one.presence.getSnapshot().people.map((person) => person.name)).toEqual(["Ada", "Ben"]);
    await Promise.all([one.leave(), other.leave()]);
  });
});
