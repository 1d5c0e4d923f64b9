import { describe, expect, test } from "vitest";
import { memoryStorage } from "../src/storage/memory.ts";
import type { Change, DocumentHandle, Notice, Room, Storage } from "../src/types.ts";
import { enter, inTestTime, Program, wait } from "./model-room.ts";
import { ModelServer, URL_OF_MODEL } from "./model-server.ts";

/** One browser: its storage, who holds which lock in it, and its programs one after the other. */
class Browser {
  readonly storage: Storage & { writes: string[]; size: number };
  readonly server: ModelServer;
  readonly #held = new Set<string>();
  #programs: Program[] = [];

  constructor(server = new ModelServer()) {
    this.server = server;
    const memory = memoryStorage();
    this.storage = {
      ...memory,
      writes: [],
      size: 0,
      set: (key, value) => {
        this.storage.writes.push(key.split("/").slice(5).join("/"));
        this.storage.size += value.length;
        return memory.set(key, value);
      },
    };
  }

  tab(): Room {
    const program = new Program(this.#held);
    this.#programs.push(program);
    return enter(this.server, { storage: this.storage, locks: program.locks });
  }

  /** The newest tab crashes. */
  crash(): void {
    this.server.cut();
    this.#programs.pop()!.kill();
  }

  crashAll(): void {
    while (this.#programs.length > 0) this.crash();
  }

  async reload(): Promise<Room> {
    this.crash();
    return this.tab();
  }

  /** It has not let go yet of a client whose tab is gone; returns what lets go. */
  holdOn(room: Room): () => void {
    const lock = `chronoscribe/${URL_OF_MODEL}/${room.room}/${room.client}`;
    this.#held.add(lock);
    return () => this.#held.delete(lock);
  }

  async keys(kind: string): Promise<string[]> {
    return (await this.storage.keys("")).filter((key) => key.includes(`/${kind}/`));
  }
}

const insert = (at: number, text: string): Change[] => [{ from: at, to: at, insert: text }];

async function opened(room: Room): Promise<DocumentHandle> {
  const document = room.open("main.md", { create: true });
  await wait(10);
  return document;
}

describe("what is unsent", () => {
  inTestTime();

  test("is there after a reload without a network, can be edited on, and is in the log once in the end", async () => {
    const browser = new Browser();
    const { server } = browser;
    const room = browser.tab();
    const document = await opened(room);
    document.edit(insert(0, "Hello "));
    await wait(10);
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(6, "wörld 😀"));
    await wait(10);

    const next = await browser.reload();
    const again = await opened(next);
    expect(next.client).toBe(room.client);
    expect(again.getSnapshot().status).toBe("offline");
    expect(again.text).toBe("Hello wörld 😀");
    again.edit(insert(again.text.length, "!"));
    await wait(10);

    const last = await opened(await browser.reload());
    expect(last.text).toBe("Hello wörld 😀!");
    server.isReachable = true;
    server.edit("main.md", ["> "]);
    await wait(31_000);
    expect(last.getSnapshot()).toMatchObject({ status: "open", sent: 0, local: 0 });
    expect([last.text, server.document("main.md").text]).toEqual(["> Hello wörld 😀!", "> Hello wörld 😀!"]);
    const own = server.document("main.md").edits.filter(({ client }) => client === room.client);
    expect(own.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await browser.keys("unsent")).toEqual([]);
    expect(await browser.keys("base")).toEqual([]);
  });

  test("is not stored twice when it was stored and nobody has told us before the reload", async () => {
    const browser = new Browser();
    const { server } = browser;
    const document = await opened(browser.tab());
    document.edit(insert(0, "once"));
    server.isSilent = false;
    server.latencyMs = 500; // the answer takes longer than the page lives
    document.edit(insert(4, ", and this"));
    await wait(600);
    browser.crash();
    server.latencyMs = 1;
    expect(server.document("main.md").text).toBe("once");
    const again = await opened(browser.tab());
    await wait(100);
    expect(again.text).toBe("once, and this");
    expect(server.document("main.md").edits.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("of one that has crashed is adopted by whoever comes next, before a client with nothing unsent", async () => {
    const browser = new Browser();
    const { server } = browser;
    const first = browser.tab();
    await opened(first);
    const second = browser.tab();
    const document = await opened(second);
    expect(second.client).not.toBe(first.client);
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "orphan"));
    await wait(10);
    browser.crash();
    await first.leave();
    server.isReachable = true;
    const third = browser.tab();
    await wait(100);
    expect(third.client).toBe(second.client);
    expect(server.document("main.md").text).toBe("orphan");
    expect(third.state.getSnapshot().unsaved).toBe(0);
  });

  test("of a page that ends slowly is sent by the one after it, as soon as that has ended", async () => {
    const browser = new Browser();
    const { server } = browser;
    const before = browser.tab();
    const document = await opened(before);
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "typed before the reload"));
    await wait(10);
    browser.crash();
    server.isReachable = true;
    const letGo = browser.holdOn(before);
    const after = browser.tab();
    await opened(after);
    await wait(20_000);
    expect(after.client).not.toBe(before.client);
    expect(server.document("main.md").text).toBe("");
    letGo();
    await wait(6_000);
    expect(server.document("main.md").text).toBe("typed before the reload");
    expect(await browser.keys("unsent")).toEqual([]);
    await after.leave();
  });

  test("in several clients is sent for all of them by the one that comes", async () => {
    const browser = new Browser();
    const { server } = browser;
    for (const text of ["one ", "two ", "three "]) {
      const document = await opened(browser.tab());
      server.isReachable = false;
      server.cut();
      await wait(10);
      document.edit(insert(0, text));
      await wait(10);
      server.isReachable = true;
      // All three are there at a time: none is taken for the next.
    }
    browser.crashAll();
    const room = browser.tab();
    await opened(room);
    await wait(3_000);
    expect(server.document("main.md").text.split(" ").sort()).toEqual(["", "one", "three", "two"]);
    expect(await browser.keys("unsent")).toEqual([]);
    expect(server.sockets.size).toBe(1);
    await room.leave();
  });

  test("is kept at once, and then no more often than a few times a second, the text only when it is another", async () => {
    const browser = new Browser();
    const { server } = browser;
    const document = await opened(browser.tab());
    document.edit(insert(0, "x".repeat(500_000)));
    await wait(10_000);
    server.isReachable = false;
    server.cut();
    await wait(10);
    browser.storage.writes.length = browser.storage.size = 0;
    document.edit(insert(0, "a"));
    await wait(1);
    expect(browser.storage.writes.map((key) => key.split("/")[0])).toEqual(["base", "unsent"]);
    for (let key = 0; key < 200; key++) {
      document.edit(insert(key, "b"));
      await wait(50);
    }
    const kinds = browser.storage.writes.map((key) => key.split("/")[0]);
    expect(kinds.filter((kind) => kind === "base").length).toBe(1);
    expect(kinds.length).toBeLessThan(50);
    expect(browser.storage.size).toBeLessThan(600_000);
  });

  test("is kept when the page goes to the background or is left", async () => {
    const browser = new Browser();
    const room = browser.tab();
    const document = await opened(room);
    browser.server.isSilent = true;
    document.edit(insert(0, "quick"));
    room.rest();
    await Promise.resolve();
    await Promise.resolve();
    expect((await browser.keys("unsent")).length).toBe(1);
    room.wake();
    document.edit(insert(0, "very "));
    await room.leave(0);
    expect((await opened(browser.tab())).text).toBe("very quick");
  });

  test("of hours is one edit, transformed over every single one that was missed", async () => {
    const browser = new Browser();
    const { server } = browser;
    server.openLimit = 1_000;
    const document = await opened(browser.tab());
    document.edit(insert(0, "[]"));
    await wait(10);
    server.isReachable = false;
    server.cut();
    await wait(10);
    let text = "";
    for (let key = 0; key < 3_000; key++) {
      document.edit(insert(1 + text.length, key % 7 === 0 ? "😀" : "a"));
      text += key % 7 === 0 ? "😀" : "a";
    }
    await wait(1_000);
    for (let edit = 0; edit < 2_500; edit++) server.edit("main.md", [edit % 2 === 0 ? "x" : { d: 1 }]);
    const again = await opened(await browser.reload());
    expect(again.text).toBe(`[${text}]`);
    server.isReachable = true;
    await wait(60_000);
    expect(again.text).toBe(server.document("main.md").text);
    expect(again.text).toBe(`[${text}]`);
    expect(server.document("main.md").edits.filter(({ client }) => client !== "somebody").length).toBe(2);
    expect(server.counts.get("catch_up")).toBe(3);
  });

  test("is not merged into another log, and stays until the person has given it up", async () => {
    const browser = new Browser();
    const document = await opened(browser.tab());
    document.edit(insert(0, "old "));
    await wait(10);
    browser.server.isReachable = false;
    browser.server.cut();
    await wait(10);
    document.edit(insert(4, "mine"));
    await wait(10);
    browser.crash();

    const other = new ModelServer();
    other.epoch = "epoch-2";
    other.edit("main.md", ["other"]);
    const after = Object.assign(browser, { server: other });
    for (let reload = 0; reload < 2; reload++) {
      const room = after.tab();
      const unsent: Notice[] = [];
      room.onNotice((notice) => unsent.push(notice));
      const stranded = await opened(room);
      expect(stranded.getSnapshot().status).toBe("stranded");
      expect(unsent).toMatchObject([
        { kind: "unsent", unsent: { code: "E_EPOCH", inserted: ["mine"], text: "old mine" } },
      ]);
      expect(() => stranded.edit(insert(0, "x"))).toThrow();
      expect(other.document("main.md").text).toBe("other");
      if (reload === 0) {
        after.crash();
        continue;
      }
      let shown = stranded.text;
      stranded.onText(({ changes }) => {
        for (const { from, to, insert } of changes.toReversed())
          shown = shown.slice(0, from) + insert + shown.slice(to);
      });
      stranded.openAfresh();
      await wait(100);
      expect(stranded.getSnapshot().status).toBe("open");
      expect([stranded.text, shown]).toEqual(["other", "other"]);
      expect(await browser.keys("unsent")).toEqual([]);
      stranded.edit(insert(0, "an"));
      await wait(100);
      expect(other.document("main.md").text).toBe("another");
    }
  });

  test("goes on when the storage takes nothing, and that is told", async () => {
    const server = new ModelServer();
    const full: Storage = {
      ...memoryStorage(),
      set: () => Promise.reject(new Error("QuotaExceededError")),
    };
    const room = enter(server, { storage: full });
    const notices: Notice[] = [];
    room.onNotice((notice) => notices.push(notice));
    const document = await opened(room);
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "still here"));
    await wait(1_000);
    document.edit(insert(0, "and "));
    await wait(1_000);
    // Once when the client id was to be kept, once when a text was; not for every key.
    expect(notices).toMatchObject([
      { kind: "refused", code: "E_STORAGE" },
      { kind: "refused", code: "E_STORAGE" },
    ]);
    server.isReachable = true;
    await wait(31_000);
    expect(server.document("main.md").text).toBe("and still here");
    await room.leave();
  });

  test("does not wait for a storage that never answers", async () => {
    const server = new ModelServer();
    const never = () => new Promise<never>(() => {});
    const room = enter(server, { storage: { get: never, set: never, delete: never, keys: never } });
    const document = room.open("main.md", { create: true });
    await wait(30_000);
    document.edit(insert(0, "all the same"));
    await wait(100);
    expect(server.document("main.md").text).toBe("all the same");
    await Promise.all([room.leave(), wait(10_000)]);
  });

  test("gives its client id back when the room is left before it was entered", async () => {
    const browser = new Browser();
    const room = browser.tab();
    await room.leave(0);
    await wait(100);
    expect(browser.server.sockets.size).toBe(0);
    const next = browser.tab();
    await wait(10);
    expect(next.client).toBe(room.client);
    await next.leave();
  });

  test("leaves nothing behind in the storage, wherever the program has ended", async () => {
    const browser = new Browser();
    const { server } = browser;
    const document = await opened(browser.tab());
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "typed"));
    await wait(10);
    browser.crash();
    const [base] = await browser.keys("base");
    await browser.storage.set(base!.replace(/0$/, "17"), "a text to which nothing refers yet");
    await opened(browser.tab());
    await wait(10);
    expect(await browser.keys("base")).toEqual([base]);
    server.isReachable = true;
    await wait(31_000);
    expect(await browser.keys("base")).toEqual([]);
    const kinds = (await browser.storage.keys("")).map((key) => key.split("/")[5]);
    expect(kinds.toSorted()).toEqual(["client", "text", "user"]);
  });

  test("whose text is gone is told as it was typed", async () => {
    const browser = new Browser();
    const { server } = browser;
    const document = await opened(browser.tab());
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "typed"));
    await wait(10);
    browser.crash();
    for (const key of await browser.keys("base")) await browser.storage.delete(key);
    server.isReachable = true;
    const room = browser.tab();
    const notices: Notice[] = [];
    room.onNotice((notice) => notices.push(notice));
    const again = await opened(room);
    expect(notices).toMatchObject([{ kind: "unsent", unsent: { code: "E_STORAGE", inserted: ["typed"] } }]);
    expect(again.getSnapshot().status).toBe("open");
    expect(await browser.keys("unsent")).toEqual([]);
  });
});

