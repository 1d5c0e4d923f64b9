import type { ChatMessage } from "@chronoscribe/client";
import { describe, expect, test } from "vitest";
import { asMessage, firstUnreadOf, rowsOf } from "./rows.ts";
import { NO_LINE, nextLine, withoutLine } from "./unreadLine.ts";

const MINUTE = 60 * 1_000_000;
const NOON = new Date(2026, 10, 23, 12).getTime() * 1_000;

function said(id: string, author: string, minutes: number, more: Partial<ChatMessage> = {}): ChatMessage {
  const pending = { message: id, text: id, reply_to: null, link: null, state: "sent", why: "" } as const;
  return { ...asMessage(pending, author, NOON + minutes * MINUTE), ...more };
}

const shown = (messages: readonly ChatMessage[], firstUnread: string | null = null) =>
  rowsOf(
    messages.map((message) => ({ message, pending: null })),
    firstUnread,
  ).map((row) => (row.kind === "message" ? (row.isFirstOfGroup ? `[${row.key}` : row.key) : row.kind));

describe("rows", () => {
  test("are grouped by day and by who says them, as long as they follow soon", () => {
    const messages = [said("a", "ada", 0), said("b", "ada", 1), said("c", "ben", 2), said("d", "ben", 9)];
    expect(shown(messages)).toEqual(["day", "[a", "b", "[c", "[d"]);
    expect(shown([said("a", "ada", 0), said("b", "ada", 24 * 60)])).toEqual(["day", "[a", "day", "[b"]);
  });

  test("begin a group with an answer, and below the line", () => {
    const messages = [said("a", "ada", 0), said("b", "ada", 1, { reply_to: "a" }), said("c", "ada", 2)];
    expect(shown(messages)).toEqual(["day", "[a", "[b", "c"]);
    expect(shown(messages, "c")).toEqual(["day", "[a", "[b", "new", "[c"]);
  });
});

test("the first unread message is counted from the end, without one's own and deleted ones", () => {
  const messages = [
    said("a", "ben", 0),
    said("b", "ben", 1),
    said("c", "me", 2),
    said("d", "ben", 3, { deleted: 1 }),
    said("e", "ben", 4),
  ];
  expect(firstUnreadOf(messages, 0, "me")).toBeNull();
  expect(firstUnreadOf(messages, 1, "me")).toBe("e");
  expect(firstUnreadOf(messages, 2, "me")).toBe("b");
  expect(firstUnreadOf(messages, 9, "me")).toBeNull();
});

describe("the line above what is new", () => {
  const away = (firstUnread: string | null) => ({ isInFront: false, isAtEnd: true, firstUnread });
  const here = (firstUnread: string | null) => ({ isInFront: true, isAtEnd: true, firstUnread });
  const further = (firstUnread: string | null) => ({ isInFront: true, isAtEnd: false, firstUnread });

  test("stands above the first that came while one was away, also when more come", () => {
    let line = nextLine(NO_LINE, away("a"));
    line = nextLine(line, away("a"));
    expect(line.above).toBe("a");
  });

  test("stays while one reads, also further up, and goes when one looks away", () => {
    let line = nextLine(NO_LINE, away("a"));
    line = nextLine(line, here("a"));
    line = nextLine(line, here(null));
    line = nextLine(line, further(null));
    expect(line.above).toBe("a");
    line = nextLine(line, away(null));
    expect(line.above).toBeNull();
    expect(nextLine(line, away("b")).above).toBe("b");
  });

  test("does not come for what one sees at once, but for what comes while one reads further up", () => {
    const line = nextLine(NO_LINE, here(null));
    expect(nextLine(line, here("a")).above).toBeNull();
    expect(nextLine(nextLine(line, further(null)), further("a")).above).toBe("a");
  });

  test("shows where it begins to who opens the chat at its end", () => {
    expect(nextLine(NO_LINE, here("a")).above).toBe("a");
  });

  test("goes when one says something", () => {
    expect(withoutLine(nextLine(NO_LINE, away("a"))).above).toBeNull();
  });
});
