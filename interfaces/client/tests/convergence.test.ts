/**
 * People who type at a real server while everything around them breaks: connections are cut, pages are reloaded and
 * crash, the network goes and comes. In the end all have one text, and everything that was typed is in it once.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { memoryStorage } from "../src/storage/memory.ts";
import type { DocumentHandle, Room, RoomOptions, Storage, WebSocketClass } from "../src/types.ts";
import { guest, join, makeRoom, until, url } from "./server.ts";

/** A run takes half a second; CHRONOSCRIBE_RUNS makes it more, for a long look. */
const RUNS = Number(process.env.CHRONOSCRIBE_RUNS ?? 12);
const SEED = Number(process.env.CHRONOSCRIBE_SEED ?? Math.floor(Math.random() * 0x7fffffff));

const PEOPLE = 3;
const FILLING = "....................";
/** Every insert is a character of its own, every other one outside the BMP; so none can be there twice unseen. */
const FIRST_CHARACTERS = [0x4e00, 0x1f300];

/** One program of a person: what is cut off from the world when it crashes. */
class Program {
  readonly room: Room;
  readonly #sockets = new Set<WebSocket>();
  readonly #held: Set<string>;
  readonly #mine: string[] = [];
  #isDead = false;
  isNetworkGone = false;

  constructor(room: string, token: string, storage: Storage, held: Set<string>) {
    this.#held = held;
    const program = this;
    class Socket extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(program.#isCutOff ? "ws://127.0.0.1:9/" : address, protocols);
        program.#sockets.add(this);
      }
    }
    const options: Partial<RoomOptions> = {
      WebSocket: Socket as unknown as WebSocketClass,
      fetch: (input, init) =>
        this.#isDead
          ? new Promise(() => {})
          : this.isNetworkGone
            ? Promise.reject(new TypeError("no network"))
            : fetch(input, init),
      storage: {
        ...storage,
        set: async (key, value) => (this.#isDead ? undefined : storage.set(key, value)),
        delete: async (key) => (this.#isDead ? undefined : storage.delete(key)),
      },
      locks: {
        acquire: async (name) => {
          if (this.#isDead || held.has(name)) return null;
          held.add(name);
          this.#mine.push(name);
          return () => held.delete(name);
        },
      },
      random: () => Math.random() * 0.05, // nobody wants to wait for the test
    };
    this.room = join(room, token, options);
  }

  get #isCutOff(): boolean {
    return this.#isDead || this.isNetworkGone;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#sockets.clear();
  }

  crash(): void {
    this.#isDead = true;
    for (const name of this.#mine) this.#held.delete(name);
    this.cut();
    void this.room.leave(0);
  }
}

class Person {
  readonly #storage = memoryStorage();
  readonly #held = new Set<string>();
  readonly #name: string;
  readonly #room: string;
  readonly #token: string;
  program: Program;
  document: DocumentHandle;

  constructor(name: string, room: string, token: string) {
    this.#name = name;
    this.#room = room;
    this.#token = token;
    [this.program, this.document] = this.#start();
  }

  #start(): [Program, DocumentHandle] {
    const program = new Program(this.#room, this.#token, this.#storage, this.#held);
    return [program, program.room.open("main.md", { create: true })];
  }

  async reload(): Promise<void> {
    await this.program.room.leave(0);
    [this.program, this.document] = this.#start();
  }

  /** Without a word; what is not in the storage by then is lost, so that is waited for. */
  async crash(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    this.program.crash();
    [this.program, this.document] = this.#start();
  }

  type(where: number, deleted: number, insert: string): boolean {
    const { text } = this.document;
    if (!["open", "offline"].includes(this.document.getSnapshot().status)) return false;
    const points = [...text];
    const at = where % (points.length + 1);
    // Only filling is deleted, so that what was typed must be there in the end.
    const gone = points.slice(at).findIndex((character) => character !== ".");
    const length = Math.min(deleted, gone === -1 ? points.length - at : gone);
    const from = points.slice(0, at).join("").length;
    this.document.edit([{ from, to: from + length, insert }]);
    return true;
  }

  toString(): string {
    return this.#name;
  }
}

type Act =
  | { kind: "type"; who: number; where: number; deleted: number }
  | { kind: "cut" | "gone" | "back" | "reload" | "crash"; who: number }
  | { kind: "pause"; milliseconds: number };

const who = fc.nat(PEOPLE - 1);
const acts = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant("type" as const),
        who,
        where: fc.nat(200),
        deleted: fc.nat(3),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pause" as const), milliseconds: fc.nat(15) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "gone" as const, "back" as const), who }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom("reload" as const, "crash" as const), who }),
    },
  ) as fc.Arbitrary<Act>,
  { minLength: 5, maxLength: 50 },
);

async function play(people: readonly Person[], drawn: readonly Act[]): Promise<string[]> {
  const typed: string[] = [];
  for (const act of drawn) {
    if (act.kind === "pause") {
      await new Promise((resolve) => setTimeout(resolve, act.milliseconds));
      continue;
    }
    const person = people[act.who]!;
    if (act.kind === "type") {
      const first = FIRST_CHARACTERS[typed.length % 2]!;
      const character = String.fromCodePoint(first + Math.floor(typed.length / 2));
      if (person.type(act.where, act.deleted, character)) typed.push(character);
    } else if (act.kind === "cut") {
      person.program.cut();
    } else if (act.kind === "gone") {
      person.program.isNetworkGone = true;
      person.program.cut();
    } else if (act.kind === "back") {
      person.program.isNetworkGone = false;
      person.program.room.wake();
    } else {
      await person[act.kind]();
    }
  }
  return typed;
}

async function settled(people: readonly Person[]): Promise<void> {
  for (const { program } of people) {
    program.isNetworkGone = false;
    program.room.wake();
  }
  await Promise.all(
    people.map(({ document }) =>
      until(document, ({ status, sent, local }) => status === "open" && sent + local === 0),
    ),
  );
  const revision = Math.max(...people.map(({ document }) => document.getSnapshot().revision));
  await Promise.all(
    people.map(({ document }) => until(document, (snapshot) => snapshot.revision >= revision)),
  );
}

describe.skipIf(url === undefined)("people whose world breaks", () => {
  test(`have one text in the end, with everything in it once (seed ${SEED})`, {
    timeout: RUNS * 10_000,
  }, async () => {
    const tokens = await Promise.all(["Ada", "Ben", "Cleo"].map((name) => guest(name)));
    await fc.assert(
      fc.asyncProperty(acts, async (drawn) => {
        const room = await makeRoom(tokens[0]!);
        const people = tokens.map((token, at) => new Person(`person ${at}`, room, token));
        await Promise.all(people.map(({ document }) => until(document, ({ status }) => status === "open")));
        people[0]!.document.edit([{ from: 0, to: 0, insert: FILLING }]);
        const typed = await play(people, drawn);
        await settled(people);
        const texts = people.map(({ document }) => document.text);
        expect(texts).toEqual(texts.map(() => texts[0]));
        const there = [...texts[0]!].filter((character) => character !== ".");
        expect(there.toSorted()).toEqual(typed.toSorted());
        const path = `/api/rooms/${room}/documents/main.md`;
        const answer = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${tokens[0]}` } });
        expect((await answer.json()).text).toBe(texts[0]);
        await Promise.all(people.map(({ program }) => program.room.leave()));
      }),
      { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: RUNS * 8_000 },
    );
  });
});