describe("a document that was seen", () => {
  inTestTime();

  test("is there without a network, and can be edited", async () => {
    const browser = new Browser();
    const { server } = browser;
    server.edit("main.md", ["seen before"]);
    await opened(browser.tab());
    await wait(1_000);
    server.isReachable = false;
    const document = await opened(await browser.reload());
    expect([document.text, document.getSnapshot().status]).toEqual(["seen before", "offline"]);
    document.edit(insert(0, "I have "));
    server.edit("main.md", [11, "!"]);
    server.isReachable = true;
    await wait(31_000);
    expect(server.document("main.md").text).toBe("I have seen before!");
    expect(document.text).toBe("I have seen before!");
  });

  test("is not offered as it was when the server has another log", async () => {
    const browser = new Browser();
    browser.server.edit("main.md", ["seen before"]);
    await opened(browser.tab());
    await wait(1_000);
    browser.crash();
    const other = new ModelServer();
    other.epoch = "epoch-2";
    other.edit("main.md", ["another"]);
    const room = Object.assign(browser, { server: other }).tab();
    const notices: Notice[] = [];
    room.onNotice((notice) => notices.push(notice));
    const document = await opened(room);
    await wait(10);
    expect([document.text, document.getSnapshot().status]).toEqual(["another", "open"]);
    // It may hold what that log has lost: a copy is handed out.
    expect(notices).toMatchObject([
      { kind: "unsent", unsent: { code: "E_EPOCH", inserted: [], text: "seen before" } },
    ]);
  });

  test("is handed out, and the person told, when the server comes back with another log", async () => {
    const browser = new Browser();
    const room = browser.tab();
    const notices: Notice[] = [];
    room.onNotice((notice) => notices.push(notice));
    const document = await opened(room);
    document.edit(insert(0, "all of it saved"));
    await wait(10);
    expect(document.getSnapshot()).toMatchObject({ sent: 0, local: 0 });
    browser.server.epoch = "epoch-2";
    browser.server.documents.clear();
    browser.server.edit("main.md", ["restored"]);
    browser.server.cut();
    await wait(30_000);
    expect(document.text).toBe("restored");
    expect(notices).toMatchObject([
      { kind: "other-history" },
      { kind: "unsent", unsent: { code: "E_EPOCH", inserted: [], text: "all of it saved" } },
    ]);
    document.edit(insert(0, "on "));
    await wait(10);
    expect(browser.server.document("main.md").text).toBe("on restored");
  });
});

