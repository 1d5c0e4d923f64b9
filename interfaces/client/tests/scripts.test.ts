/** The scripts that all clients play; see tests/scripts/README.md of the repository. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Op } from "../src/algebra.ts";
import { DocumentLink } from "../src/document-link.ts";
import type { ServerFrame } from "../src/frames.ts";
import type { Frame } from "../src/requests.ts";
import { Session } from "../src/session.ts";

const SCRIPTS = new URL("../../../tests/scripts/", import.meta.url);
const WELCOME: Frame = read("welcome.json");
const DOCUMENT = "main.md";

type Edit = [revision: number, client: string, seq: number, op: Op];
interface Script {
  readonly name: string;
  readonly steps: readonly Frame[];
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, SCRIPTS), "utf8")) as T;
}

function editEvent([revision, client, seq, op]: Edit): Frame {
  const event = { event: "edit", position: 100 + revision, actor: `${client}-user`, at: 7 };
  return { ...event, document: DOCUMENT, revision, base: revision - 1, client, seq, op };
}

/** A session, of which each step does or asks something: the entry of its name. */
class Player {
  readonly #session = new Session({
    onStatus: () => {},
    onForeignClient: () => false,
    onComplaint: () => {},
  });
  #now = 100_000;
  #frames: Frame[] = [];
  #ref: number | null = null;
  readonly #refs = new Map<string, number | null>();
  #unsent: Frame[] = [];
  #replaced = "";
  #done = 0;
  #refused = 0;
  #verdict = "";

  constructor() {
    this.#session.client = "ada";
  }

  async play(steps: readonly Frame[]): Promise<void> {
    for (const step of steps) {
      const name = Object.keys(step)[0]!;
      this.#steps[name]!(step[name], step);
      this.#frames.push(...this.#session.takeFrames());
      await Promise.resolve(); // whoever waits for a command hears of it
    }
    expect(this.#frames).toEqual([]);
  }

  get #link(): DocumentLink {
    return this.#session.links.get(DOCUMENT)!;
  }

  #open(create: boolean): void {
    const { requests, pacer, client, links } = this.#session;
    if (links.has(DOCUMENT)) return;
    const link = new DocumentLink({ document: DOCUMENT, client, requests, pacer, create, kept: null });
    link.listener = {
      onState: () => {},
      onText: () => {},
      onCursors: () => {},
      onAcked: () => {},
      onForeign: () => {},
      onSent: () => {},
      onUnsent: (unsent) => {
        if (unsent.code === "E_EPOCH" && unsent.inserted.length === 0) this.#replaced = unsent.text;
        else this.#unsent.push({ ...unsent });
      },
    };
    this.#session.follow(link, this.#now);
  }

  #expect(fields: Frame): void {
    this.#frames.push(...this.#session.takeFrames());
    const frame = this.#frames.shift() ?? {};
    const found = Object.fromEntries(Object.keys(fields).map((name) => [name, frame[name] ?? null]));
    expect(found).toEqual(fields);
    this.#ref = frame.ref ?? null;
  }

  #answer(fields: Frame, to?: string): void {
    let reply: Frame = { ...fields, ref: to === undefined ? this.#ref : this.#refs.get(to) };
    if (fields.type === "welcome") reply = { ...WELCOME, ...reply };
    if ("edits" in fields) reply.edits = fields.edits.map(editEvent);
    if (fields.type === "opened") reply = { document: DOCUMENT, cursors: [], ...reply };
    this.#hear(reply);
  }

  /** Scripts say in a frame only what matters to them. */
  #hear(frame: Frame): void {
    this.#session.onFrame(frame as unknown as ServerFrame, this.#now);
  }

  // biome-ignore lint/suspicious/noExplicitAny: each step has a value of its own kind
  readonly #steps: Record<string, (value: any, step: Frame) => void> = {
    connect: (fields: Frame, step) => {
      expect(this.#frames).toEqual([]);
      this.#session.onConnected(this.#now, 1);
      this.#expect({ type: "hello", ...step.hello });
      this.#answer({ type: "welcome", ...fields });
    },
    greet: () => this.#session.onConnected(this.#now, 1),
    expect: (fields: Frame, step) => {
      this.#expect(fields);
      if (step.as) this.#refs.set(step.as, this.#ref);
    },
    silence: () => expect(this.#frames).toEqual([]),
    answer: (fields: Frame, step) => this.#answer(fields, step.to),
    push: (frame: Frame) => this.#hear(frame),
    edited: (edits: Edit[]) => {
      const events = edits.map(editEvent);
      const position = events.at(-1)!.position;
      this.#hear({ type: "events", position, events });
    },
    wait: (seconds: number) => {
      this.#now += Math.round(seconds * 1_000);
      this.#session.onTime(this.#now);
    },
    cut: (code: number | null, step) => {
      this.#verdict = this.#session.onDisconnected(code);
      if (step.verdict) expect(this.#verdict === "stop" ? "stop" : "reconnect").toBe(step.verdict);
    },
    // The person.
    open: (fields: Frame) => this.#open(fields.create ?? false),
    opened: (fields: Frame) => {
      this.#open(false);
      this.#expect({ type: "open", revision: null });
      this.#answer({ type: "opened", revision: 4, seq: 0, text: "ab", ...fields });
    },
    edit: (op: Op, step) => {
      const edit = () => this.#link.edit(op, this.#now);
      if (step.throws) expect(edit).toThrow();
      else edit();
    },
    cursor: ([anchor, head]: [number, number]) => this.#link.setCursor({ anchor, head }, this.#now),
    close: () => {
      this.#link.close();
      this.#session.links.delete(DOCUMENT);
    },
    afresh: () => this.#link.openAfresh(this.#now, this.#session.isOnline),
    command: (frame: Frame) => {
      this.#session.commands.add(frame, this.#now).then(
        () => this.#done++,
        () => this.#refused++,
      );
    },
    // What must be so.
    done: (count: number) => expect(this.#done).toBe(count),
    refused: (count: number) => expect(this.#refused).toBe(count),
    text: (text: string) => expect(this.#link.replica!.text).toBe(text),
    saved: (isSaved: boolean) => expect(this.#link.isSaved).toBe(isSaved),
    states: (states: string[]) => {
      const replica = this.#link.replica!;
      const found = Array.from({ length: replica.local }, (_, at) => replica.stateOf(at + 1));
      expect(found).toEqual(states);
    },
    cursors: (cursors: Record<string, [number, number]>) => {
      const present = [...this.#link.replica!.cursors].map(([client, { anchor, head }]) => [
        client,
        [anchor, head],
      ]);
      expect(Object.fromEntries(present)).toEqual(cursors);
    },
    unsent: (expected: Frame[]) => {
      expect(this.#unsent.length).toBe(expected.length);
      expect(this.#unsent).toMatchObject(expected);
      this.#unsent = [];
    },
    replaced: (text: string) => expect(this.#replaced).toBe(text),
    status: (status: string) => {
      const present = this.#session.status;
      expect(present === "greeting" ? "offline" : present).toBe(status);
    },
    given_up: (isGivenUp: boolean) => expect(this.#session.isCutWanted).toBe(isGivenUp),
  };
}

const files = readdirSync(SCRIPTS).filter((file) => file.endsWith(".json") && file !== "welcome.json");

describe.each(files)("the script %s", (file) => {
  for (const { name, steps } of read<Script[]>(file)) test(name, () => new Player().play(steps));
});
