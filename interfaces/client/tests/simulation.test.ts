/**
 * Rooms at a server in memory that refuses, is slow, falls silent, and remembers little, in the test's time: a
 * thousand days of bad luck in a few seconds. Nothing that was typed is lost or there twice, but what was refused,
 * and that is handed out.
 */

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { memoryStorage } from "../src/storage/memory.ts";
import type { DocumentHandle, Room } from "../src/types.ts";
import { enter, inTestTime, Program, wait } from "./model-room.ts";
import { ModelServer } from "./model-server.ts";
import { RUNS } from "./texts.ts";

const PEOPLE = 3;
const REFUSALS = [
  "E_BUSY",
  "E_RATE",
  "E_STORE",
  "E_SEQ",
  "E_VERSION_OLD",
  "E_DOC_SIZE",
  "E_FORBIDDEN",
] as const;
/** After these the edit is taken back. */
const FOR_GOOD = ["E_DOC_SIZE", "E_FORBIDDEN"];

class Person {
  readonly #server: ModelServer;
  readonly #storage = memoryStorage();
  readonly #held = new Set<string>();
  readonly handedOut: string[] = [];
  #program!: Program;
  room!: Room;
  document!: DocumentHandle;

  constructor(server: ModelServer) {
    this.#server = server;
    this.start();
  }

  start(): void {
    this.#program = new Program(this.#held);
    const { locks } = this.#program;
    this.room = enter(this.#server, { storage: this.#storage, locks, random: Math.random });
    this.room.onNotice((notice) => {
      if (notice.kind === "unsent") this.handedOut.push(...notice.unsent.inserted);
    });
    this.document = this.room.open("main.md", { create: true });
  }

  type(where: number, character: string): boolean {
    if (!["open", "offline"].includes(this.document.getSnapshot().status)) return false;
    const points = [...this.document.text];
    const at = points.slice(0, where % (points.length + 1)).join("").length;
    this.document.edit([{ from: at, to: at, insert: character }]);
    return true;
  }

  async reload(): Promise<void> {
    const leaving = this.room.leave(0);
    await wait(10);
    await leaving;
    this.start();
  }
}

type Act =
  | { kind: "type"; who: number; where: number }
  | { kind: "wait"; milliseconds: number }
  | { kind: "refuse"; code: (typeof REFUSALS)[number] }
  | { kind: "cut" | "gone" | "back" | "silent" | "slow" | "quick" | "forgetful" }
  | { kind: "reload" | "rest"; who: number };

const who = fc.nat(PEOPLE - 1);
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant("type"), who, where: fc.nat(50) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("wait"),
        milliseconds: fc.constantFrom(1, 3, 50, 400, 6_000, 40_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("refuse"), code: fc.constantFrom(...REFUSALS) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom("cut", "gone", "back", "silent", "slow", "quick", "forgetful"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("reload", "rest"), who }) },
  ) as fc.Arbitrary<Act>,
  { maxLength: 60 },
);

/** The n-th character that is typed: every other one is outside the BMP. */
const character = (count: number) =>
  String.fromCodePoint((count % 2 === 0 ? 0x4e00 : 0x1f300) + Math.floor(count / 2));

async function play(
  server: ModelServer,
  people: readonly Person[],
  drawn: readonly Act[],
): Promise<string[]> {
  const typed: string[] = [];
  for (const act of drawn) {
    switch (act.kind) {
      case "type":
        if (people[act.who]!.type(act.where, character(typed.length))) typed.push(character(typed.length));
        break;
      case "wait":
        await wait(act.milliseconds);
        break;
      case "refuse":
        server.refusals.push({ type: "error", code: act.code, message: "no", revision: 0 });
        break;
      case "reload":
        await people[act.who]!.reload();
        break;
      case "rest":
        people[act.who]!.room.rest();
        people[act.who]!.room.wake();
        break;
      case "cut":
        server.cut();
        break;
      case "gone":
        server.isReachable = false;
        server.cut();
        break;
      case "back":
        server.comeBack();
        break;
      case "silent":
        server.isSilent = true;
        break;
      case "slow":
        server.latencyMs = 3_000;
        break;
      case "quick":
        server.latencyMs = 1;
        break;
      case "forgetful":
        server.openLimit = 1;
        server.pageLimit = 2;
    }
  }
  return typed;
}

describe("rooms at a server of bad luck", () => {
  inTestTime();

  test("lose nothing and write nothing twice", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (drawn) => {
        vi.clearAllTimers();
        const server = new ModelServer();
        server.edit("main.md", ["a😀b"]);
        const people = Array.from({ length: PEOPLE }, () => new Person(server));
        await wait(10);
        const typed = await play(server, people, drawn);
        server.comeBack();
        server.latencyMs = 1;
        server.refusals.length = 0;
        await wait(300_000);
        const { text } = server.document("main.md");
        for (const { document } of people) {
          expect(document.getSnapshot()).toMatchObject({ status: "open", sent: 0, local: 0 });
          expect(document.text).toBe(text);
        }
        const there = [...text].filter((found) => !"a😀b".includes(found));
        const handedOut = people.flatMap((person) => person.handedOut).flatMap((inserted) => [...inserted]);
        expect([...there, ...handedOut].toSorted()).toEqual(typed.toSorted());
        if (!drawn.some((act) => act.kind === "refuse" && FOR_GOOD.includes(act.code)))
          expect(handedOut).toEqual([]);
        const leaving = people.map(({ room }) => room.leave(0));
        await wait(10);
        await Promise.all(leaving);
      }),
      { numRuns: RUNS },
    );
  });
});
