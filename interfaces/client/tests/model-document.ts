/** A document of a server in memory: the plainest thing that copies can be tried against. */

import { countPoints, type Op, transform } from "../src/algebra.ts";
import type { Sent } from "../src/replica.ts";
import type { Frame } from "../src/requests.ts";
import { Text } from "../src/text.ts";

export class ModelDocument {
  readonly edits: Frame[] = [];
  readonly #text: Text;
  readonly #pristine = new Map<string, { content: string; revision: number }>();

  constructor(text = "") {
    this.#text = new Text(text);
  }

  get text(): string {
    return this.#text.toString();
  }

  get points(): number {
    return countPoints(this.text);
  }

  get revision(): number {
    return this.edits.length;
  }

  lastSeq(client: string): number {
    return this.edits
      .filter((event) => event.client === client)
      .reduce((last, event) => Math.max(last, event.seq), 0);
  }

  /** What has been stored under this number: the same, something else, or nothing. */
  storedAs(client: string, edit: Sent): "same" | "other" | null {
    const stored = this.#pristine.get(`${client} ${edit.seq}`);
    if (stored === undefined) return null;
    return stored.content === JSON.stringify([edit.base, edit.op]) ? "same" : "other";
  }

  /** Transformed one by one, as left, over what has come since: as the server does it. */
  store(client: string, edit: Sent, more: Frame = {}): Frame {
    let op: Op = JSON.parse(JSON.stringify(edit.op));
    for (const event of this.edits.slice(edit.base)) op = transform(op, event.op, "left");
    const committed = this.#text.apply(op).op;
    const revision = this.revision + 1;
    this.#pristine.set(`${client} ${edit.seq}`, { content: JSON.stringify([edit.base, edit.op]), revision });
    const { seq, base } = edit;
    const event = { event: "edit", document: "main.md", actor: `user-${client}`, at: 0 };
    this.edits.push({ ...event, revision, base, client, seq, op: committed, ...more });
    return this.edits.at(-1)!;
  }
}
