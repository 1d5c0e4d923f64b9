/** The room's activity and figures, which are told while somebody looks. */

import { describe, expect, test, vi } from "vitest";
import type { Frame } from "../src/requests.ts";
import type { ActivityLine } from "../src/types.ts";
import { Activity, type FindLines, type LinesPage, WatchedStatistics } from "../src/watched.ts";
import { settled, ToldRoom, watch } from "./told-room.ts";

function line(id: number, fields: Partial<ActivityLine> = {}): ActivityLine {
  return {
    room: "room",
    id,
    changed: id,
    kind: "edit",
    user: "ben-k",
    document: "main.md",
    message: null,
    at: id,
    until: id,
    text: "",
    details: {},
    line: "edited main.md",
    ...fields,
  };
}

/** Pages of a room's past: lines at every id from 1 to `until`, newest first, read when the log was there. */
function past(until: number) {
  return vi.fn<FindLines>(async (before, limit) => {
    const newest = Math.min(before === null ? until : before - 1, until);
    const length = Math.max(0, Math.min(limit, newest));
    return { lines: Array.from({ length }, (_, at) => line(newest - at)), position: until };
  });
}

function open(find: FindLines = past(0)) {
  const room = new ToldRoom();
  const activity = room.follow(new Activity(room, find));
  const statistics = room.follow(new WatchedStatistics(room));
  const news = (...lines: ActivityLine[]) => room.hear({ type: "activity", position: 500, lines });
  const ids = () => activity.getSnapshot().lines.map(({ id }) => id);
  return { room, activity, statistics, news, ids };
}

const subscriptions = (room: ToldRoom) =>
  room.sent("subscribe").map(({ to, after }) => (after === undefined ? [to] : [to, after]));

describe("the room's activity", () => {
  test("is neither asked for nor heard while nobody looks", async () => {
    const find = past(10);
    const { room, news, ids } = open(find);
    room.welcome();
    news(line(1));
    room.pass(60_000);
    await settled();
    expect(subscriptions(room)).toEqual([]);
    expect(find).not.toHaveBeenCalled();
    expect(ids()).toEqual([]);
  });

  test("is subscribed once for all who look, until the last has gone", async () => {
    const { room, activity } = open();
    room.welcome();
    const [one, other] = [watch(activity), watch(activity)];
    expect(subscriptions(room)).toEqual([["activity"]]);
    one.end();
    expect(room.sent("unsubscribe")).toEqual([]);
    other.end();
    expect(room.sent("unsubscribe")).toMatchObject([{ to: "activity" }]);
    room.pass(60_000);
    expect(subscriptions(room)).toEqual([]);
  });

  test("shows the newest first, and what is told live among it", async () => {
    const { room, activity, news, ids } = open(past(3));
    room.welcome();
    const { seen } = watch(activity);
    await settled();
    news(line(5), line(4));
    expect(ids()).toEqual([5, 4, 3, 2, 1]);
    expect(seen.at(-1)!.lines).toHaveLength(5);
  });

  test("shows a line as it stands when it comes again, and not as it was when that comes late", async () => {
    const { room, activity, news } = open();
    room.welcome();
    watch(activity);
    news(line(7, { changed: 9, text: "two edits" }));
    news(line(7, { changed: 7, text: "one edit" }));
    expect(activity.getSnapshot().lines.map(({ text }) => text)).toEqual(["two edits"]);
    const before = activity.getSnapshot();
    news(line(7, { changed: 12, text: "three edits" }));
    expect(activity.getSnapshot().lines.map(({ text }) => text)).toEqual(["three edits"]);
    expect(before.lines.map(({ text }) => text)).toEqual(["two edits"]);
  });

  test("shows a line with its words when these were not there yet", async () => {
    const { activity, news } = open();
    watch(activity);
    news(line(1, { line: "said something" }));
    news(line(1, { line: "said: hello" }));
    expect(activity.getSnapshot().lines.map((shown) => shown.line)).toEqual(["said: hello"]);
  });

  test("goes on from where it was told up to, over a new socket and for who looks again", async () => {
    const { room, activity, news } = open();
    room.welcome();
    const first = watch(activity);
    room.answer(room.sent("subscribe")[0]!);
    news(line(20, { changed: 31 }), line(22));
    room.cut();
    room.welcome({ resumed: true });
    expect(subscriptions(room)).toEqual([["activity", 500]]);
    first.end();
    watch(activity);
    expect(subscriptions(room)).toEqual([["activity", 500]]);
  });

  test("misses nothing between the page that was read first and the subscription", async () => {
    const { room, activity } = open(past(8));
    watch(activity); // before there is a connection
    await settled();
    room.welcome();
    expect(subscriptions(room)).toEqual([["activity", 8]]);
  });

  test("misses nothing when the page is read while it is subscribed already", async () => {
    const { room, activity } = open(past(8));
    room.welcome();
    watch(activity);
    expect(subscriptions(room)).toEqual([["activity"]]);
    await settled();
    expect(subscriptions(room)).toEqual([["activity", 8]]);
  });

  test("asks again when the server is busy, and when it says nothing", async () => {
    const { room, activity } = open();
    room.welcome();
    watch(activity);
    await settled();
    const first = room.sent("subscribe").at(-1); // behind the page, which has come
    room.answer(first!, { type: "error", code: "E_STORE", message: "wait", retry_after: 1 });
    room.pass(900);
    expect(subscriptions(room)).toEqual([]);
    room.pass(200);
    expect(subscriptions(room)).toHaveLength(1);
    room.pass(5_000);
    const [again] = room.sent("subscribe");
    room.answer(again!);
    room.pass(60_000);
    expect(subscriptions(room)).toEqual([]);
  });
});

