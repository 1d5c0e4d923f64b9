/** What only a real server can say: whom it lets in, whose a client is, and whether both have the same text. */

import { describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { memoryStorage } from "../src/storage/memory.ts";
import type { WebSocketClass } from "../src/types.ts";
import { guest, join, makeRoom, until, url } from "./server.ts";

/** A socket that writes down what goes over it. */
function listening(): { frames: Record<string, unknown>[]; WebSocket: WebSocketClass } {
  const frames: Record<string, unknown>[] = [];
  class Socket extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols);
      this.on("message", (data) => frames.push(JSON.parse(String(data))));
    }
    override send(data: string): void {
      frames.push(JSON.parse(data));
      super.send(data);
    }
  }
  return { frames, WebSocket: Socket as unknown as WebSocketClass };
}

describe.skipIf(url === undefined)("at a real server", () => {
  test("both have the same text by the same hash", async () => {
    const ada = await guest("Ada");
    const room = await makeRoom(ada);
    const socket = listening();
    const one = join(room, ada, { WebSocket: socket.WebSocket });
    const document = one.open("main.md", { create: true });
    await until(document, ({ status }) => status === "open");
    document.edit([{ from: 0, to: 0, insert: "Grüße 👩‍🚀\r\n\u0301" }]);
    await document.saved();
    await vi.waitFor(() => expect(socket.frames.some(({ type }) => type === "check")).toBe(true), 5_000);
    const asked = socket.frames.find(({ type }) => type === "check")!;
    const answer = () => socket.frames.find(({ ref, type }) => ref === asked.ref && type !== "check");
    await vi.waitFor(() => expect(answer()).toMatchObject({ type: "ok" }));
    await one.leave();
  });

  test("cursors of others stand in UTF-16 units, and go with them", async () => {
    const [ada, ben] = await Promise.all([guest("Ada"), guest("Ben")]);
    const room = await makeRoom(ada);
    const [one, other] = [join(room, ada), join(room, ben)];
    const mine = one.open("main.md", { create: true });
    await until(mine, ({ status }) => status === "open");
    mine.edit([{ from: 0, to: 0, insert: "😀😀b" }]);
    await mine.saved();
    const theirs = other.open("main.md");
    await until(theirs, ({ status }) => status === "open");
    theirs.setCursor({ anchor: 2, head: 5 });
    const cursors = await until(mine.cursors, (found) => found.length === 1);
    expect(cursors).toMatchObject([{ client: other.client, name: "Ben", anchor: 2, head: 5 }]);
    mine.edit([{ from: 0, to: 0, insert: "👋" }]);
    expect(mine.cursors.getSnapshot()).toMatchObject([{ anchor: 4, head: 7 }]);
    await other.leave();
    await until(mine.cursors, (found) => found.length === 0);
    await one.leave();
  });

  test("a client that is somebody else's is left to them", async () => {
    const [ada, ben] = await Promise.all([guest("Ada"), guest("Ben")]);
    const room = await makeRoom(ada);
    const storage = memoryStorage(); // of one browser
    const adas = join(room, ada, { storage });
    await until(adas.connection, ({ status }) => status === "online");
    const hers = adas.client;
    await adas.leave();
    const bens = join(room, ben, { storage });
    const { me } = await until(bens.state, (state) => state.me !== null);
    expect(me!.name).toBe("Ben");
    expect(bens.client).not.toBe(hers);
    await bens.leave();
    const again = join(room, ada, { storage });
    await until(again.connection, ({ status }) => status === "online");
    expect(again.client).toBe(hers);
    await again.leave();
  });

  test("who has no good token, or no room, is told and does not try for ever", async () => {
    const onRefused = vi.fn();
    const stranger = join("demo", "nobody", { credentials: { token: async () => "nobody", onRefused } });
    const stopped = await until(stranger.connection, ({ status }) => status === "stopped");
    expect(stopped.code).toBe("E_AUTH");
    expect(onRefused).toHaveBeenCalled();

    const lost = join("there-is-no-such-room", await guest("Ada"));
    const gone = await until(lost.connection, ({ status }) => status === "stopped");
    expect(gone.code).toBe("E_NOT_FOUND");
    expect(gone.why).not.toBe("");
  });

  test("what was taken back and done again comes from the log, whoever's tab it was", async () => {
    const ada = await guest("Ada");
    const room = await makeRoom(ada);
    const [laptop, phone] = [join(room, ada), join(room, ada)];
    const here = laptop.open("main.md", { create: true });
    await until(here, ({ status }) => status === "open");
    here.edit([{ from: 0, to: 0, insert: "from the laptop" }]);
    await here.saved();
    const there = phone.open("main.md");
    await until(there, ({ status }) => status === "open");
    expect(await there.undo()).toBe(2);
    await until(here, ({ length }) => length === 0);
    expect(await here.redo()).toBe(3);
    await until(there, ({ length }) => length > 0);
    expect([here.text, there.text]).toEqual(["from the laptop", "from the laptop"]);
    expect(await here.undo()).toBe(4);
    expect(await here.undo()).toBeNull();
    await Promise.all([laptop.leave(), phone.leave()]);
  });

  test("a person far behind reads every single edit, and has lost nothing", { timeout: 60_000 }, async () => {
    const [ada, ben] = await Promise.all([guest("Ada"), guest("Ben")]);
    const room = await makeRoom(ada);
    const [one, other] = [join(room, ada), join(room, ben)];
    const mine = one.open("main.md", { create: true });
    await until(mine, ({ status }) => status === "open");
    const theirs = other.open("main.md");
    await until(theirs, ({ status }) => status === "open");
    mine.edit([{ from: 0, to: 0, insert: "[]" }]);
    await until(theirs, ({ revision }) => revision === 1);
    one.rest();
    mine.edit([{ from: 1, to: 1, insert: "mine" }]);
    for (let edit = 0; edit < 1_100; edit++) {
      theirs.edit([{ from: 0, to: 0, insert: "x" }]);
      await theirs.saved();
    }
    one.wake();
    await until(mine, ({ status, sent, local }) => status === "open" && sent + local === 0);
    await until(theirs, ({ revision }) => revision === mine.getSnapshot().revision);
    expect(mine.text).toBe(`${"x".repeat(1_100)}[mine]`);
    expect(theirs.text).toBe(mine.text);
    await Promise.all([one.leave(), other.leave()]);
  });
});
