import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, DocumentHandle, Room, TextChanged } from "../src/types.ts";
import { enter, inTestTime, wait } from "./model-room.ts";
import { ModelServer } from "./model-server.ts";
import { RUNS } from "./texts.ts";

const insert = (at: number, text: string): Change[] => [{ from: at, to: at, insert: text }];

/** An editor that does what it is told, and what its user does. */
class Editor {
  text = "";
  readonly told: TextChanged[] = [];
  readonly #handle: DocumentHandle;

  constructor(handle: DocumentHandle) {
    this.#handle = handle;
    this.text = handle.text;
    handle.onText((changed) => {
      this.told.push(changed);
      if (!changed.isOwn) this.#apply(changed.changes);
    });
  }

  type(changes: readonly Change[]): number {
    this.#apply(changes);
    return this.#handle.edit(changes);
  }

  #apply(changes: readonly Change[]): void {
    for (const { from, to, insert } of changes.toReversed())
      this.text = this.text.slice(0, from) + insert + this.text.slice(to);
  }
}

async function opened(text = ""): Promise<{ server: ModelServer; room: Room; document: DocumentHandle }> {
  const server = new ModelServer();
  if (text !== "") server.edit("main.md", [text]);
  const room = enter(server);
  const document = room.open("main.md", { create: true });
  await wait(10);
  return { server, room, document };
}

async function offline(server: ModelServer): Promise<void> {
  server.isReachable = false;
  server.cut();
  await wait(10);
}

async function online(server: ModelServer, room: Room): Promise<void> {
  server.isReachable = true;
  room.wake();
  await wait(50);
}

