/** Who is in the room: places by session, people by user, members by role, and who types where. */

import { Cell, isSame } from "./cell.ts";
import type { Edit, PresenceTold, RoomEvent, Welcome } from "./frames.ts";
import type { RoomPart, Surroundings } from "./part.ts";
import type { Frame } from "./requests.ts";
import type {
  Looks,
  Person,
  PersonStatus,
  Place,
  PresenceSnapshot,
  Presence as PresenceStore,
  Role,
} from "./types.ts";

/** While somebody types on, they say so again this often: well within what a sign holds. */
const SIGN_MS = 4_000;

/** What the server says in its welcome, if it says nothing. */
const TYPING_SECONDS = 10;

/** Users are asked about so many at a time (the server takes no more), a moment after the first is missed. */
const ASKED_AT_ONCE = 50;
const ASK_MS = 50;

/** Of several places of one person others see the liveliest. */
const LIVELIEST: readonly PersonStatus[] = ["editing", "running", "idle", "away"];

/** A person has places, and these have lists of documents. */
const PERSON_DEPTH = 4;

/** One session of a client in the room; times are microseconds by the server's clock. */
interface Stay {
  readonly client: string;
  readonly session: string;
  readonly user: string;
  readonly since: number;
  status: PersonStatus;
  active: number;
  /** When the cursor was moved last, by document; the newest last. */
  readonly cursors: Map<string, number>;
  /** When its sign of typing ends, in milliseconds of this machine, by document; null is the chat. */
  readonly typing: Map<string | null, number>;
}

/** Asks the server how users look. */
export type FindLooks = (users: readonly string[]) => Promise<ReadonlyMap<string, Looks>>;

export class Presence implements RoomPart, PresenceStore {
  due: number | null = null;
  everyone: Role | null = null;
  readonly #around: Surroundings;
  readonly #findLooks: FindLooks;
  readonly #snapshot: Cell<PresenceSnapshot>;
  #stays = new Map<string, Stay>();
  #looks: ReadonlyMap<string, Looks> = new Map(); // handed out as it is: another one when something changes
  #people = new Map<string, Person>(); // as they were shown last
  #members = new Map<string, Role>();
  #typingMs = TYPING_SECONDS * 1_000;
  #declared: PersonStatus | null = null;
  #isDeclared = false;
  readonly #signs = new Map<string | null, number>(); // when our own sign was given last
  readonly #asked = new Set<string>();
  #toAsk: string[] = [];

  constructor(around: Surroundings, findLooks: FindLooks) {
    this.#around = around;
    this.#findLooks = findLooks;
    this.#snapshot = new Cell(around.bell, () => this.#describe());
  }

  get getSnapshot() {
    return this.#snapshot.getSnapshot;
  }

  get subscribe() {
    return this.#snapshot.subscribe;
  }

  // What one does.

  declare(status: PersonStatus | null): void {
    this.#declared = status;
    this.#isDeclared = true;
    this.#sayStatus();
    this.#around.settle();
  }

  #sayStatus(): void {
    if (this.#around.isOnline)
      this.#around.requests.ask({ type: "status", status: this.#declared }, () => {});
  }

  /** Say that one types there, or has stopped; said again while it goes on, not for every key. */
  type(document: string | null, isTyping: boolean): void {
    const now = this.#around.now();
    const said = this.#signs.get(document);
    if (isTyping ? said !== undefined && now - said < SIGN_MS : said === undefined) return;
    if (isTyping) this.#signs.set(document, now);
    else this.#signs.delete(document);
    if (this.#around.isOnline) {
      const sign: Frame = { type: "typing", typing: isTyping };
      if (document !== null) sign.document = document;
      this.#around.requests.ask(sign, () => {});
    }
    this.#around.settle();
  }

