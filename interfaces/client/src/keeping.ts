/**
 * What survives the program: unsent edits and posts under the client that made them, and the last text of each
 * document, so that it can be read and edited without a network.
 *
 * A client id is taken by one program at a time, under a lock. Who comes takes one that is free, those with
 * something unsent first: so a reload goes on as who it was, two tabs are two clients, and what a crash has left
 * behind is sent by whoever comes next.
 */

import type { Op } from "./algebra.ts";
import type { Kept } from "./replica.ts";
import type { Frame } from "./requests.ts";
import type { Locks, Storage } from "./types.ts";

/** Client ids without anything unsent that are kept to be taken again: as many tabs as somebody has. */
const CLIENTS_KEPT = 20;

/** Texts that are kept for a start without a network, and how large each may be. Phones give some 5 MB and more. */
const TEXTS_KEPT = 20;
const TEXT_UNITS = 1_000_000;

/** What is unsent in a document, or nothing, and the server's text that it was made on. */
export interface KeptDocument {
  readonly epoch: string;
  readonly text: string;
  readonly replica: Kept;
}

type KeptUnsent = Omit<KeptDocument, "text">;

interface KeptText {
  readonly epoch: string;
  readonly revision: number;
  readonly text: string;
  readonly at: number;
}

export class Keeping {
  readonly #storage: Storage;
  readonly #base: string;
  #client = "";
  /** Documents of which there is something unsent in the storage, and the revision of the text kept with it. */
  readonly #stored = new Map<string, number>();
  #posts = "[]";
  /** What is to be written, in this order; null: deleted. Of one key only the last value counts. */
  readonly #toWrite = new Map<string, string | null>();
  #writing: Promise<void> | null = null;
  onFault: ((error: unknown) => void) | null = null;

  constructor(storage: Storage, url: string, room: string) {
    this.#storage = storage;
    this.#base = `chronoscribe/${url}/${room}/`;
  }

