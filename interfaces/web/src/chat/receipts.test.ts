import type { ChatMessage } from "@chronoscribe/client";
import { expect, test } from "vitest";
import { deliveryOf, readersByMessage } from "./receipts.ts";
import { asMessage } from "./rows.ts";

function said(position: number, author: string): ChatMessage {
  const pending = {
    message: `m${position}`,
    text: "",
    reply_to: null,
    link: null,
    state: "sent",
    why: "",
  } as const;
  return { ...asMessage(pending, author, position), position };
}

const pointers = (all: Record<string, [delivered: number, read: number]>) =>
  new Map(Object.entries(all).map(([user, [delivered, read]]) => [user, { delivered, read }]));

test("each reader stands at the last message they have read", () => {
  const messages = [said(10, "me"), said(20, "ada"), said(30, "me")];
  const readers = readersByMessage(
    messages,
    pointers({ ben: [30, 25], cleo: [30, 30], me: [30, 30], dan: [9, 9] }),
    "me",
  );
  expect(Object.fromEntries(readers)).toEqual({ m20: ["ben"], m30: ["cleo"] });
});

test("whoever has written last is not shown at what they have written", () => {
  const messages = [said(10, "me"), said(20, "ada")];
  expect(readersByMessage(messages, pointers({ ada: [10, 10] }), "me").size).toBe(0);
});

test("a message is delivered when it has reached somebody, and read when somebody has read it", () => {
  const message = said(20, "me");
  expect(deliveryOf(message, pointers({ me: [20, 20] }), "me")).toBe("sent");
  expect(deliveryOf(message, pointers({ ben: [20, 10] }), "me")).toBe("delivered");
  expect(deliveryOf(message, pointers({ ben: [20, 10], ada: [20, 20] }), "me")).toBe("read");
});
