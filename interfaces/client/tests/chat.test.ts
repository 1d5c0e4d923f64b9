/** The chat of a room, as frames tell it and as one takes part in it. */

import { describe, expect, test, vi } from "vitest";
import { Chat, type MessagesPage, type MessagesReader } from "../src/chat.ts";
import { Presence } from "../src/presence.ts";
import type { Frame } from "../src/requests.ts";
import type { ChatMessage } from "../src/types.ts";
import { BEN, ME, messageSaid, settled, ToldRoom, watch } from "./told-room.ts";

/** Pages of a room's past, of messages at every position from 1 to `until`. */
function past(until: number) {
  const read = (before: number, limit: number): MessagesPage => {
    const first = Math.max(1, before - limit);
    const messages = Array.from({ length: Math.max(0, before - first) }, (_, at) => older(first + at));
    return { messages, older: first > 1 ? first : null };
  };
  return {
    before: vi.fn(async (position: number, limit: number) => read(Math.min(position, until + 1), limit)),
    around: vi.fn(async (message: string, limit: number) =>
      read(Number(message.slice(1)) + Math.floor(limit / 2), limit),
    ),
  };
}

/** What HTTP tells of the message at a position. */
function older(position: number, fields: Frame = {}): ChatMessage {
  const { event: _, ...message } = messageSaid(`m${position}`, { position, ...fields });
  return message as ChatMessage;
}

function open(welcome: Frame = {}, reader: MessagesReader = past(0)) {
  const room = new ToldRoom();
  const presence = room.follow(new Presence(room, async () => new Map()));
  const chat = room.follow(new Chat(room, presence, reader));
  const { commands } = room.session;
  commands.onChange = () => chat.onCommands(commands.waiting, commands.isFirstSent);
  room.welcome(welcome);
  const message = (name: string) => chat.getSnapshot().messages.find((found) => found.message === name)!;
  const names = () => chat.getSnapshot().messages.map((found) => found.message);
  return { room, chat, message, names };
}

/** The last messages of a room as a welcome tells them, at positions from `first` to `last`. */
const lastOnes = (first: number, last: number): Frame[] =>
  Array.from({ length: last - first + 1 }, (_, at) =>
    messageSaid(`m${first + at}`, { position: first + at, actor: BEN, at: 5 }),
  );