  /** Take a client id, or this one. Returns it with what gives it back. */
  async claim(
    locks: Locks,
    now: number,
    newId: () => string,
    wanted?: string,
  ): Promise<[string, () => void]> {
    const known = wanted === undefined ? await this.#clients() : [wanted];
    for (const client of known) {
      const release = await locks.acquire(`${this.#base}${client}`);
      if (release !== null || wanted !== undefined)
        return [await this.#take(client, now), release ?? (() => {})];
    }
    const client = newId();
    const release = await locks.acquire(`${this.#base}${client}`);
    return [await this.#take(client, now), release ?? (() => {})];
  }

  async #take(client: string, now: number): Promise<string> {
    this.#client = client;
    await this.#storage.set(`${this.#base}client/${client}`, String(now));
    return client;
  }

  /** Those with something unsent first, then the newest. */
  async #clients(): Promise<string[]> {
    const names = await this.#names("client/");
    const unsent = new Set([
      ...(await this.#names("unsent/")).map((name) => name.split("/")[0]!),
      ...(await this.#names("posts/")),
    ]);
    const times = await Promise.all(
      names.map(async (name) => Number(await this.#storage.get(`${this.#base}client/${name}`))),
    );
    const order = names
      .map((name, index) => ({ name, at: times[index]!, isUnsent: unsent.has(name) }))
      .sort((one, other) => Number(other.isUnsent) - Number(one.isUnsent) || other.at - one.at);
    const idle = order.filter(({ isUnsent }) => !isUnsent);
    for (const { name } of idle.slice(CLIENTS_KEPT))
      await this.#storage.delete(`${this.#base}client/${name}`);
    return order.map(({ name }) => name);
  }

  async #names(kind: string): Promise<string[]> {
    const prefix = this.#base + kind;
    return (await this.#storage.keys(prefix)).map((key) => key.slice(prefix.length));
  }

  /** The documents of this client with something unsent, and of what was lost the text that was typed. */
  async unsent(): Promise<{ found: Map<string, KeptDocument>; lost: Map<string, readonly Op[]> }> {
    const found = new Map<string, KeptDocument>();
    const lost = new Map<string, readonly Op[]>();
    for (const document of await this.#names(`unsent/${this.#client}/`)) {
      const kept = await this.#read<KeptUnsent>(`unsent/${this.#client}/${document}`);
      if (kept === null) continue;
      const { revision, queue } = kept.replica;
      const text = await this.#storage.get(this.#base + this.#textKey(document, revision));
      if (text === null) lost.set(document, queue);
      else found.set(document, { ...kept, text });
      this.#stored.set(document, revision);
    }
    return { found, lost };
  }

  async posts(): Promise<Frame[]> {
    return (await this.#read<Frame[]>(`posts/${this.#client}`)) ?? [];
  }

  /** The last text that was seen of a document, as a replica without anything unsent. */
  async text(document: string): Promise<KeptDocument | null> {
    const kept = await this.#read<KeptText>(`text/${document}`);
    if (kept === null) return null;
    const { text, revision, epoch } = kept;
    return { epoch, text, replica: { revision, seq: 0, queue: [], outstanding: null } };
  }

  async #read<T>(key: string): Promise<T | null> {
    try {
      const found = await this.#storage.get(this.#base + key);
      return found === null ? null : (JSON.parse(found) as T);
    } catch (error) {
      this.onFault?.(error);
      return null;
    }
  }

  /**
   * Keep what is unsent in a document. The text is written only where it is another than before: first the new
   * one, then what refers to it, then the old one goes; so whenever the program ends, what is there fits together.
   */
  keep(document: string, kept: KeptUnsent, text: () => string): void {
    const { revision } = kept.replica;
    const before = this.#stored.get(document);
    if (before !== revision) this.#write(this.#textKey(document, revision), text());
    this.#write(`unsent/${this.#client}/${document}`, JSON.stringify(kept));
    if (before !== undefined && before !== revision) this.#write(this.#textKey(document, before), null);
    this.#stored.set(document, revision);
  }

  /** There is nothing unsent any more. */
  forget(document: string): void {
    const revision = this.#stored.get(document);
    if (revision === undefined) return;
    this.#stored.delete(document);
    this.#write(`unsent/${this.#client}/${document}`, null);
    this.#write(this.#textKey(document, revision), null);
  }

  #textKey(document: string, revision: number): string {
    return `base/${this.#client}/${document}/${revision}`;
  }

  keepPosts(posts: readonly Frame[]): void {
    const text = JSON.stringify(posts);
    if (text === this.#posts) return;
    this.#posts = text;
    this.#write(`posts/${this.#client}`, posts.length > 0 ? text : null);
  }

  keepText(document: string, epoch: string, revision: number, text: string, at: number): void {
    if (text.length <= TEXT_UNITS)
      this.#write(`text/${document}`, JSON.stringify({ epoch, revision, text, at }));
  }

  /** Forget the texts that were seen longest ago. */
  async prune(): Promise<void> {
    const names = await this.#names("text/");
    if (names.length <= TEXTS_KEPT) return;
    const texts = await Promise.all(
      names.map(async (name) => ({ name, at: (await this.#read<KeptText>(`text/${name}`))?.at ?? 0 })),
    );
    texts.sort((one, other) => other.at - one.at);
    for (const { name } of texts.slice(TEXTS_KEPT)) this.#write(`text/${name}`, null);
  }

  #write(key: string, value: string | null): void {
    this.#toWrite.delete(key); // it comes last now
    this.#toWrite.set(key, value);
    this.#writing ??= this.#writeAll();
  }

  /** All that waits is given to the storage at once, in order: a page that is being left has no second moment. */
  async #writeAll(): Promise<void> {
    await Promise.resolve();
    while (this.#toWrite.size > 0) {
      const round = [...this.#toWrite];
      this.#toWrite.clear();
      await Promise.all(round.map(([key, value]) => this.#writeOne(this.#base + key, value)));
    }
    this.#writing = null;
  }

  async #writeOne(key: string, value: string | null): Promise<void> {
    try {
      await (value === null ? this.#storage.delete(key) : this.#storage.set(key, value));
    } catch (error) {
      this.onFault?.(error);
    }
  }

  /** When everything that was given to be kept is kept. */
  async flushed(): Promise<void> {
    await this.#writing;
  }
}
