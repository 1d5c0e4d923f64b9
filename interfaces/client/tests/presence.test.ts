/** Who is in the room, as frames tell it. */

import { describe, expect, test, vi } from "vitest";
import { type FindLooks, initialsOf, Presence } from "../src/presence.ts";
import type { Frame } from "../src/requests.ts";
import type { Looks } from "../src/types.ts";
import { inTestTime, wait } from "./model-room.ts";
import { BEN, ME, ToldRoom, watch } from "./told-room.ts";

const GREY = "#808080";
const looksLike = (name: string): Looks => ({ name, colour: "#336699", avatar: "" });

function open(welcome: Frame = {}, findLooks: FindLooks = async () => new Map()) {
  const room = new ToldRoom();
  const presence = room.follow(new Presence(room, findLooks));
  room.welcome(welcome);
  const person = (user: string) => presence.getSnapshot().people.find((found) => found.user === user);
  return { room, presence, person };
}

const stay = (client: string, user: string, fields: Frame = {}): Frame => ({
  client,
  session: `s-${client}`,
  user,
  since: 1,
  status: "idle",
  active: 1,
  cursors: [],
  typing: [],
  ...fields,
});

const joined = (client: string, user: string, fields: Frame = {}): Frame => ({
  event: "joined",
  actor: user,
  client,
  session: `s-${client}`,
  ...looksLike(user),
  ...fields,
});

const shown = (fields: Frame): Frame => ({ type: "presence", position: 1, moves: [], typing: [], ...fields });
const move = (client: string, document: string, fields: Frame = {}): Frame => ({
  client,
  document,
  revision: 1,
  anchor: 0,
  head: 0,
  at: 5,
  ...fields,
});
const sign = (client: string, document: string | null, typing = true): Frame => ({
  client,
  document,
  typing,
  at: 5,
});