describe("a document", () => {
  inTestTime();

  test("is edited in UTF-16 units and sent in code points", async () => {
    const { server, room, document } = await opened("😀b");
    document.edit([
      { from: 0, to: 2, insert: "👋" },
      { from: 3, to: 3, insert: "!" },
    ]);
    await wait(10);
    expect(server.document("main.md").edits.at(-1)!.op).toEqual([{ d: "😀" }, "👋", 1, "!"]);
    expect([document.text, document.getSnapshot().length]).toEqual(["👋b!", 4]);
    expect([document.toCodePoints(3), document.toUtf16(2)]).toEqual([2, 3]);
    expect(document.link(2, 4)).toEqual({ document: "main.md", revision: 2, start: 1, end: 3 });
    await room.leave();
  });

  test("tells an editor what makes its text the same, whatever was typed", async () => {
    const unit = fc.constantFrom("a", "b", "\ud83d", "\ude00", "😀", "\0", "\n").map((text) => text);
    const typed = fc.array(unit, { maxLength: 3 }).map((units) => units.join(""));
    const acts = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("type" as const), from: fc.nat(), length: fc.nat(3), insert: typed }),
        fc.record({
          kind: fc.constant("hear" as const),
          from: fc.nat(),
          length: fc.nat(2),
          insert: fc.constantFrom("😀", "x"),
        }),
      ),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (drawn) => {
        const { server, room, document } = await opened("a😀b");
        const editor = new Editor(document);
        for (const { kind, from, length, insert } of drawn) {
          if (kind === "type") {
            const start = from % (editor.text.length + 1);
            editor.type([{ from: start, to: Math.min(editor.text.length, start + length), insert }]);
          } else {
            const { points } = server.document("main.md");
            const start = from % (points + 1);
            const deleted = Math.min(length, points - start);
            server.edit("main.md", [
              ...(start > 0 ? [start] : []),
              ...(deleted > 0 ? [{ d: deleted }] : []),
              insert,
            ]);
            await wait(from % 3);
          }
          expect(editor.text).toBe(document.text);
          expect(document.text).not.toMatch(/[\p{Cs}\0]/u);
        }
        await wait(100);
        expect([editor.text, document.text]).toEqual([server.document("main.md").text, editor.text]);
        await room.leave();
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });

  test("tells of own edits as own, and of others' with who made them", async () => {
    const { server, room, document } = await opened("ab");
    const editor = new Editor(document);
    editor.type(insert(1, "X"));
    server.edit("main.md", [2, "Y"]);
    await wait(10);
    expect(editor.told).toMatchObject([
      { isOwn: true, changes: insert(1, "X"), cause: "typed" },
      { isOwn: false, changes: insert(3, "Y"), user: "user-somebody", client: "somebody", cause: "typed" },
    ]);
    await room.leave();
  });

  test("says over whose edits ours was transformed, where they met", async () => {
    const { server, room, document } = await opened("ab");
    const editor = new Editor(document);
    server.latencyMs = 20;
    editor.type(insert(1, "mine"));
    server.edit("main.md", [1, "theirs"]);
    await wait(100);
    expect(document.text).toBe(server.document("main.md").text);
    expect(editor.told.at(-1)).toMatchObject({
      isOwn: true,
      changes: [],
      over: [{ user: "user-somebody", revision: 2 }],
    });
    await room.leave();
  });

  test("cannot be edited before it is there, when it is closed, or when it may not be", async () => {
    const server = new ModelServer();
    const room = enter(server);
    const document = room.open("none.md");
    expect(() => document.edit(insert(0, "x"))).toThrow("not open");
    await wait(10);
    expect(document.getSnapshot()).toMatchObject({ status: "refused" });
    expect(() => document.edit(insert(0, "x"))).toThrow();
    server.edit("none.md", ["now"]);
    document.openAfresh();
    await wait(10);
    expect([document.getSnapshot().status, document.text]).toEqual(["open", "now"]);
    document.close();
    expect(() => document.edit(insert(0, "x"))).toThrow("closed");
    expect(document.getSnapshot().status).toBe("closed");
    await room.leave();
  });

  test("hands a refused edit out and keeps what was typed after it", async () => {
    const { server, room, document } = await opened("ab");
    const editor = new Editor(document);
    const unsent: unknown[] = [];
    document.onUnsent((text) => unsent.push(text));
    server.refusals.push({ type: "error", code: "E_DOC_SIZE", message: "too long" });
    const refused = editor.type(insert(1, "REFUSED"));
    const isSaved = document.saved();
    const kept = editor.type(insert(9, "kept"));
    const isKept = document.saved();
    const isRefused = expect(isSaved).rejects.toMatchObject({ code: "E_DOC_SIZE" });
    await wait(10);
    await isRefused;
    await isKept;
    expect(editor.text).toBe("abkept");
    expect([document.stateOf(refused), document.stateOf(kept)]).toEqual(["refused", "durable"]);
    expect(unsent).toMatchObject([{ code: "E_DOC_SIZE", inserted: ["REFUSED"] }]);
    await room.leave();
  });

  test("closed with something unsent goes on until it is sent, and is there again when it is opened", async () => {
    const { server, room, document } = await opened("ab");
    await offline(server);
    document.edit(insert(2, "c"));
    document.close();
    const again = room.open("main.md");
    await wait(10);
    expect(again.text).toBe("abc");
    again.close();
    await online(server, room);
    await wait(1_000);
    expect(server.document("main.md").text).toBe("abc");
    expect(server.counts.get("close")).toBe(1);
    await room.leave();
  });

  test("is saved before one leaves, and leaving does not wait for a server that does not answer", async () => {
    const { server, room, document } = await opened();
    document.edit(insert(0, "last words"));
    await Promise.all([room.leave(), wait(100)]);
    expect(server.document("main.md").text).toBe("last words");

    const other = await opened();
    other.server.isSilent = true;
    other.document.edit(insert(0, "x"));
    let hasLeft = false;
    const leaving = other.room.leave(3).then(() => {
      hasLeft = true;
    });
    await wait(2_900);
    expect(hasLeft).toBe(false);
    await wait(200);
    await leaving;
    expect(other.room.connection.getSnapshot().status).toBe("stopped");
  });
});

describe("whoever waits", () => {
  inTestTime();

  test("is told when the document is closed or the room is left", async () => {
    for (const end of ["close", "leave"]) {
      const { server, room, document } = await opened("ab");
      document.edit(insert(2, "c"));
      await wait(10);
      await offline(server);
      const undoing = expect(document.undo()).rejects.toThrow(); // by the server, when it is there
      await wait(10);
      document.edit(insert(3, "d"));
      const saving = expect(document.saved()).rejects.toMatchObject({
        code: end === "close" ? "E_CLOSED" : "E_LEFT",
      });
      if (end === "close") document.close();
      else void room.leave(0);
      await wait(10);
      await Promise.all([undoing, saving]);
      expect(() => document.edit(insert(0, "x"))).toThrow();
      await room.leave(0);
    }
  });
});