describe("messages", () => {
  test("stand in the order of the log, without what only an event has", () => {
    const { room, chat } = open({ messages: lastOnes(3, 4) });
    room.tell(messageSaid("new"));
    expect(chat.getSnapshot().messages.map(({ message, position }) => [message, position])).toEqual([
      ["m3", 3],
      ["m4", 4],
      ["new", 11],
    ]);
    expect(chat.getSnapshot().messages[2]).toEqual(older(11, { message: "new", text: "the text of new" }));
  });

  test("tell what becomes of them", () => {
    const { room, message } = open();
    room.tell(messageSaid("m", { reactions: { "👍": ["zoe"] } }));
    const change = (event: string, fields: Frame = {}) =>
      room.tell({ event, message: "m", actor: BEN, at: 70, ...fields });
    change("message_edited", { text: "better, @zoe", mentions: ["zoe"] });
    change("message_edited", { text: "best", mentions: [], at: 71 });
    expect(message("m")).toMatchObject({ text: "best", mentions: [], edits: 2, edited: 71, deleted: null });
    change("message_pinned");
    expect(message("m").pinned).toBe(70);
    change("message_unpinned");
    expect(message("m").pinned).toBeNull();
    change("reaction_added", { emoji: "👍" });
    change("reaction_added", { emoji: "👍" });
    change("reaction_added", { emoji: "🎉" });
    expect(message("m").reactions).toEqual({ "👍": ["zoe", BEN], "🎉": [BEN] });
    change("reaction_removed", { emoji: "👍" });
    change("reaction_removed", { emoji: "🎉" });
    expect(message("m").reactions).toEqual({ "👍": ["zoe"] });
    change("message_pinned");
    change("message_deleted", { at: 80 });
    expect(message("m")).toMatchObject({ text: "", mentions: [], pinned: null, deleted: 80, edits: 2 });
  });

  test("are new objects when something becomes of them, and those handed out stay as they were", () => {
    const { room, chat } = open({ messages: lastOnes(1, 2) });
    const before = chat.getSnapshot();
    const copy = structuredClone(before);
    room.tell({ event: "reaction_added", message: "m2", emoji: "👍" });
    const after = chat.getSnapshot();
    expect(before).toEqual(copy);
    expect(after.messages[0]).toBe(before.messages[0]);
    expect(after.messages[1]).not.toBe(before.messages[1]);
    expect(Object.isFrozen(after.messages[1])).toBe(true);
  });

  test("are told of only when something has changed", () => {
    const { room, chat } = open({
      messages: lastOnes(1, 2),
      receipts: [{ user: BEN, delivered: 2, read: 1 }],
    });
    const { seen } = watch(chat);
    room.tell({ event: "reaction_added", message: "long-ago", emoji: "👍" });
    room.tell({ event: "receipts", receipts: [{ user: BEN, delivered: 1, read: 1 }] });
    room.tell({ event: "room_renamed", title: "Other" });
    void room.command({ type: "save_revision", document: "main.md", revision: 1 });
    room.settle();
    expect(seen).toEqual([]);
    room.tell(messageSaid("m"));
    expect(seen).toHaveLength(1);
  });

  test("begin anew with a welcome that does not go on where we were", () => {
    const { room, chat, names } = open({ messages: lastOnes(1, 2) });
    room.cut();
    room.welcome({ messages: lastOnes(100, 149), position: 149 });
    expect(names()).toEqual(lastOnes(100, 149).map(({ message }) => message));
    expect(chat.getSnapshot().hasOlder).toBe(true);
    room.cut();
    room.welcome({ resumed: true, messages: [] });
    expect(names()).toHaveLength(50);
  });
});