describe("older lines", () => {
  test("come page by page, and it is shown that they are coming", async () => {
    const find = past(120);
    const { room, activity, ids } = open(find);
    room.welcome();
    const { seen } = watch(activity);
    room.settle();
    expect(seen.at(-1)!.isLoading).toBe(true);
    await settled();
    expect(activity.getSnapshot()).toMatchObject({ isLoading: false, hasOlder: true });
    expect(ids()).toHaveLength(50);
    const loading = activity.loadOlder();
    expect(activity.loadOlder()).toBe(loading);
    await loading;
    await activity.loadOlder();
    await activity.loadOlder();
    expect(ids()).toEqual(Array.from({ length: 120 }, (_, at) => 120 - at));
    expect(activity.getSnapshot().hasOlder).toBe(false);
    expect(find.mock.calls.map(([before]) => before)).toEqual([null, 71, 21]);
  });

  test("have no hole where something is folded into one of long ago", async () => {
    const { room, activity, news, ids } = open(past(120));
    room.welcome();
    watch(activity);
    await settled();
    news(line(5, { changed: 130, text: "a run that has ended" }));
    expect(ids().at(-1)).toBe(71);
    await activity.loadOlder();
    expect(ids().at(-1)).toBe(21);
    await activity.loadOlder();
    expect(ids()).toEqual(Array.from({ length: 120 }, (_, at) => 120 - at));
    expect(activity.getSnapshot().lines.find(({ id }) => id === 5)!.text).toBe("a run that has ended");
  });

  test("that did not come at first come with the connection", async () => {
    const find = past(3);
    find.mockRejectedValueOnce(new Error("no network"));
    const { room, activity, ids } = open(find);
    watch(activity);
    await settled();
    expect(activity.getSnapshot()).toMatchObject({ isLoading: false, hasOlder: true });
    room.welcome();
    await settled();
    expect(ids()).toEqual([3, 2, 1]);
  });

  test("that one has asked for are refused to who has asked", async () => {
    const find = past(120);
    const { room, activity } = open(find);
    room.welcome();
    watch(activity);
    await settled();
    find.mockRejectedValueOnce(new Error("no network"));
    await expect(activity.loadOlder()).rejects.toThrow("no network");
    expect(activity.getSnapshot().isLoading).toBe(false);
    await activity.loadOlder();
    expect(activity.getSnapshot().lines).toHaveLength(100);
  });

  test("of another log take the place of all that were here, whatever was still on its way", async () => {
    let answer!: (page: LinesPage) => void;
    const find = vi.fn<FindLines>(past(3));
    const { room, activity, ids } = open(find);
    room.welcome();
    watch(activity);
    await settled();
    room.cut();
    find.mockReturnValueOnce(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    room.welcome({ epoch: "e2" });
    expect(subscriptions(room).at(-1)).toEqual(["activity"]);
    room.cut();
    room.welcome({ epoch: "e3" });
    answer({ lines: [line(99)], position: 99 });
    await settled();
    await settled();
    expect(ids()).toEqual([3, 2, 1]);
  });
});

describe("the room's figures", () => {
  const figures = (position: number, edits: number): Frame => ({
    type: "statistics",
    position,
    day: { totals: { edits } },
    ever: { totals: { edits: edits + 100 } },
  });

  test("are asked for from the beginning, since a quiet room tells nothing new", () => {
    const { room, statistics } = open();
    room.welcome();
    watch(statistics);
    expect(subscriptions(room)).toEqual([["statistics", 0]]);
  });

  test("are nothing until they have come, and then the newest", () => {
    const { room, statistics } = open();
    room.welcome();
    const { seen } = watch(statistics);
    expect(statistics.getSnapshot()).toBeNull();
    room.hear(figures(11, 1));
    room.hear(figures(12, 2));
    expect(seen.map((shown) => shown!.day.totals)).toEqual([{ edits: 1 }, { edits: 2 }]);
    const { type: _, ...newest } = figures(12, 2);
    expect(statistics.getSnapshot()).toEqual(newest);
  });

  test("stay when the connection is lost, and go on from there", () => {
    const { room, statistics } = open();
    room.welcome();
    watch(statistics);
    room.hear(figures(11, 1));
    room.cut();
    expect(statistics.getSnapshot()).not.toBeNull();
    room.welcome({ resumed: true });
    expect(subscriptions(room).at(-1)).toEqual(["statistics", 11]);
  });

  test("are not heard when nobody looks any more", () => {
    const { room, statistics } = open();
    room.welcome();
    const { end } = watch(statistics);
    end();
    expect(room.sent("unsubscribe")).toMatchObject([{ to: "statistics" }]);
    room.hear(figures(11, 1));
    expect(statistics.getSnapshot()).toBeNull();
  });

  test("of another log are forgotten, and asked for from its beginning", () => {
    const { room, statistics } = open();
    room.welcome();
    watch(statistics);
    room.hear(figures(11, 1));
    room.cut();
    room.welcome({ epoch: "e2" });
    expect(statistics.getSnapshot()).toBeNull();
    expect(subscriptions(room).at(-1)).toEqual(["statistics", 0]);
  });
});
