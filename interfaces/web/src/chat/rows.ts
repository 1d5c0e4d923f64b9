/** What the chat shows, row by row: days, the line above what is new, and messages, grouped by who says them. */

import type { ChatMessage, PendingMessage } from "@chronoscribe/client";

/** What one says within this time of the last message stands below it without another head. */
const GROUP_MICROSECONDS = 5 * 60 * 1_000_000;

/** A message as it is shown, in the log or still on its way there. */
export interface Said {
  readonly message: ChatMessage;
  /** Null: in the log. */
  readonly pending: PendingMessage | null;
}

export type Row =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "new"; readonly key: "new" }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly said: Said;
      readonly isFirstOfGroup: boolean;
    };

/** `firstUnread`: the message above which the line stands; null: there is none. */
export function rowsOf(messages: readonly Said[], firstUnread: string | null): readonly Row[] {
  const rows: Row[] = [];
  let before: ChatMessage | null = null;
  for (const said of messages) {
    const { message } = said;
    const isNewDay = before === null || dayKeyOf(before.posted) !== dayKeyOf(message.posted);
    if (isNewDay) rows.push({ kind: "day", key: `day ${message.message}`, at: message.posted });
    const isFirstUnread = message.message === firstUnread;
    if (isFirstUnread) rows.push({ kind: "new", key: "new" });
    const isFirstOfGroup = isNewDay || isFirstUnread || before === null || !belongsTo(before, message);
    rows.push({ kind: "message", key: message.message, said, isFirstOfGroup });
    before = message;
  }
  return rows;
}

function belongsTo(before: ChatMessage, message: ChatMessage): boolean {
  return (
    before.author === message.author &&
    message.reply_to === null &&
    (before.imported === null) === (message.imported === null) &&
    message.posted - before.posted < GROUP_MICROSECONDS
  );
}

/** The day of this machine's clock. */
export function dayKeyOf(microseconds: number): string {
  return new Date(microseconds / 1_000).toDateString();
}

/** A message that waits, as if it had been said now, behind everything else. */
export function asMessage(pending: PendingMessage, author: string, posted: number): ChatMessage {
  return {
    message: pending.message,
    position: Number.MAX_SAFE_INTEGER,
    author,
    posted,
    client: null,
    text: pending.text,
    documents: {},
    reply_to: pending.reply_to,
    mentions: [],
    link: pending.link,
    edits: 0,
    edited: null,
    deleted: null,
    pinned: null,
    reactions: {},
    imported: null,
  };
}

/** The first of the last `unread` messages of others: what one has not read. */
export function firstUnreadOf(messages: readonly ChatMessage[], unread: number, me: string): string | null {
  let left = unread;
  for (const { author, deleted, message } of [...messages].reverse()) {
    if (author === me || deleted !== null) continue;
    left -= 1;
    if (left === 0) return message;
  }
  return null;
}
