/** What is told of the room itself: its title and documents, our role, who speaks to us, and the server's clock. */

import { type Bell, Cell } from "./cell.ts";
import type { DocumentLink } from "./document-link.ts";
import type { RoomPart } from "./part.ts";
import type { Presence } from "./presence.ts";
import type { Frame } from "./requests.ts";
import type { Notice, Role, RoomSnapshot } from "./types.ts";

/** Messages of which it is remembered that they have mentioned us. */
const MENTIONS_KEPT = 1_000;

/** What this asks of the room. */
export interface DescribedRoom {
  readonly room: string;
  readonly user: string;
  readonly bell: Bell;
  readonly presence: Presence;
  readonly links: ReadonlyMap<string, DocumentLink>;
  now(): number;
  notify(notice: Notice): void;
}

export class RoomState implements RoomPart {
  readonly cell: Cell<RoomSnapshot>;
  readonly #room: DescribedRoom;
  readonly #mentions = new Set<string>();
  #title: string;
  #documents: readonly string[] = [];
  #isClosed = false;
  #hasWelcome = false;
  #clockOffset: number | null = null;

  constructor(room: DescribedRoom) {
    this.#room = room;
    this.#title = room.room;
    this.cell = new Cell(room.bell, () => this.#describe());
  }

  onWelcome(welcome: Frame): void {
    this.#hasWelcome = true;
    this.#title = welcome.room.title;
    this.#documents = [...welcome.documents];
    this.cell.touch();
  }

  onEdit(event: Frame): void {
    this.#onClock(event.at);
  }

  onFrame(frame: Frame): void {
    if (frame.type === "notice" && frame.notice === "mention") {
      this.#tellMention(frame.room, frame.message, frame.actor);
    }
  }

  onEvent(event: Frame): void {
    const { user, presence, room } = this.#room;
    this.#onClock(event.at);
    switch (event.event) {
      case "document_listed":
        this.#documents = [...this.#documents.filter((known) => known !== event.document), event.document];
        break;
      case "document_unlisted":
        this.#documents = this.#documents.filter((known) => known !== event.document);
        break;
      case "room_opened":
      case "room_renamed":
        this.#title = event.title;
        break;
      case "room_closed":
        this.#isClosed = true;
        break;
      case "member_added":
      case "role_changed":
        if (event.user === user) this.#room.notify({ kind: "role", role: event.role });
        break;
      case "member_removed":
        if (event.user === user) this.#room.notify({ kind: "role", role: presence.everyone });
        break;
      case "message":
      case "message_edited":
        if (event.mentions.includes(user) && event.actor !== user)
          this.#tellMention(room, event.message, event.actor);
        break;
    }
    this.cell.touch();
  }

  /** Once for each message: an edit mentions us again, and a node that is behind tells it once more. */
  #tellMention(room: string, message: string, actor: string): void {
    const mention = `${room} ${message}`;
    if (this.#mentions.has(mention)) return;
    this.#mentions.add(mention);
    if (this.#mentions.size > MENTIONS_KEPT) this.#mentions.delete(this.#mentions.values().next().value!);
    this.#room.notify({ kind: "mention", room, message, actor });
  }

  /** What comes was made before: of all differences of the clocks the largest is the closest to the truth. */
  #onClock(at: number): void {
    const offset = Math.round(at / 1_000 - this.#room.now()) * 1_000;
    if (this.#clockOffset === null || offset > this.#clockOffset) this.#clockOffset = offset;
  }

  #describe(): RoomSnapshot {
    const { user, presence, links, room } = this.#room;
    const role = (presence.getSnapshot().members.get(user) ?? presence.everyone) as Role;
    let unsaved = 0;
    for (const link of links.values()) {
      const counts = link.replica?.counts;
      if (counts !== undefined) unsaved += counts.sent + counts.local;
    }
    return Object.freeze({
      room,
      title: this.#title,
      me: this.#hasWelcome ? { user, role, ...presence.looksOf(user) } : null,
      everyone: presence.everyone,
      documents: this.#documents,
      isClosed: this.#isClosed,
      unsaved,
      clockOffset: this.#clockOffset ?? 0,
    });
  }
}
