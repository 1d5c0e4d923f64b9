/**
 * How the whole room was at a moment: its documents, who was here and where their cursors were, who typed, and
 * what was said last. A stage of the server, and then every step's events folded into it: the same as the
 * server's stage of the later moment.
 */

import { type Op, transformPosition } from "./algebra.ts";
import { CHANGES, messageOf } from "./chat.ts";
import type { Frame } from "./requests.ts";
import { Text } from "./text.ts";
import type { ChatMessage, PersonStatus, Stage, StageDocument, StagePerson } from "./types.ts";

/** As many as somebody sees who comes to the room. */
const MESSAGES = 50;

/** A sign of typing holds for so long, in a replay as in the present. */
const TYPING_MICROSECONDS = 10_000_000;

interface Cursor {
  readonly document: string;
  readonly revision: number;
  readonly anchor: number;
  readonly head: number;
  readonly at: number;
}

interface Stay {
  readonly client: string;
  readonly user: string;
  readonly since: number;
  status: PersonStatus;
}

interface Document {
  revision: number;
  text: Text;
  listed: boolean;
  writer: string | null;
  told: StageDocument | null; // as it was told last, while nothing has changed
}

export class StageFold {
  #at = 0;
  #place = "";
  readonly #documents = new Map<string, Document>();
  readonly #stays = new Map<string, Stay>(); // by session, or "?client" for those who were here at the beginning
  readonly #looks = new Map<string, { name: string; colour: string }>();
  readonly #cursors = new Map<string, Map<string, Cursor>>(); // by client and document
  readonly #signs = new Map<string, Map<string | null, number>>();
  readonly #messages = new Map<string, ChatMessage>();

  constructor(stage: Frame) {
    this.#at = stage.at;
    this.#place = stage.place;
    for (const { document, revision, text, listed } of stage.documents) {
      this.#documents.set(document, { revision, text: new Text(text), listed, writer: null, told: null });
    }
    for (const person of stage.people) this.#begin(person);
    for (const message of stage.messages) this.#messages.set(message.message, message);
  }