describe("presence", () => {
  test("shows oneself first, then the others by name, each once with all their places", () => {
    const { room, presence } = open();
    room.tell(joined("z", "zoe"), joined("ada", ME), joined("phone", BEN, { session: "s-phone" }));
    const { people } = presence.getSnapshot();
    expect(people.map(({ user, isMe, places }) => [user, isMe, places.map(({ client }) => client)])).toEqual([
      [ME, true, ["ada"]],
      [BEN, false, ["ben", "phone"]],
      ["zoe", false, ["z"]],
    ]);
    expect(people[1]).toMatchObject({ name: "Ben", initials: "B", colour: "#1d920c", role: "owner" });
  });

  test("forgets a place with its session, not with the client that has come back", () => {
    const { room, person } = open();
    room.tell(joined("ben", BEN, { session: "s-ben-2" }));
    room.tell({ event: "left", client: "ben", session: "s-ben", reason: "superseded" });
    expect(person(BEN)!.places.map(({ session }) => session)).toEqual(["s-ben-2"]);
    room.tell({ event: "left", client: "ben", session: "s-ben-2", reason: "left" });
    expect(person(BEN)).toBeUndefined();
  });

  test("takes a welcome in the place of all that was known", () => {
    const { room, presence, person } = open();
    room.tell(joined("z", "zoe"), { event: "role_changed", user: BEN, role: "viewer" });
    expect(person(BEN)!.role).toBe("viewer");
    room.cut();
    room.welcome({ resumed: true, roster: [stay("ben", BEN, { status: "editing" })] });
    expect(presence.getSnapshot().people.map(({ user }) => user)).toEqual([BEN]);
    expect(person(BEN)).toMatchObject({ status: "editing", role: "owner" });
  });

  test("shows the liveliest of a person's places", () => {
    const { room, person } = open();
    const says = (client: string, status: string) =>
      room.tell({ event: "status", client, session: `s-${client}`, status });
    room.tell(joined("phone", BEN));
    says("ben", "away");
    expect(person(BEN)!.status).toBe("idle");
    says("phone", "running");
    expect(person(BEN)!.status).toBe("running");
    says("ben", "editing");
    expect(person(BEN)!.status).toBe("editing");
  });

  test("knows everybody's role, and the one that who is no member has", () => {
    const { room, presence, person } = open({ room: { id: "room", title: "Room", everyone: "viewer" } });
    room.tell(joined("z", "zoe"));
    expect(person("zoe")!.role).toBe("viewer");
    room.tell({ event: "access_changed", everyone: "commenter" });
    expect(person("zoe")!.role).toBe("commenter");
    room.tell({ event: "member_added", user: "zoe", role: "editor" });
    expect(person("zoe")!.role).toBe("editor");
    expect(presence.getSnapshot().members.get("zoe")).toBe("editor");
    room.tell({ event: "member_removed", user: "zoe" });
    expect(person("zoe")!.role).toBe("commenter");
    room.tell({ event: "access_changed", everyone: null });
    expect(person("zoe")!.role).toBeNull();
  });

  test("shows how people look now, whatever they looked like when they came", () => {
    const { room, person } = open();
    room.tell({ event: "profile", user: BEN, name: "Benjamin Kay", colour: "#000000", avatar: "" });
    room.tell(joined("phone", BEN, { name: "Ben of old" }));
    expect(person(BEN)).toMatchObject({ name: "Benjamin Kay", initials: "BK", colour: "#000000" });
  });

  test("says where somebody's cursors are, the newest last", () => {
    const { room, person } = open();
    const documents = () => person(BEN)!.places[0]!.documents;
    room.hear(shown({ moves: [move("ben", "a.md"), move("ben", "b.md")] }));
    expect(documents()).toEqual(["a.md", "b.md"]);
    room.hear(shown({ moves: [move("ben", "a.md", { at: 6 })] }));
    expect(documents()).toEqual(["b.md", "a.md"]);
    room.hear(shown({ moves: [move("ben", "a.md", { anchor: null, head: null, at: 7 })] }));
    expect(documents()).toEqual(["b.md"]);
  });

  test("tells nobody that a cursor has moved within its document", () => {
    const { room, presence, person } = open();
    room.hear(shown({ moves: [move("ben", "a.md")] }));
    const before = presence.getSnapshot();
    const { seen } = watch(presence);
    room.hear(shown({ moves: [move("ben", "a.md", { anchor: 7, head: 9, at: 6 })] }));
    expect(seen).toEqual([]);
    expect(presence.getSnapshot()).toBe(before);
    room.hear(shown({ moves: [move("ben", "b.md", { at: 7 })] }));
    expect(seen).toHaveLength(1);
    expect(person(BEN)!.places[0]!.documents).toEqual(["a.md", "b.md"]);
  });

  test("keeps what it shows of a person while only another one changes", () => {
    const { room, person } = open();
    room.tell(joined("z", "zoe"));
    const zoe = person("zoe");
    const ben = person(BEN);
    room.tell({ event: "status", client: "ben", session: "s-ben", status: "away" });
    expect(person(BEN)).not.toBe(ben);
    expect(person("zoe")).toBe(zoe);
  });

  test("changes nothing in what it has handed out", () => {
    const { room, presence } = open();
    const before = presence.getSnapshot();
    const copy = structuredClone(before);
    room.tell(joined("z", "zoe"), { event: "member_added", user: "zoe", role: "editor" });
    room.tell({ event: "profile", user: BEN, ...looksLike("Someone") });
    room.hear(shown({ moves: [move("ben", "a.md")], typing: [sign("ben", null)] }));
    expect(before).toEqual(copy);
    expect(presence.getSnapshot()).not.toEqual(copy);
    expect(Object.isFrozen(presence.getSnapshot().people[0])).toBe(true);
  });
});

describe("a sign of typing", () => {
  test("holds for as long as the server says, and longer when it is given again", () => {
    const { room, presence, person } = open({ limits: { typing_seconds: 6 } });
    room.hear(shown({ typing: [sign("ben", null), sign("ben", "a.md")] }));
    expect(presence.getSnapshot().typing).toEqual([BEN]);
    expect(person(BEN)!.places[0]!.typing).toEqual([null, "a.md"]);
    const { seen } = watch(presence);
    room.pass(5_000);
    room.hear(shown({ typing: [sign("ben", null)] }));
    expect(seen).toEqual([]);
    room.pass(1_500);
    expect(person(BEN)!.places[0]!.typing).toEqual([null]);
    room.pass(5_000);
    expect(presence.getSnapshot().typing).toEqual([]);
    expect(seen).toHaveLength(2);
  });

  test("of a welcome holds as long as one that has just been given", () => {
    const { room, presence } = open({ roster: [stay("ben", BEN, { typing: [null] })] });
    room.pass(9_999);
    expect(presence.getSnapshot().typing).toEqual([BEN]);
    room.pass(1);
    expect(presence.getSnapshot().typing).toEqual([]);
  });

  test("ends when its client says so, has said it, or has left", () => {
    const { room, presence } = open();
    const types = () => room.hear(shown({ typing: [sign("ben", null)] }));
    const typing = () => presence.getSnapshot().typing;
    types();
    room.hear(shown({ typing: [sign("ben", null, false)] }));
    expect(typing()).toEqual([]);
    types();
    room.tell({ event: "message", message: "m", client: "ben", author: BEN, mentions: [] });
    expect(typing()).toEqual([]);
    types();
    room.tell({ event: "left", client: "ben", session: "s-ben", reason: "lost" });
    expect(typing()).toEqual([]);
  });

  test("of our own is not shown to us", () => {
    const { room, presence } = open();
    room.tell(joined("ada", ME));
    room.hear(shown({ typing: [sign("ada", null)] }));
    expect(presence.getSnapshot().typing).toEqual([]);
  });

  test("of our own is given every few seconds, not for every key, and taken back once", () => {
    const { room, presence } = open();
    const signs = () => room.sent("typing").map(({ typing, document }) => [typing, document ?? null]);
    for (let key = 0; key < 10; key++) {
      presence.type(null, true);
      room.pass(100);
    }
    presence.type("a.md", true);
    expect(signs()).toEqual([
      [true, null],
      [true, "a.md"],
    ]);
    room.pass(3_500);
    presence.type(null, true);
    expect(signs()).toEqual([[true, null]]);
    presence.type(null, false);
    presence.type(null, false);
    expect(signs()).toEqual([[false, null]]);
  });

  test("of our own is given again over a new socket", () => {
    const { room, presence } = open();
    presence.type(null, true);
    expect(room.sent("typing")).toHaveLength(1);
    room.cut();
    presence.type(null, true);
    expect(room.sent("typing")).toEqual([]);
    room.welcome();
    presence.type(null, true);
    expect(room.sent("typing")).toHaveLength(1);
  });
});

