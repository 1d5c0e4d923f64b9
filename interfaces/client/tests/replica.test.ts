import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Op } from "../src/algebra.ts";
import { type Kept, Replica } from "../src/replica.ts";
import { OpInvalid } from "../src/text.ts";
import { ModelDocument } from "./model-document.ts";
import { opOf, plainApply, RUNS, type Step, steps } from "./texts.ts";

const foreign = (revision: number, op: Op, client = "ben") => ({
  ...{ event: "edit", document: "main.md", actor: "user", at: 0 },
  ...{ revision, client, seq: revision, base: revision - 1, op },
});

describe("a replica", () => {
  test("sends one edit at a time and composes what is typed meanwhile", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    expect(replica.edit([2, "c"]).number).toBe(1);
    expect(replica.stateOf(1)).toBe("local");
    expect(replica.nextEdit()).toEqual({ seq: 1, base: 4, op: [2, "c"] });
    replica.edit([3, "d"]);
    replica.edit([4, "e"]);
    expect(replica.nextEdit()).toEqual({ seq: 1, base: 4, op: [2, "c"] });
    expect([1, 2, 3].map((edit) => replica.stateOf(edit))).toEqual(["sent", "local", "local"]);
    expect(replica.counts).toEqual({ sent: 1, local: 2 });
    const acked = replica.take({ ...foreign(5, [2, "c"], "ada"), seq: 1 });
    expect(acked).toEqual({ kind: "acked", revision: 5, through: 1 });
    expect(replica.nextEdit()).toEqual({ seq: 2, base: 5, op: [3, "de"] });
    expect([1, 2, 3].map((edit) => replica.stateOf(edit))).toEqual(["durable", "sent", "sent"]);
    expect(replica.counts).toEqual({ sent: 2, local: 0 });
  });

  test("does the race of the protocol's description", () => {
    const ada = new Replica("ada", "ab", 4, 0);
    ada.edit([1, "X"]);
    expect(ada.nextEdit()?.op).toEqual([1, "X"]);
    expect(ada.take({ ...foreign(5, [1, "X"], "ada"), seq: 1 }).kind).toBe("acked");
    const taken = ada.take(foreign(6, [1, "Y"]));
    expect(taken).toEqual({ kind: "foreign", op: [1, "Y"], changes: [{ from: 1, to: 1, insert: "Y" }] });
    expect(ada.text).toBe("aYXb");

    const ben = new Replica("ben", "ab", 4, 0);
    ben.edit([1, "Y"]);
    ben.nextEdit();
    ben.take(foreign(5, [1, "X"], "ada"));
    expect(ben.text).toBe("aYXb");
    expect(ben.take({ ...foreign(6, [1, "Y"], "ben"), seq: 1 }).kind).toBe("acked");
  });

  test("sends nothing of a letter that was typed and deleted again", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    replica.edit([1, "x"]);
    replica.edit([1, { d: "x" }]);
    expect(replica.nextEdit()).toBeNull();
    expect([replica.isSaved, replica.stateOf(2)]).toEqual([true, "durable"]);
  });

  test("refuses an op that does not fit, and is as it was", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    expect(() => replica.edit([3, "x"])).toThrow(OpInvalid);
    expect([replica.text, replica.isSaved, replica.local]).toEqual(["ab", true, 0]);
  });

  test("takes only the next revision", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    expect(replica.take(foreign(4, ["x"])).kind).toBe("had");
    expect(replica.take(foreign(6, ["x"])).kind).toBe("gap");
    expect([replica.text, replica.revision]).toEqual(["ab", 4]);
  });

  test("takes an edit under its own number that is not its own for a foreign one", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    replica.edit([2, "mine"]);
    replica.nextEdit();
    expect(replica.take({ ...foreign(5, ["old"], "ada"), seq: 1 }).kind).toBe("foreign");
    expect(replica.text).toBe("oldabmine");
    expect(replica.nextEdit()).toEqual({ seq: 2, base: 5, op: [5, "mine"] });
  });

  test("gives its outstanding edit a younger base under the same number", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    replica.edit([2, "c"]);
    replica.nextEdit();
    expect(replica.rebaseOutstanding()).toBe(false);
    replica.take(foreign(5, ["xy"]));
    expect(replica.rebaseOutstanding()).toBe(true);
    expect(replica.nextEdit()).toEqual({ seq: 1, base: 5, op: [4, "c"] });
  });

  test("takes a refused edit back and keeps what was typed after it", () => {
    const replica = new Replica("ada", "ab😅", 4, 0);
    replica.edit([1, { d: "b" }, "refused"]);
    replica.nextEdit();
    replica.edit([8, "kept"]);
    const taken = replica.takeBack();
    expect(replica.text).toBe("abkept😅");
    expect(taken.refused).toEqual([1, { d: "b" }, "refused"]);
    expect([replica.stateOf(1), replica.stateOf(2)]).toEqual(["refused", "local"]);
    expect(replica.nextEdit()).toEqual({ seq: 1, base: 4, op: [2, "kept"] });
  });

  test("knows when the server has forgotten what it had acknowledged", () => {
    const replica = new Replica("ada", "ab", 4, 7);
    expect(replica.numberStored(6)).toBe(false);
    expect(replica.numberStored(9)).toBe(true);
    replica.edit(["x"]);
    expect(replica.nextEdit()?.seq).toBe(10);
  });

  test("cuts what is too large for a frame into edits that follow one another", () => {
    const replica = new Replica("ada", "", 0, 0);
    const book = "word 😅 ".repeat(20_000);
    replica.edit([book]);
    const server = new ModelDocument();
    for (let edit = replica.nextEdit(); edit !== null; edit = replica.nextEdit()) {
      expect(replica.stateOf(1)).not.toBe("durable");
      replica.take(server.store("ada", edit));
    }
    expect(server.revision).toBeGreaterThan(2);
    expect(server.text).toBe(book);
    expect([replica.text, replica.stateOf(1)]).toEqual([book, "durable"]);
  });
});

