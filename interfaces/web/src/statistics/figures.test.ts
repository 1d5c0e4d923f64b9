import type { Statistics } from "@chronoscribe/client";
import { describe, expect, test } from "vitest";
import { beginOf, byDay, byWeek, localDay, secondsOf, strengthOf, summaryOf } from "./figures.ts";

const NOTHING = {
  messages: 0,
  replies: 0,
  words: 0,
  characters: 0,
  message_edits: 0,
  message_deletions: 0,
  reactions_added: 0,
  reactions_removed: 0,
  document_edits: 0,
  inserted: 0,
  deleted: 0,
  responses: 0,
  response_milliseconds: 0,
};

function day(name: string, messages: number): Statistics["days"][number] {
  return { ...NOTHING, day: name, messages };
}

describe("days", () => {
  test("have no gaps", () => {
    const days = [day("2026-11-21", 2), day("2026-11-23", 1)];
    const { step, counts } = byDay(days, "messages", { from: "2026-11-20", until: "2026-11-24" });
    expect(step).toBe("day");
    expect(counts.map(({ count }) => count)).toEqual([0, 2, 0, 1, 0]);
  });

  test("begin with the first when everything is asked for", () => {
    const { counts } = byDay([day("2026-11-23", 1)], "messages", { from: null, until: "2026-11-24" });
    expect(counts.map(({ key }) => key)).toEqual(["2026-11-23", "2026-11-24"]);
  });

  test("are weeks, or months, when they are many", () => {
    const half = byDay([day("2026-06-01", 1), day("2026-06-07", 2)], "messages", {
      from: null,
      until: "2026-11-24",
    });
    expect(half.step).toBe("week");
    expect(half.counts[0]).toMatchObject({ key: "2026-06-01", count: 3 });
    const years = byDay([day("2023-02-11", 1), day("2023-02-12", 2)], "messages", {
      from: null,
      until: "2026-11-24",
    });
    expect(years.step).toBe("month");
    expect(years.counts[0]).toMatchObject({ key: "2023-02-01", count: 3 });
    expect(years.counts).toHaveLength(46);
  });
});

test("a span has so many days with today", () => {
  const now = new Date(2026, 10, 23, 15);
  expect(localDay(beginOf("7", now)!)).toBe("2026-11-17");
  expect(beginOf("all", now)).toBeNull();
});

test("a week has all its hours", () => {
  const week = byWeek([{ weekday: 7, hour: 23, messages: 3, reactions: 0, document_edits: 0 }], "messages");
  expect(week).toHaveLength(7);
  expect(week[6]?.[23]).toBe(3);
  expect(week.flat().reduce((sum, count) => sum + count)).toBe(3);
});

test("whatever was done is seen", () => {
  expect([0, 1, 25, 100].map((count) => strengthOf(count, 100))).toEqual([0, 1, 2, 4]);
  expect(strengthOf(0, 0)).toBe(0);
});

test("a chart can be read out", () => {
  const counts = [
    { key: "a", label: "Monday", count: 2 },
    { key: "b", label: "Tuesday", count: 5 },
  ];
  expect(summaryOf(counts, "Messages")).toBe("7 messages, most at Tuesday (5).");
  expect(summaryOf([], "Messages")).toBe("No messages.");
});

test("response times are told as one says them", () => {
  expect([null, 1.234, 42, 200, 7_200, 400_000].map(secondsOf)).toEqual([
    "–",
    "1.2 s",
    "42 s",
    "3 min",
    "2 h",
    "5 days",
  ]);
});
