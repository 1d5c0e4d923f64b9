/**
 * How much an edit costs in a large document. In interfaces/:
 *
 *     npx rolldown client/tests/benchmarks/typing.ts --format esm --platform node -o /tmp/typing.mjs && node /tmp/typing.mjs
 *
 * A person types in a document of 500 KB, each key while somebody else's edit comes, with listeners on everything as
 * a page has them. Numbers to compare, never asserted.
 */

import { Bell } from "../../src/cell.ts";
import { OpenDocument } from "../../src/document.ts";
import { DocumentLink } from "../../src/document-link.ts";
import { Pacer, Requests } from "../../src/requests.ts";

const UNITS = 500_000;
const ROUNDS = 4_000;

function measure(name: string, filling: string): void {
  const requests = new Requests();
  const bell = new Bell();
  const handle = new OpenDocument("main.md", {
    bell,
    presence: {
      ownerOf: () => ({ user: "ben", active: 1 }),
      looksOf: () => ({ name: "Ben", colour: "#111111", avatar: "" }),
    },
    isOnline: true,
    user: "ada",
    client: "ada",
    now: () => performance.now(),
    timeOfDay: Date.now,
    settle: () => bell.ring(),
    command: async () => null,
    typing: () => {},
    touch: () => {},
    onUnsent: () => {},
    openAfresh: () => {},
    closeDocument: () => {},
  } as never);
  const link = new DocumentLink({
    document: "main.md",
    client: "ada",
    requests,
    pacer: new Pacer(),
    create: false,
    kept: null,
  });
  handle.attach(link);
  handle.subscribe(() => handle.getSnapshot());
  handle.cursors.subscribe(() => handle.cursors.getSnapshot());
  handle.onText(() => {});
  link.onOnline(0, "epoch");
  const text = filling.repeat(UNITS / filling.length);
  let revision = 10;
  requests.onReply({ type: "opened", ref: 1, document: "main.md", revision, seq: 0, cursors: [], text }, 0);
  for (let at = 0; at < 20; at++)
    link.onMove({ client: `c${at}`, document: "main.md", revision, anchor: at * 1_000, head: at * 1_000 });
  let typing = 0;
  let hearing = 0;
  let points = [...text].length;
  for (let round = 0; round < ROUNDS; round++) {
    const place = handle.toUtf16((round * 7_919) % points);
    const start = performance.now();
    handle.edit([{ from: place, to: place, insert: "x" }]);
    typing += performance.now() - start;
    points += 1;
    const sent = requests.frames.find((frame) => frame.type === "edit");
    requests.frames = [];
    const begin = performance.now();
    const foreign = {
      event: "edit",
      actor: "ben",
      client: "ben",
      at: 0,
      seq: round + 1,
      op: [1 + ((round * 104_729) % 1_000), "y"],
    };
    link.onEdit({ ...foreign, revision: ++revision }, 0);
    link.pump(0);
    bell.ring();
    hearing += performance.now() - begin;
    points += 1;
    // Our edit comes back, as we have transformed it ourselves.
    const op = link.replica!.unsaved[0];
    if (sent && op)
      link.onEdit({ ...foreign, client: "ada", seq: sent.seq, base: sent.base, op, revision: ++revision }, 0);
    link.pump(0);
    bell.ring();
    requests.frames = [];
  }
  const each = (sum: number) => `${((sum / ROUNDS) * 1_000).toFixed(0)} µs`;
  console.log(`${name}: an edit of ours ${each(typing)}, one of somebody else ${each(hearing)}`);
}

for (let warm = 0; warm < 2; warm++) {
  measure("500 KB of ASCII", "The quick brown fox\n");
  measure("500 KB with emoji", "The quick brown 😀\n");
}