describe("others' cursors", () => {
  test("are brought to the present text from whichever they were told in", () => {
    const replica = new Replica("ada", "abcd", 4, 0);
    replica.setForeignCursor("ben", 4, { anchor: 2, head: 4 });
    replica.take(foreign(5, ["xx"], "cleo"));
    expect(replica.cursors.get("ben")).toEqual({ anchor: 4, head: 6 });
    replica.edit([{ d: 1 }]);
    expect(replica.cursors.get("ben")).toEqual({ anchor: 3, head: 5 });
    replica.setForeignCursor("dan", 4, { anchor: 0, head: 1 }); // late: an edit has come since
    expect(replica.cursors.get("dan")).toEqual({ anchor: 0, head: 2 });
  });

  test("wait for a text that is not here yet", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    replica.setForeignCursor("ben", 5, { anchor: 5, head: 5 });
    expect(replica.cursors.get("ben")).toEqual({ anchor: 2, head: 2 });
    replica.take(foreign(5, [2, "xyz"], "cleo"));
    expect(replica.cursors.get("ben")).toEqual({ anchor: 5, head: 5 });
  });

  test("stand behind what their owner has typed", () => {
    const replica = new Replica("ada", "ab", 4, 0);
    replica.setForeignCursor("ben", 4, { anchor: 0, head: 0 });
    replica.take(foreign(5, [1, "😅"], "ben"));
    expect(replica.cursors.get("ben")).toEqual({ anchor: 2, head: 2 });
    expect(replica.dropForeignCursor("ben")).toBe(true);
    expect(replica.cursors.size).toBe(0);
  });

  test("and the own one move with what others write", () => {
    const replica = new Replica("ada", "abcd", 4, 0);
    replica.cursor = { anchor: 1, head: 3 };
    replica.take(foreign(5, [2, "xx"]));
    expect(replica.cursor).toEqual({ anchor: 1, head: 5 });
  });
});