  /** Whose client this is, and when it last moved or wrote; null for one that is not here. */
  ownerOf(client: string): { user: string; active: number } | null {
    let newest: Stay | null = null;
    for (const stay of this.#of(client)) if (newest === null || stay.since >= newest.since) newest = stay;
    return newest;
  }

  looksOf(user: string): Looks {
    const known = this.#looks.get(user);
    if (known !== undefined) return known;
    if (!this.#asked.has(user) && user !== "" && !user.startsWith("@")) {
      this.#asked.add(user);
      if (this.#toAsk.length === 0) setTimeout(() => this.#askLooks(), ASK_MS);
      this.#toAsk.push(user);
    }
    return { name: user, colour: "#808080", avatar: "" };
  }

  async #askLooks(): Promise<void> {
    const users = this.#toAsk.slice(0, ASKED_AT_ONCE);
    this.#toAsk = this.#toAsk.slice(ASKED_AT_ONCE);
    if (this.#toAsk.length > 0) setTimeout(() => this.#askLooks(), ASK_MS);
    try {
      const found = await this.#findLooks(users);
      this.#learn([...found].filter(([user]) => !this.#looks.has(user)));
      this.#snapshot.touch();
      this.#around.bell.ring();
    } catch {
      for (const user of users) this.#asked.delete(user); // asked again when it is needed again
    }
  }

  // What is told.

  onWelcome(welcome: Welcome): void {
    this.#typingMs = (welcome.limits.typing_seconds ?? TYPING_SECONDS) * 1_000;
    this.everyone = welcome.room.everyone;
    this.#members = new Map(welcome.members.map((member: Frame) => [member.user, member.role]));
    this.#learn([...Object.entries<Looks>(welcome.people), [welcome.you.user, welcome.you]]);
    const until = this.#around.now() + this.#typingMs;
    this.#stays = new Map(welcome.roster.map((entry: Frame) => [entry.session, stayOf(entry, until)]));
    this.#signs.clear();
    this.#planExpiry();
    this.#snapshot.touch();
  }

  onOnline(): void {
    if (this.#isDeclared && this.#declared !== null) this.#sayStatus();
  }

  onEvent(event: RoomEvent): void {
    switch (event.event) {
      case "joined":
        if (!this.#looks.has(event.actor)) this.#learn([[event.actor, event]]);
        this.#stays.set(event.session, joinedStay(event));
        break;
      case "left":
        this.#stays.delete(event.session);
        break;
      case "status": {
        const stay = this.#stays.get(event.session);
        if (stay !== undefined) stay.status = event.status;
        break;
      }
      case "profile":
        this.#learn([[event.user, event]]);
        break;
      case "member_added":
      case "role_changed":
        this.#members = new Map(this.#members).set(event.user, event.role);
        break;
      case "member_removed":
        this.#members = new Map(this.#members);
        this.#members.delete(event.user);
        break;
      case "access_changed":
      case "room_opened":
        this.everyone = event.everyone;
        break;
      case "message":
        this.#onActive(event.client, event.at);
        this.#stopTyping(event.client, null);
        break;
      default:
        return;
    }
    this.#snapshot.touch();
  }

  onEdit(event: Edit): void {
    this.#onActive(event.client, event.at);
  }

  onPresence(frame: PresenceTold): void {
    for (const move of frame.moves) {
      for (const stay of this.#of(move.client)) {
        stay.active = Math.max(stay.active, move.at);
        stay.cursors.delete(move.document); // so that it comes last
        if (move.anchor !== null) stay.cursors.set(move.document, move.at);
      }
    }
    const until = this.#around.now() + this.#typingMs;
    for (const sign of frame.typing) {
      for (const stay of this.#of(sign.client)) {
        stay.active = Math.max(stay.active, sign.at);
        if (sign.typing) stay.typing.set(sign.document, until);
        else stay.typing.delete(sign.document);
      }
    }
    this.#planExpiry();
    this.#snapshot.touch();
  }

  onTime(now: number): void {
    if (this.due === null || now < this.due) return;
    for (const stay of this.#stays.values()) {
      for (const [document, until] of stay.typing) if (until <= now) stay.typing.delete(document);
    }
    this.#planExpiry();
    this.#snapshot.touch();
  }

  #planExpiry(): void {
    const ends = [...this.#stays.values()].flatMap((stay) => [...stay.typing.values()]);
    this.due = ends.length > 0 ? Math.min(...ends) : null;
  }

  #learn(people: readonly (readonly [user: string, looks: Looks])[]): void {
    if (people.length === 0) return;
    const known = new Map(this.#looks);
    for (const [user, { name, colour, avatar }] of people)
      known.set(user, Object.freeze({ name, colour, avatar }));
    this.#looks = known;
  }

  #onActive(client: string | null, at: number): void {
    if (client !== null) for (const stay of this.#of(client)) stay.active = Math.max(stay.active, at);
  }

  #stopTyping(client: string | null, document: string | null): void {
    if (client !== null) for (const stay of this.#of(client)) stay.typing.delete(document);
  }

  *#of(client: string): Generator<Stay> {
    for (const stay of this.#stays.values()) if (stay.client === client) yield stay;
  }

  // What is shown.

  #describe(): PresenceSnapshot {
    const me = this.#around.user;
    const byUser = new Map<string, Stay[]>();
    for (const stay of this.#stays.values()) {
      const stays = byUser.get(stay.user);
      if (stays === undefined) byUser.set(stay.user, [stay]);
      else stays.push(stay);
    }
    const people = [...byUser].map(([user, stays]) => this.#person(user, stays));
    this.#people = new Map(people.map((person) => [person.user, person]));
    people.sort((one, other) => Number(other.isMe) - Number(one.isMe) || one.name.localeCompare(other.name));
    const typing = people.filter(
      (person) => person.user !== me && person.places.some((place) => place.typing.includes(null)),
    );
    return Object.freeze({
      people,
      members: this.#members,
      looks: this.#looks,
      typing: typing.map((person) => person.user),
    });
  }

  #person(user: string, stays: readonly Stay[]): Person {
    const looks = this.looksOf(user);
    const places: Place[] = stays.map((stay) =>
      Object.freeze({
        client: stay.client,
        session: stay.session,
        status: stay.status,
        since: stay.since,
        documents: [...stay.cursors.keys()],
        typing: [...stay.typing.keys()],
      }),
    );
    const status = LIVELIEST.find((one) => places.some((place) => place.status === one)) ?? "idle";
    const role = this.#members.get(user) ?? this.everyone;
    const isMe = user === this.#around.user;
    const initials = initialsOf(looks.name);
    const person: Person = Object.freeze({ user, ...looks, initials, isMe, role, status, places });
    // A cursor that moves within its document changes nothing here: whoever shows people need not look again.
    const shown = this.#people.get(user);
    return shown !== undefined && isSame(person, shown, PERSON_DEPTH) ? shown : person;
  }
}

function stayOf(entry: Frame, until: number): Stay {
  return {
    client: entry.client,
    session: entry.session,
    user: entry.user,
    since: entry.since,
    status: entry.status,
    active: entry.active,
    cursors: new Map(entry.cursors.map((move: Frame) => [move.document, move.at])),
    typing: new Map(entry.typing.map((document: string | null) => [document, until])),
  };
}

function joinedStay(event: Frame): Stay {
  return {
    client: event.client,
    session: event.session,
    user: event.actor,
    since: event.at,
    status: "idle",
    active: event.at,
    cursors: new Map(),
    typing: new Map(),
  };
}

/** The first letters of the first and the last word, as one sees them. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== "");
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return ends.map((word) => [...word][0]!.toLocaleUpperCase()).join("");
}
