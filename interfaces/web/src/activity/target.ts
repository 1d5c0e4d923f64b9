/** What a line of activity is about, and so what pressing it shows. */

import type { ActivityLine } from "@chronoscribe/client";

export type Target =
  | { readonly kind: "message"; readonly message: string }
  | { readonly kind: "document"; readonly document: string }
  | { readonly kind: "revision"; readonly document: string; readonly revision: number }
  | { readonly kind: "moment"; readonly at: number };

export function targetOf(line: ActivityLine): Target {
  const { document, message, details } = line;
  if (message !== null) return { kind: "message", message };
  if (document === null) return { kind: "moment", at: line.until };
  // An edit makes the revision `to`; what was saved, named or run is a revision itself.
  const revision = details.to ?? details.revision;
  if (typeof revision === "number") return { kind: "revision", document, revision };
  return { kind: "document", document };
}

export const TARGET_WORDS: Readonly<Record<Target["kind"], string>> = {
  message: "Show the message",
  document: "Open the document",
  revision: "Show the text at that revision",
  moment: "Show the room at that moment",
};