/** What happens to one of several copies, drawn beforehand. */
type Move =
  | { kind: "type"; who: number; steps: readonly Step[] }
  | { kind: "send" | "arrive" | "hear" | "reload" | "refuse" | "rebase"; who: number };

const WHO = 3;
const who = fc.nat(WHO - 1);
const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("type" as const), who, steps }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom("send" as const, "arrive" as const, "hear" as const),
        who,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("reload" as const, "refuse" as const, "rebase" as const),
        who,
      }),
    },
  ),
  { maxLength: 60 },
);

/** Copies, a server, and the ways between them, on which everything may take its time. */
class World {
  readonly server = new ModelDocument("a😅b");
  readonly replicas = Array.from(
    { length: WHO },
    (_, at) => new Replica(`client-${at}`, this.server.text, 0, 0),
  );
  readonly #isUnderWay = Array.from({ length: WHO }, () => false);

  play(move: Move): void {
    const replica = this.replicas[move.who]!;
    if (move.kind === "type") replica.edit(opOf(move.steps, replica.present.points));
    else this[move.kind](move.who);
  }

  send(who: number): void {
    this.#isUnderWay[who] ||= this.replicas[who]!.nextEdit() !== null;
  }

  /** The newest copy of the outstanding edit comes to the server, perhaps once more. */
  arrive(who: number): void {
    const { outstanding, client } = this.replicas[who]!;
    if (!this.#isUnderWay[who] || outstanding === null) return;
    if (this.server.storedAs(client, outstanding) === null) this.server.store(client, outstanding);
  }

  hear(who: number): boolean {
    const replica = this.replicas[who]!;
    const event = this.server.edits[replica.revision];
    if (event === undefined) return false;
    const before = replica.text;
    const taken = replica.take(JSON.parse(JSON.stringify(event)));
    if (taken.kind === "acked") this.#isUnderWay[who] = false;
    if (taken.kind === "acked") expect(replica.text).toBe(before);
    if (taken.kind === "foreign") expect(replica.text).toBe(plainApply(before, taken.op));
    return true;
  }

  /** The program ends, and begins again with what it has kept. */
  reload(who: number): void {
    const { client } = this.replicas[who]!;
    const { text } = this.replicas[who]!;
    const kept: Kept = JSON.parse(JSON.stringify(this.replicas[who]!.kept()));
    this.replicas[who] = Replica.restored(client, this.replicas[who]!.serverText(), kept);
    expect(this.replicas[who]!.text).toBe(text);
  }

  refuse(who: number): void {
    const replica = this.replicas[who]!;
    if (replica.outstanding === null) return;
    if (this.server.storedAs(replica.client, replica.outstanding) !== null) return;
    replica.takeBack();
    this.#isUnderWay[who] = false;
  }

  /** Its base was too old: the same number with a younger one. It is stored as that or not at all. */
  rebase(who: number): void {
    const replica = this.replicas[who]!;
    if (replica.outstanding === null) return;
    if (this.server.storedAs(replica.client, replica.outstanding) === null) replica.rebaseOutstanding();
  }

  settle(): void {
    for (let round = 0; round < 3; round++) {
      for (let who = 0; who < WHO; who++) {
        while (!this.replicas[who]!.isSaved) {
          this.send(who);
          this.arrive(who);
          while (this.hear(who)) {}
        }
      }
    }
    for (let who = 0; who < WHO; who++) while (this.hear(who)) {}
  }
}

describe("several replicas and a server", () => {
  test("have the same text in the end, with everything in the log once", () => {
    fc.assert(
      fc.property(moves, (drawn) => {
        const world = new World();
        for (const move of drawn) world.play(move);
        world.settle();
        for (const replica of world.replicas) {
          expect(replica.text).toBe(world.server.text);
          expect(replica.revision).toBe(world.server.revision);
          const own = world.server.edits.filter((event) => event.client === replica.client);
          expect(own.map((event) => event.seq)).toEqual(own.map((_, at) => at + 1));
        }
      }),
      { numRuns: RUNS },
    );
  });
});
