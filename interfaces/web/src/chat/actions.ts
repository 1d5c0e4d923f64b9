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
  | "delete";

export function actionsFor(message: ChatMessage, me: string, role: Role | null): readonly Action[] {
  const isOwn = message.author === me;
  const mayPost = role !== null && role !== "viewer";
  const mayEdit = role === "editor" || role === "owner";
  if (message.deleted !== null) return isOwn || role === "owner" ? ["history"] : [];
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
    ["delete", (mayPost && isOwn) || role === "owner"],
  ];
  return all.filter(([, may]) => may).map(([action]) => action);
}