describe("taking back without a connection", () => {
  inTestTime();

  test("goes by what was typed without a pause of a second, and leaves no trace in the log", async () => {
    const { server, room, document } = await opened("ab");
    const editor = new Editor(document);
    await offline(server);
    editor.type(insert(2, "c"));
    await wait(500);
    editor.type(insert(3, "d"));
    await wait(1_500);
    editor.type([{ from: 0, to: 1, insert: "😀" }]);
    expect(editor.text).toBe("😀bcd");
    await document.undo();
    expect(editor.text).toBe("abcd");
    await document.redo();
    expect(editor.text).toBe("😀bcd");
    await document.undo();
    await document.undo();
    expect(editor.text).toBe("ab");
    expect(document.getSnapshot()).toMatchObject({ sent: 0, local: 0 });
    await online(server, room);
    expect(server.document("main.md").revision).toBe(1);
    expect(server.counts.get("undo")).toBeUndefined();
    await document.redo(); // it is typed again
    await wait(10);
    expect(server.document("main.md").text).toBe("abcd");
    expect(editor.text).toBe("abcd");
    await room.leave();
  });

  test("does and undoes as a plain history would, whatever is typed", async () => {
    const act = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ from: fc.nat(9), length: fc.nat(3), insert: fc.constantFrom("", "x", "😀") }),
      },
      { weight: 2, arbitrary: fc.constantFrom("undo" as const, "redo" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (drawn) => {
        const { server, room, document } = await opened("a😀b");
        const editor = new Editor(document);
        await offline(server);
        const history = [editor.text];
        let at = 0;
        for (const done of drawn) {
          if (done === "undo" && at > 0) at -= 1;
          else if (done === "redo" && at < history.length - 1) at += 1;
          else if (typeof done === "object") {
            const from = Math.min(done.from, editor.text.length);
            const to = Math.min(from + done.length, editor.text.length);
            if (from === to && done.insert === "") continue;
            editor.type([{ from, to, insert: done.insert }]);
            history.splice(++at, history.length, editor.text);
            await wait(1_000); // each a step of its own
            continue;
          } else continue; // nothing of it is here, and the server cannot be asked
          await document[done]();
          expect(editor.text).toBe(history[at]);
          expect(document.text).toBe(history[at]);
        }
        await online(server, room);
        expect(server.document("main.md").text).toBe(document.text);
        await room.leave();
      }),
      { numRuns: RUNS },
    );
  });

  test("takes nothing back that has left: that the server does, when all is acknowledged", async () => {
    const { server, room, document } = await opened("ab");
    document.edit(insert(2, "sent"));
    await wait(10);
    await offline(server);
    let isDone = false;
    const undoing = document.undo().then(() => {
      isDone = true;
    });
    await wait(1_000);
    expect([isDone, document.text]).toEqual([false, "absent"]);
    await online(server, room);
    await undoing;
    expect(server.counts.get("undo")).toBe(1);
    await room.leave();
  });

  test("with a connection asks the server, after everything that was typed", async () => {
    const { server, room, document } = await opened("ab");
    document.edit(insert(2, "c"));
    document.edit(insert(3, "d"));
    const undoing = document.undo();
    await wait(50);
    await undoing;
    expect(server.document("main.md").edits.length).toBe(3);
    expect(server.counts.get("undo")).toBe(1);
    await room.leave();
  });
});

describe("cursors", () => {
  inTestTime();

  test("of others stand in the present text, in UTF-16 units, whoever writes", async () => {
    const { server, room, document } = await opened("a😀b");
    const joined = { event: "joined", position: 50, at: 1, actor: "ben", client: "bens", session: "s1" };
    for (const socket of server.sockets) {
      const looks = { name: "Ben", colour: "#112233", avatar: "" };
      socket.tell({ type: "events", position: 50, events: [{ ...joined, ...looks }] });
      const move = { client: "bens", document: "main.md", revision: 1, anchor: 2, head: 3, at: 5 };
      socket.tell({ type: "presence", position: 1, moves: [move], typing: [] });
    }
    await wait(10);
    expect(document.cursors.getSnapshot()).toMatchObject([
      { client: "bens", user: "ben", name: "Ben", colour: "#112233", anchor: 3, head: 4 },
    ]);
    document.edit(insert(0, "👋"));
    expect(document.cursors.getSnapshot()).toMatchObject([{ anchor: 5, head: 6 }]);
    await wait(10);
    server.edit("main.md", [{ d: 2 }]);
    await wait(10);
    expect(document.cursors.getSnapshot()).toMatchObject([{ anchor: 2, head: 3 }]);
    await room.leave();
  });

  test("of ours are told twenty times a second at the most, in code points", async () => {
    const { server, room, document } = await opened("😀😀😀");
    for (let at = 0; at < 100; at++) {
      document.setCursor({ anchor: 2, head: at % 7 });
      await wait(5);
    }
    await wait(100);
    expect(server.counts.get("cursor")).toBeGreaterThan(8);
    expect(server.counts.get("cursor")).toBeLessThan(13);
    await room.leave();
  });
});
