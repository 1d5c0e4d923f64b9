/** When what is unsent in the documents of a room is kept, and their texts for a start without a network. */

import type { DocumentLink } from "./document-link.ts";
import type { Keeping } from "./keeping.ts";

/**
 * What is unsent is kept no more often than this: a pause in which nobody loses more than a word. While there is a
 * connection the first edit waits as long too, since most are durable by then and need not be kept at all; without
 * one it is kept at once.
 */
const KEEP_MS = 250;

/** How often the text of a document is kept for a start without a network, when nothing is unsent. */
const KEEP_TEXT_MS = 5_000;

/** What this asks of the room. */
export interface KeptRoom {
  readonly isOnline: boolean;
  readonly links: ReadonlyMap<string, DocumentLink>;
  now(): number;
  /** Nothing in this document is unsent, and that is kept. */
  onSaved(link: DocumentLink): void;
  /** The time of something to keep has come. */
  onTime(): void;
}

export class DocumentKeeping {
  readonly #keeping: Keeping;
  readonly #room: KeptRoom;
  readonly #due = new Map<string, number>();
  readonly #keptAt = new Map<string, number>();
  readonly #texts = new Map<string, { revision: number; at: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(keeping: Keeping, room: KeptRoom) {
    this.#keeping = keeping;
    this.#room = room;
  }

  /** Something of the document has changed: have it kept soon. `plan` follows. */
  touch(document: string): void {
    if (this.#due.has(document)) return;
    const now = this.#room.now();
    const earliest = (this.#keptAt.get(document) ?? Number.NEGATIVE_INFINITY) + KEEP_MS;
    this.#due.set(document, this.#room.isOnline ? now + KEEP_MS : Math.max(now, earliest));
  }

  plan(): void {
    clearTimeout(this.#timer);
    if (this.#due.size === 0) return;
    const first = Math.min(...this.#due.values());
    this.#timer = setTimeout(this.#keepDue, Math.max(0, first - this.#room.now()));
  }

  /** Keep everything now: the connection is gone, or the program goes to rest. */
  flush(): void {
    for (const document of [...this.#due.keys()]) this.keep(document, true);
  }

  end(): void {
    this.flush();
    clearTimeout(this.#timer);
  }

  readonly #keepDue = (): void => {
    const now = this.#room.now();
    for (const [document, due] of [...this.#due]) if (due <= now) this.keep(document);
    this.#room.onTime();
  };

  keep(document: string, isLastChance = false): void {
    this.#due.delete(document);
    const link = this.#room.links.get(document);
    if (!link?.replica || link.epoch === null) return;
    if (link.phase === "stranded") return; // what is kept stays, until the person has taken the text
    const { replica, epoch } = link;
    if (!replica.isSaved) {
      const isNews = this.#keeping.keep(document, { epoch, replica: replica.kept() }, () =>
        replica.serverText(),
      );
      if (isNews) this.#keptAt.set(document, this.#room.now());
      return;
    }
    this.#keeping.forget(document);
    this.#keepText(link, epoch, isLastChance);
    this.#room.onSaved(link);
  }

  #keepText({ document, replica }: DocumentLink, epoch: string, isLastChance: boolean): void {
    const now = this.#room.now();
    const last = this.#texts.get(document);
    if (replica === null || last?.revision === replica.revision) return;
    if (last !== undefined && now - last.at < KEEP_TEXT_MS && !isLastChance) {
      this.#due.set(document, last.at + KEEP_TEXT_MS);
      return;
    }
    this.#texts.set(document, { revision: replica.revision, at: now });
    this.#keeping.keepText(document, epoch, replica.revision, replica.text, now);
  }
}