describe("client ids", () => {
  inTestTime();

  test("are one for each tab, and taken again after a reload", async () => {
    const browser = new Browser();
    const [one, two] = [browser.tab(), browser.tab()];
    await wait(10);
    expect(one.client).not.toBe(two.client);
    const third = await browser.reload();
    await wait(10);
    expect(third.client).toBe(two.client);
    await Promise.all([one.leave(), third.leave()]);
    const later = [browser.tab(), browser.tab(), browser.tab()];
    await wait(10);
    const ids = later.map(({ client }) => client);
    expect(new Set(ids).size).toBe(3);
    expect(ids).toEqual(expect.arrayContaining([one.client, two.client]));
  });

  test("are the program's own where it has one", async () => {
    const server = new ModelServer();
    const room = enter(server, { client: "phone-1" });
    await wait(10);
    expect(room.client).toBe("phone-1");
    expect([...server.sockets][0]!.client).toBe("phone-1");
    await room.leave();
  });
});

describe("a device that two people use", () => {
  inTestTime();

  test("lets each go on as the clients that are theirs", async () => {
    const browser = new Browser();
    const { server } = browser;
    const owners = new Map<string, string>();
    let user = "ada";
    server.isForeign = (client) => (owners.get(client) ?? user) !== user || !owners.set(client, user);
    server.user = () => user;

    const adas = browser.tab();
    const document = await opened(adas);
    server.isReachable = false;
    server.cut();
    await wait(10);
    document.edit(insert(0, "Ada's "));
    await wait(10);
    browser.crash();
    server.isReachable = true;

    user = "ben";
    const bens = browser.tab();
    const notices: Notice[] = [];
    bens.onNotice((notice) => notices.push(notice));
    const his = await opened(bens);
    await wait(100);
    expect(bens.connection.getSnapshot().status).toBe("online");
    expect(bens.client).not.toBe(adas.client);
    expect(his.getSnapshot().status).toBe("open");
    expect(his.text).toBe("");
    his.edit(insert(0, "Ben's"));
    await wait(100);
    expect([server.document("main.md").text, notices]).toEqual(["Ben's", []]);
    const ben = bens.client;
    await bens.leave();
    const bensAgain = browser.tab();
    await wait(100);
    expect(bensAgain.client).toBe(ben);
    expect(server.addresses.length).toBe(4); // nobody was asked twice
    await bensAgain.leave();

    user = "ada";
    const adasAgain = browser.tab();
    await wait(100);
    expect(adasAgain.client).toBe(adas.client);
    expect(server.document("main.md").text).toBe("Ada's Ben's");
  });
});