describe("older messages", () => {
  test("come page by page, until there are none", async () => {
    const reader = past(60);
    const { room, chat, names } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    const { seen } = watch(chat);
    const loading = chat.loadOlder();
    expect(chat.loadOlder()).toBe(loading); // who scrolls on asks once
    room.settle();
    expect(seen.at(-1)!.isLoadingOlder).toBe(true);
    await loading;
    expect(seen.at(-1)).toMatchObject({ isLoadingOlder: false, hasOlder: true });
    await chat.loadOlder();
    expect(names()).toEqual(Array.from({ length: 110 }, (_, at) => `m${at + 1}`));
    expect(chat.getSnapshot().hasOlder).toBe(false);
    await chat.loadOlder();
    expect(reader.before.mock.calls.map(([position]) => position)).toEqual([61, 11]);
  });

  test("can be asked for again when they did not come", async () => {
    const reader = past(60);
    reader.before.mockRejectedValueOnce(new Error("no network"));
    const { chat } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    await expect(chat.loadOlder()).rejects.toThrow("no network");
    expect(chat.getSnapshot()).toMatchObject({ isLoadingOlder: false, hasOlder: true });
    await chat.loadOlder();
    expect(chat.getSnapshot().messages).toHaveLength(100);
  });

  test("are not there when the welcome has told all there are", () => {
    expect(open({ messages: lastOnes(1, 3) }).chat.getSnapshot().hasOlder).toBe(false);
  });

  test("that come when the chat has begun anew leave no hole in it", async () => {
    let answer!: (page: MessagesPage) => void;
    const slow = new Promise<MessagesPage>((resolve) => {
      answer = resolve;
    });
    const reader = past(1_000);
    reader.before.mockReturnValueOnce(slow);
    const { room, chat, names } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    const loading = chat.loadOlder();
    room.cut();
    room.welcome({ messages: lastOnes(951, 1_000), position: 1_000 });
    answer({ messages: [older(60)], older: null });
    await loading;
    expect(names()[0]).toBe("m951");
    expect(chat.getSnapshot().hasOlder).toBe(true);
    await chat.loadOlder();
    expect(names()[0]).toBe("m901");
  });

  test("have what became of them while they were on their way", async () => {
    const reader = past(60);
    const stale = reader.before(61, 50);
    let answer!: () => void;
    reader.before.mockReturnValueOnce(
      new Promise((resolve) => {
        answer = () => stale.then(resolve);
      }),
    );
    const { room, chat, message } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    const loading = chat.loadOlder();
    room.tell(
      { event: "message_deleted", message: "m60", at: 90 },
      { event: "message_edited", message: "m59", text: "new", mentions: [], at: 91 },
      { event: "reaction_added", message: "m59", emoji: "👍" },
    );
    answer();
    await loading;
    expect(message("m60")).toMatchObject({ text: "", deleted: 90 });
    expect(message("m59")).toMatchObject({ text: "new", edits: 1, edited: 91, reactions: { "👍": [BEN] } });
  });

  test("that tell of an edit already count it once", async () => {
    const reader = past(60);
    reader.before.mockImplementationOnce(async () => ({
      messages: [older(60, { text: "new", edits: 1, edited: 91 })],
      older: 60,
    }));
    const { room, chat, message } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    const loading = chat.loadOlder();
    room.tell({ event: "message_edited", message: "m60", text: "new", mentions: [], at: 91 });
    await loading;
    expect(message("m60")).toMatchObject({ text: "new", edits: 1 });
  });

  test("are loaded up to one that is to be shown, with all that lies between", async () => {
    const { chat, names } = open({ messages: lastOnes(961, 1_010), position: 1_010 }, past(960));
    await chat.loadAround("m500");
    expect(names()).toContain("m480");
    const positions = chat.getSnapshot().messages.map(({ position }) => position);
    expect(positions).toEqual(Array.from({ length: positions.length }, (_, at) => positions[0]! + at));
  });

  test("that are here are not asked for", async () => {
    const reader = past(60);
    const { chat } = open({ messages: lastOnes(61, 110), position: 110 }, reader);
    await chat.loadAround("m70");
    expect(reader.around).not.toHaveBeenCalled();
  });

  test("can be very many, and come as long as somebody asks for them", async () => {
    const reader = past(6_960);
    const { room, chat, names } = open({ messages: lastOnes(6_961, 7_010), position: 7_010 }, reader);
    await chat.loadAround("m100");
    expect(names()).toContain("m100");
    expect(reader.before.mock.calls.length).toBeLessThan(200);
    // What is only heard does not pile up.
    const loaded = names().length;
    room.tell(messageSaid("new"), messageSaid("newer"));
    expect(names()).toHaveLength(loaded);
    expect(names().at(-1)).toBe("newer");
    expect(chat.getSnapshot().hasOlder).toBe(true);
  });
});