describe("what one declares", () => {
  test("is said at once, and again to every server that one comes to, until it is taken back", () => {
    const { room, presence } = open();
    const said = () => room.sent("status").map(({ status }) => status);
    presence.declare("away");
    expect(said()).toEqual(["away"]);
    room.cut();
    room.welcome();
    expect(said()).toEqual(["away"]);
    room.cut();
    presence.declare("running");
    expect(said()).toEqual([]);
    room.welcome();
    expect(said()).toEqual(["running"]);
    presence.declare(null);
    room.cut();
    room.welcome();
    expect(said()).toEqual([]);
  });
});

describe("how somebody looks of whom nothing was heard", () => {
  inTestTime();

  test("is asked for all of them at once, and each once", async () => {
    const find = vi.fn<FindLooks>(
      async (users) => new Map(users.map((user) => [user, looksLike(`Dr ${user}`)])),
    );
    const { presence } = open({}, find);
    const { seen } = watch(presence);
    expect(presence.looksOf("eve")).toEqual({ name: "eve", colour: GREY, avatar: "" });
    presence.looksOf("eve");
    presence.looksOf("finn");
    expect(presence.looksOf(BEN).name).toBe("Ben");
    presence.looksOf("@server");
    await wait(60);
    expect(find.mock.calls).toEqual([[["eve", "finn"]]]);
    expect(presence.looksOf("eve").name).toBe("Dr eve");
    expect(seen).toHaveLength(1);
    expect(presence.getSnapshot().looks.get("finn")!.name).toBe("Dr finn");
  });

  test("is asked for no more of them at once than the server takes", async () => {
    const find = vi.fn<FindLooks>(async () => new Map());
    const { presence } = open({}, find);
    for (let user = 0; user < 120; user++) presence.looksOf(`user-${user}`);
    await wait(500);
    expect(find.mock.calls.map(([users]) => users.length)).toEqual([50, 50, 20]);
    presence.looksOf("user-7"); // the server does not know them
    await wait(500);
    expect(find).toHaveBeenCalledTimes(3);
  });

  test("is asked for again when there was no answer", async () => {
    const find = vi.fn<FindLooks>().mockRejectedValueOnce(new Error("no network"));
    find.mockResolvedValueOnce(new Map([["eve", looksLike("Eve")]]));
    const { presence } = open({}, find);
    presence.looksOf("eve");
    await wait(100);
    presence.looksOf("eve");
    await wait(100);
    expect(presence.looksOf("eve").name).toBe("Eve");
  });

  test("is what the room told meanwhile, not what the server's list says a moment late", async () => {
    const { room, presence } = open({}, async () => new Map([["eve", looksLike("Eve of old")]]));
    presence.looksOf("eve");
    room.tell({ event: "profile", user: "eve", ...looksLike("Eve") });
    await wait(100);
    expect(presence.looksOf("eve").name).toBe("Eve");
  });
});

describe("initials", () => {
  test.each([
    ["Ada", "A"],
    ["Ada King Lovelace", "AL"],
    ["  ada   lovelace ", "AL"],
    ["😀 smile", "😀S"],
    ["", ""],
  ])("of %j are %j", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});
