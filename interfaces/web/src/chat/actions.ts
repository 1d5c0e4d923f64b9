/** What one may do with a message, by one's role and whose it is. */

import type { ChatMessage, Role } from "@chronoscribe/client";

export type Action =
  | "react"
  | "reply"
  | "edit"
  | "copy"
  | "pin"
  | "unpin"
  | "readers"
  | "history"
  | "moment"
  | "delete"
  | "redact";

export function actionsFor(message: ChatMessage, me: string, role: Role | null): readonly Action[] {
  const isOwn = message.author === me;
  const mayPost = role !== null && role !== "viewer";
  const mayEdit = role === "editor" || role === "owner";
  const isOwner = role === "owner";
  // What a deleted message said can still be looked up, so it can be removed as well.
  if (message.deleted !== null) return isOwner ? ["history", "redact"] : isOwn ? ["history"] : [];
  const all: readonly [Action, boolean][] = [
    ["react", mayPost],
    ["reply", mayPost],
    ["edit", mayPost && isOwn],
    ["copy", true],
    ["pin", mayEdit && message.pinned === null],
    ["unpin", mayEdit && message.pinned !== null],
    ["readers", true],
    ["history", message.edits > 0],
    ["moment", message.imported === null],
    ["delete", (mayPost && isOwn) || isOwner],
    ["redact", isOwner],
  ];
  return all.filter(([, may]) => may).map(([action]) => action);
}