describe("what one says", () => {
  test("stands there at once, and is a message when the log has it", async () => {
    const { room, chat, message } = open();
    const posted = chat.post("hello", { replyTo: "m1" });
    const [request] = room.sent("post");
    expect(request).toMatchObject({ text: "hello", reply_to: "m1" });
    const id: string = request!.message;
    expect(chat.getSnapshot().pending).toEqual([
      { message: id, text: "hello", reply_to: "m1", link: null, state: "sent", why: "" },
    ]);
    room.tell(messageSaid(id, { actor: ME, author: ME, client: "ada", text: "hello" }));
    expect(chat.getSnapshot().pending).toEqual([]);
    expect(message(id).text).toBe("hello");
    await expect(posted).resolves.toBe(id);
  });

  test("is sent in its order, one after the other", async () => {
    const { room, chat } = open();
    void chat.post("one");
    void chat.post("two");
    const states = () => chat.getSnapshot().pending.map(({ text, state }) => [text, state]);
    expect(states()).toEqual([
      ["one", "sent"],
      ["two", "local"],
    ]);
    const [first, ...others] = room.sent("post");
    expect(others).toEqual([]);
    room.answer(first!);
    await settled();
    expect(states()).toEqual([["two", "sent"]]);
    expect(room.sent("post").map(({ text }) => text)).toEqual(["two"]);
  });

  test("waits while there is no connection, and is sent with the same id over the next", async () => {
    const { room, chat } = open();
    void chat.post("hello");
    const [before] = room.sent("post");
    room.cut();
    void chat.post("still there?");
    expect(chat.getSnapshot().pending.map(({ text }) => text)).toEqual(["hello", "still there?"]);
    room.welcome({ resumed: true });
    const [again] = room.sent("post");
    expect(again).toEqual({ ...before, ref: again!.ref });
    room.answer(again!);
    await settled();
    expect(chat.getSnapshot().pending.map(({ text }) => text)).toEqual(["still there?"]);
  });

  test("that was refused stays until it is said again or dropped", async () => {
    const { room, chat } = open();
    const link = { document: "main.md", revision: 4, start: 0, end: 2 };
    const refusal = { type: "error", code: "E_FORBIDDEN", message: "you may only read" };
    const posted = chat.post("hello", { link });
    const [first] = room.sent("post");
    room.answer(first!, refusal);
    await expect(posted).rejects.toMatchObject({ code: "E_FORBIDDEN" });
    const [pending] = chat.getSnapshot().pending;
    expect(pending).toMatchObject({ text: "hello", state: "refused", why: "you may only read", link });

    room.pass(1_000);
    chat.retry(pending!.message);
    expect(chat.getSnapshot().pending).toMatchObject([{ text: "hello", why: "" }]);
    const [again] = room.sent("post");
    expect(again).toEqual({ ...first, ref: again!.ref });
    chat.drop(pending!.message); // it is on its way: too late
    expect(chat.getSnapshot().pending).toHaveLength(1);
    room.answer(again!, refusal);
    await settled();
    const { seen } = watch(chat);
    chat.drop(pending!.message);
    expect(seen.map((shown) => shown.pending)).toEqual([[]]);
  });

  test("changes what was said: edits, deletions, reactions and pins, done when the server says so", async () => {
    const { room, chat } = open({ messages: lastOnes(1, 1) });
    const asked = async (done: Promise<void>, type: string) => {
      const [request] = room.sent(type);
      room.answer(request!);
      await done;
      const { ref: _, ...fields } = request!;
      return fields;
    };
    const message = "m1";
    expect(await asked(chat.edit(message, "new"), "edit_message")).toEqual({
      type: "edit_message",
      message,
      text: "new",
    });
    const reacted = { type: "react", message, emoji: "👍", reacted: false };
    expect(await asked(chat.react(message, "👍", false), "react")).toEqual(reacted);
    const pinned = { type: "pin_message", message, pinned: true };
    expect(await asked(chat.pin(message, true), "pin_message")).toEqual(pinned);
    expect(await asked(chat.delete(message), "delete_message")).toEqual({ type: "delete_message", message });
  });
});

