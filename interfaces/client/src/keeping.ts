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
  readonly #locks: Locks;
  readonly #base: string;
  #client = "";
  #user = ""; // who it is of
  #at = 0; // when it was taken
  #release = () => {};
  readonly #disowned = new Set<string>(); // clients and users that are not ours
  readonly #others = new Set<string>();
  /** What is in the storage of documents with something unsent, and the revision of the text kept with it. */
  readonly #stored = new Map<string, { revision: number; unsent: string }>();
  #posts = "[]";
  /** What is to be written, in this order; null: deleted. Of one key only the last value counts. */
  readonly #toWrite = new Map<string, string | null>();
  #writing: Promise<void> | null = null;
  #isFaulty = false;
  /** The storage does not do what it should; told once, until it does again. */
  onFault: ((error: unknown) => void) | null = null;

  constructor(storage: Storage, locks: Locks, url: string, room: string) {
    this.#storage = impatient(storage);
    this.#locks = locks;
    this.#base = `chronoscribe/${url}/${room}/`;
  }

  /** Take a client id, or this one, and hold it until it is released. */
  async claim(now: number, newId: () => string, wanted?: string): Promise<string> {
    this.release();
    const known = wanted === undefined ? await this.#free() : [wanted];
    for (const client of known)
      if ((await this.#hold(client)) || wanted !== undefined) return this.#take(client, now);
    const client = newId();
    await this.#hold(client);
    return this.#take(client, now);
  }

  /** The storage could not be read: be this client, which nobody knows. */
  begin(client: string): string {
    this.#client = client;
    this.#stored.clear();
    return client;
  }

  /** Take this client if nobody uses it. */
  async claimFree(client: string, now: number): Promise<boolean> {
    if (!(await this.#hold(client))) return false;
    await this.#take(client, now);
    return true;
  }

  release(): void {
    this.#release();
    this.#release = () => {};
  }

  async #hold(client: string): Promise<boolean> {
    const release = await this.#locks.acquire(`${this.#base}${client}`);
    if (release === null) return false;
    this.#release = release;
    return true;
  }

  async #take(client: string, now: number): Promise<string> {
    this.#client = client;
    this.#stored.clear();
    this.#posts = "[]";
    this.#at = now;
    const user = (await this.#known(client))?.user ?? "";
    await this.#storage.set(`${this.#base}client/${client}`, JSON.stringify({ at: now, user }));
    return client;
  }

  /** Who this client is of, as the server says; a client belongs to one user for ever. */
  belongsTo(user: string): void {
    this.#user = user;
    this.#write(`client/${this.#client}`, JSON.stringify({ at: this.#at, user }));
    this.#write("user", user);
  }

  /** The server says that this client is somebody else's: neither it nor another one of theirs is taken again. */
  async disown(): Promise<void> {
    const owner = (await this.#known(this.#client))?.user;
    if (owner) this.#others.add(owner);
    this.#disowned.add(this.#client);
  }

  async #known(client: string): Promise<{ at: number; user: string } | null> {
    return this.#read(`client/${client}`);
  }

  /** Other clients of ours with something unsent, which may be free. */
  async orphans(): Promise<string[]> {
    const found = await this.#clients();
    return found
      .filter(({ user }) => user === "" || user === this.#user)
      .filter(({ name, isUnsent }) => isUnsent && name !== this.#client)
      .map(({ name }) => name);
  }

  async #free(): Promise<string[]> {
    return (await this.#clients()).map(({ name }) => name);
  }

  /** Those of who was here last first, of these those with something unsent, then the newest. */
  async #clients(): Promise<{ name: string; user: string; isUnsent: boolean }[]> {
    const unsent = new Set([
      ...(await this.#names("unsent/")).map((name) => name.split("/")[0]!),
      ...(await this.#names("posts/")),
    ]);
    const last = await this.#storage.get(`${this.#base}user`);
    const names = await this.#names("client/");
    const all = await Promise.all(
      names.map(async (name) => {
        const { at, user } = (await this.#known(name)) ?? { at: 0, user: "" };
        return { name, at, user, isUnsent: unsent.has(name), isLast: user === last };
      }),
    );
    all.sort(
      (one, other) =>
        Number(other.isLast) - Number(one.isLast) ||
        Number(other.isUnsent) - Number(one.isUnsent) ||
        other.at - one.at,
    );
    for (const { name } of all.filter(({ isUnsent }) => !isUnsent).slice(CLIENTS_KEPT))
      this.#write(`client/${name}`, null);
    return all.filter(({ name, user }) => !this.#disowned.has(name) && !this.#others.has(user));
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
      this.#stored.set(document, { revision, unsent: JSON.stringify(kept) });
    }
    await this.#sweep();
    return { found, lost };
  }

  /** A crash between two writes may have left a text to which nothing refers. */
  async #sweep(): Promise<void> {
    const referred = new Set(
      [...this.#stored].map(([document, { revision }]) => this.#textKey(document, revision)),
    );
    for (const name of await this.#names(`base/${this.#client}/`)) {
      const key = `base/${this.#client}/${name}`;
      if (!referred.has(key)) this.#write(key, null);
    }
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
   * one, then what refers to it, then the old one goes; so whenever the program ends, what is there fits together. False
   * if all of it is there already.
   */
  keep(document: string, kept: KeptUnsent, text: () => string): boolean {
    const { revision } = kept.replica;
    const unsent = JSON.stringify(kept);
    const before = this.#stored.get(document);
    if (before?.unsent === unsent) return false;
    if (before?.revision !== revision) this.#write(this.#textKey(document, revision), text());
    this.#write(`unsent/${this.#client}/${document}`, unsent);
    if (before !== undefined && before.revision !== revision)
      this.#write(this.#textKey(document, before.revision), null);
    this.#stored.set(document, { revision, unsent });
    return true;
  }

  /** There is nothing unsent any more. */
  forget(document: string): void {
    const stored = this.#stored.get(document);
    if (stored === undefined) return;
    this.#stored.delete(document);
    this.#write(`unsent/${this.#client}/${document}`, null);
    this.#write(this.#textKey(document, stored.revision), null);
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
      this.#isFaulty = false;
    } catch (error) {
      // A full storage is full at every word.
      if (!this.#isFaulty) this.onFault?.(error);
      this.#isFaulty = true;
    }
  }

  /** When everything that was given to be kept is kept. */
  async flushed(): Promise<void> {
    await this.#writing;
  }
}

/** A browser's storage may never answer, and one can write without it. */
const ANSWER_MS = 5_000;

function impatient(storage: Storage): Storage {
  return {
    get: (key) => inTime(storage.get(key)),
    set: (key, value) => inTime(storage.set(key, value)),
    delete: (key) => inTime(storage.delete(key)),
    keys: (prefix) => inTime(storage.keys(prefix)),
  };
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the storage does not answer")), ANSWER_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