  #begin({ client, user, name, colour, status, cursor, typing }: Frame): void {
    this.#stays.set(`?${client}`, { client, user, status, since: 0 });
    this.#looks.set(user, { name, colour });
    if (cursor !== null) this.#cursors.set(client, new Map([[cursor.document, { at: 0, ...cursor }]]));
    if (typing !== null) this.#signs.set(client, new Map([[typing.document, typing.at]]));
  }

  /** One step of a replay. */
  step({ at, place, events }: Frame): void {
    this.advance(at, place);
    for (const event of events) this.#take(event);
  }

  /** It is later now, whether or not something has happened. */
  advance(at: number, place: string): void {
    this.#at = Math.max(this.#at, at);
    this.#place = place;
  }

  #take(event: Frame): void {
    if (event.type === "presence") {
      this.#show(event);
      return;
    }
    switch (event.event) {
      case "edit":
        this.#edit(event);
        break;
      case "document_listed":
      case "document_unlisted":
        this.#list(event.document, event.event === "document_listed");
        break;
      case "joined":
        this.#stays.set(event.session, {
          client: event.client,
          user: event.actor,
          since: event.at,
          status: "idle",
        });
        this.#looks.set(event.actor, { name: event.name, colour: event.colour });
        break;
      case "status": {
        const stay = this.#stays.get(this.#sessionOf(event));
        if (stay !== undefined) stay.status = event.status;
        break;
      }
      case "left":
        this.#leave(event);
        break;
      case "profile":
        this.#looks.set(event.user, { name: event.name, colour: event.colour });
        break;
      case "message":
        this.#messages.set(event.message, messageOf(event as unknown as ChatMessage));
        if (this.#messages.size > MESSAGES) this.#messages.delete(this.#messages.keys().next().value!);
        break;
      default: {
        const message = this.#messages.get(event.message);
        const change = CHANGES[event.event];
        if (message && change) this.#messages.set(event.message, { ...message, ...change(message, event) });
      }
    }
  }

  #edit(event: Frame): void {
    // What is imported is listed when it is whole.
    const begins = event.cause === "import" && event.revision === 1 && !this.#documents.has(event.document);
    if (begins) this.#create(event.document, false);
    const document = this.#documents.get(event.document);
    if (document === undefined || event.revision !== document.revision + 1) return;
    const op: Op = event.op;
    document.text.apply(op);
    document.revision = event.revision;
    document.writer = event.author ?? event.actor;
    document.told = null;
    for (const cursors of this.#cursors.values()) {
      const cursor = cursors.get(event.document);
      if (cursor?.revision === event.revision - 1) cursors.set(event.document, moved(cursor, op));
    }
  }

  #list(name: string, listed: boolean): void {
    const document = this.#documents.get(name);
    if (document !== undefined) {
      document.listed = listed;
      document.told = null;
    } else if (listed) {
      this.#create(name, true);
    }
  }

  #create(name: string, listed: boolean): void {
    const text = new Text("");
    this.#documents.set(name, { revision: 0, text, listed, writer: null, told: null });
  }

  /** The session of an event, or the one without a name in which its client was here from the beginning. */
  #sessionOf({ client, session }: Frame): string {
    return this.#stays.has(session) ? session : `?${client}`;
  }

  #leave(event: Frame): void {
    if (!this.#stays.delete(this.#sessionOf(event))) return;
    if ([...this.#stays.values()].some(({ client }) => client === event.client)) return;
    this.#cursors.delete(event.client);
    this.#signs.delete(event.client);
  }

  #show(frame: Frame): void {
    for (const { client, document, revision, anchor, head, at } of frame.moves ?? []) {
      const cursors = this.#cursors.get(client) ?? new Map<string, Cursor>();
      this.#cursors.set(client, cursors);
      if (anchor === null) cursors.delete(document);
      else cursors.set(document, { document, revision, anchor, head, at });
    }
    for (const { client, document, typing, at } of frame.typing ?? []) {
      const signs = this.#signs.get(client) ?? new Map<string | null, number>();
      this.#signs.set(client, signs);
      if (typing) signs.set(document, at);
      else signs.delete(document);
    }
  }

  /** As it is now. Texts are made when they are asked for. */
  stage(): Stage {
    const documents = new Map(
      [...this.#documents].map(([name, document]) => [name, this.#document(name, document)]),
    );
    const newest = new Map([...this.#stays.values()].map((stay) => [stay.client, stay]));
    const people = new Map([...newest].map(([client, stay]) => [client, this.#person(stay)]));
    return Object.freeze({
      at: this.#at,
      place: this.#place,
      documents,
      people,
      messages: [...this.#messages.values()],
    });
  }

  #document(name: string, document: Document): StageDocument {
    const { revision, text, listed, writer } = document;
    document.told ??= Object.freeze({ document: name, revision, text: text.toString(), listed, writer });
    return document.told;
  }

  #person({ client, user, status, since }: Stay): StagePerson {
    const looks = this.#looks.get(user) ?? { name: user, colour: "#808080" };
    const cursors = [...(this.#cursors.get(client)?.values() ?? [])].map((cursor) => ({
      ...cursor,
      name: cursor.document,
    }));
    const signs = [...(this.#signs.get(client) ?? [])].map(([document, at]) => ({
      document,
      at,
      name: document ?? "",
    }));
    const cursor = latest(cursors, since);
    const sign = latest(signs, Math.max(since, this.#at - TYPING_MICROSECONDS + 1));
    return Object.freeze({
      client,
      user,
      status,
      ...looks,
      avatar: "",
      cursor: cursor && {
        document: cursor.document,
        revision: cursor.revision,
        anchor: cursor.anchor,
        head: cursor.head,
      },
      typing: sign && { document: sign.document, at: sign.at },
    });
  }
}

/** Of what was told at a time of some document the last, but nothing from before `since`. */
function latest<T extends { at: number; name: string }>(told: readonly T[], since: number): T | null {
  let found: T | null = null;
  for (const item of told) {
    const isLater = found === null || item.at > found.at || (item.at === found.at && item.name > found.name);
    if (item.at >= since && isLater) found = item;
  }
  return found;
}

function moved(cursor: Cursor, op: Op): Cursor {
  const anchor = transformPosition(cursor.anchor, op);
  const head = cursor.head === cursor.anchor ? anchor : transformPosition(cursor.head, op);
  return { ...cursor, revision: cursor.revision + 1, anchor, head };
}