describe("reading", () => {
  test("counts what others have said behind one's pointer and not deleted", () => {
    const { room, chat } = open({
      messages: lastOnes(1, 4),
      receipts: [{ user: ME, delivered: 4, read: 2 }],
    });
    const unread = () => chat.getSnapshot().unread;
    expect(unread()).toBe(2);
    room.tell(messageSaid("mine", { author: ME, actor: ME, client: "ada" }));
    expect(unread()).toBe(2);
    room.tell({ event: "message_deleted", message: "m4" });
    expect(unread()).toBe(1);
    chat.read("m3");
    expect(unread()).toBe(0);
    room.tell(messageSaid("new"));
    expect(unread()).toBe(1);
    chat.read();
    expect(unread()).toBe(0);
  });

  test("says that messages have come, and in one frame that they were read", () => {
    const { room, chat } = open({ messages: lastOnes(1, 4) });
    room.pass(50);
    chat.read();
    room.pass(100);
    expect(room.sent("receipt")).toMatchObject([{ delivered: 4, read: 4 }]);
  });

  test("is said no more than once a second, and up to the last", () => {
    const { room, chat } = open();
    const receipts: Frame[] = [];
    for (let at = 0; at < 20; at++) {
      room.tell(messageSaid(`m${at}`));
      chat.read();
      room.pass(100);
      for (const receipt of room.sent("receipt")) {
        receipts.push(receipt);
        room.answer(receipt);
      }
    }
    room.pass(2_000);
    receipts.push(...room.sent("receipt"));
    expect(receipts.length).toBeGreaterThan(1);
    expect(receipts.length).toBeLessThanOrEqual(4);
    expect(receipts.at(-1)).toMatchObject({ read: 30, delivered: 30 });
  });

  test("is said again until it is answered, over a new socket as well", () => {
    const { room, chat } = open({ messages: lastOnes(1, 4) });
    chat.read();
    room.pass(200);
    expect(room.sent("receipt")).toHaveLength(1);
    room.pass(6_000);
    const [again] = room.sent("receipt");
    expect(again).toMatchObject({ read: 4 });
    room.cut();
    room.welcome({ resumed: true });
    room.pass(2_000);
    const [last] = room.sent("receipt");
    room.answer(last!);
    room.pass(60_000);
    expect(room.sent("receipt")).toEqual([]);
  });

  test("that the server is too busy for is said later", () => {
    const { room, chat } = open({ messages: lastOnes(1, 4) });
    chat.read();
    room.pass(200);
    const [first] = room.sent("receipt");
    room.answer(first!, { type: "error", code: "E_BUSY", message: "behind", retry_after: 2 });
    room.pass(1_900);
    expect(room.sent("receipt")).toEqual([]);
    room.pass(200);
    expect(room.sent("receipt")).toMatchObject([{ read: 4 }]);
  });

  test("at another place of ours counts here, and is not said again", () => {
    const { room, chat } = open({ messages: lastOnes(1, 4) });
    room.tell({ event: "receipts", receipts: [{ user: ME, delivered: 4, read: 4 }] });
    expect(chat.getSnapshot().unread).toBe(0);
    room.pass(5_000);
    expect(room.sent("receipt")).toEqual([]);
  });

  test("of others never goes back, and tells who has read a message", () => {
    const { room, chat } = open({
      messages: lastOnes(1, 4),
      receipts: [{ user: "zoe", delivered: 4, read: 3 }],
    });
    room.tell({
      event: "receipts",
      receipts: [
        { user: "zoe", delivered: 2, read: 2 },
        { user: BEN, delivered: 4, read: 4 },
        { user: "eve", delivered: 4, read: 1 },
      ],
    });
    expect(chat.getSnapshot().pointers.get("zoe")).toEqual({ delivered: 4, read: 3 });
    expect(chat.readersOf("m3")).toEqual(["zoe"]); // Ben has said it
    expect(chat.readersOf("m1").toSorted()).toEqual(["eve", "zoe"]);
    expect(chat.readersOf("unknown")).toEqual([]);
  });

  test("begins anew with another log", () => {
    const { room, chat } = open({
      messages: lastOnes(1, 4),
      receipts: [{ user: ME, delivered: 9, read: 9 }],
    });
    room.cut();
    room.welcome({ epoch: "e2", messages: lastOnes(1, 2), receipts: [{ user: BEN, delivered: 1, read: 1 }] });
    expect(chat.getSnapshot().unread).toBe(2);
    expect([...chat.getSnapshot().pointers.keys()]).toEqual([BEN]);
  });
});

describe("typing in the chat", () => {
  test("is told as a sign without a document", () => {
    const { room, chat } = open();
    chat.setTyping(true);
    chat.setTyping(false);
    expect(room.sent("typing")).toMatchObject([{ typing: true }, { typing: false }]);
  });

  test("is told anew by who writes on after they have said something", () => {
    const { room, chat } = open();
    chat.setTyping(true);
    void chat.post("hello"); // for the others it ends the sign
    chat.setTyping(true);
    expect(room.sent("typing").filter(({ typing }) => typing)).toHaveLength(2);
  });
});
