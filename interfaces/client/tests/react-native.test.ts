/**
 * The client alone, as on a phone: an engine with nothing of a browser but a WebSocket, fetch and timers, and a
 * storage that is handed in. No window, no document, no crypto, no events, no locks.
 */

import vm from "node:vm";
import { build, type Rolldown } from "vite";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { guest, makeRoom, url } from "./server.ts";

/** What React Native has of its own, and no more. */
const PHONE = {
  WebSocket,
  fetch,
  Headers,
  Request,
  Response,
  AbortController,
  URL,
  URLSearchParams,
  TextDecoder,
  TextEncoder,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  console,
};

class AsyncStorage {
  readonly kept = new Map<string, string>();
  getItem = async (key: string) => this.kept.get(key) ?? null;
  setItem = async (key: string, value: string) => void this.kept.set(key, value);
  removeItem = async (key: string) => void this.kept.delete(key);
  getAllKeys = async () => [...this.kept.keys()];
}

let code = "";

beforeAll(async () => {
  const entry = new URL("../src/index.ts", import.meta.url).pathname;
  const built = (await build({
    configFile: false,
    logLevel: "silent",
    build: { write: false, minify: false, lib: { entry, formats: ["iife"], name: "chronoscribe" } },
  })) as Rolldown.RolldownOutput[];
  code = built[0]!.output[0].code;
});

/** A program of its own, in a world of its own. */
function start<T>(program: string, given: Record<string, unknown>): Promise<T> {
  const world = vm.createContext({ ...PHONE, ...given });
  vm.runInContext(code, world);
  return vm.runInContext(`(async () => {\n${program}\n})()`, world) as Promise<T>;
}

const JOIN = `
  const { joinRoom, asyncStorage, fixedToken } = chronoscribe;
  const room = joinRoom({ url, room: name, credentials: fixedToken(token), storage: asyncStorage(AsyncStorage) });
  const until = (store, isSo) => new Promise((resolve) => {
    const look = () => { if (isSo(store.getSnapshot())) { end(); resolve(store.getSnapshot()); } };
    const end = store.subscribe(look);
    look();
  });
`;

describe.skipIf(url === undefined)("on a phone", () => {
  test("there is nothing of a browser, and the client loads", async () => {
    const missing = [
      "window",
      "document",
      "localStorage",
      "indexedDB",
      "crypto",
      "navigator",
      "Event",
      "EventTarget",
    ];
    const found = await start<string[]>(`return names.filter((name) => name in globalThis);`, {
      names: missing,
    });
    expect([...found]).toEqual([]);
  });

  test("text is written, also in the background, and what was not sent survives the end of the app", async () => {
    const token = await guest("Ada");
    const name = await makeRoom(token);
    const storage = new AsyncStorage();
    const given = { url, name, token, AsyncStorage: storage };
    const first = await start<string>(
      `${JOIN}
      const document = room.open("main.md", { create: true });
      await until(document, (d) => d.status === "open");
      document.edit([{ from: 0, to: 0, insert: "sent 😀, " }]);
      await document.saved();
      await room.chat.post("from a phone");
      room.rest();                                   // the app goes to the background
      document.edit([{ from: 9, to: 9, insert: "not sent" }]);
      await new Promise((resolve) => setTimeout(resolve, 600));
      return document.text;                          // and is ended there: nobody says goodbye`,
      given,
    );
    expect(first).toBe("sent 😀, not sent");
    expect([...storage.kept.keys()].some((key) => key.includes("unsent"))).toBe(true);
    const second = await start<string>(
      `${JOIN}
      const document = room.open("main.md");
      await until(document, (d) => d.status === "open" && d.sent + d.local === 0 && d.length > 0);
      await until(room.chat, (c) => c.messages.length === 1);
      await room.leave();
      return document.text;`,
      given,
    );
    expect(second).toBe("sent 😀, not sent");
    const path = `${url}/api/rooms/${name}/documents/main.md`;
    const stored = await (await fetch(path, { headers: { Authorization: `Bearer ${token}` } })).json();
    expect(stored).toMatchObject({ text: "sent 😀, not sent", revision: 2 });
  });

  test("whoever comes back to the front goes on at once", async () => {
    const token = await guest("Ben");
    const name = await makeRoom(token);
    const statuses = await start<string[]>(
      `${JOIN}
      const statuses = [];
      await until(room.connection, (c) => c.status === "online");
      room.rest();
      statuses.push(room.connection.getSnapshot().status);
      room.wake();
      await until(room.connection, (c) => c.status === "online");
      statuses.push(room.connection.getSnapshot().status);
      await room.leave();
      return statuses;`,
      { url, name, token, AsyncStorage: new AsyncStorage() },
    );
    expect([...statuses]).toEqual(["offline", "online"]);
  });
});
