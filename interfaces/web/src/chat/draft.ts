/** What one is about to say, kept over a reload, for each room. */

import type { Picked } from "./mentions.ts";

export interface Draft {
  readonly text: string;
  readonly picked: Picked;
  readonly replyTo: string | null;
}

export const NO_DRAFT: Draft = { text: "", picked: {}, replyTo: null };

const keyOf = (room: string) => `chronoscribe.draft.${room}`;

export function loadDraft(room: string): Draft {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(keyOf(room)) ?? "null");
    return isDraft(read) ? read : NO_DRAFT;
  } catch {
    return NO_DRAFT;
  }
}

export function keepDraft(room: string, draft: Draft): void {
  try {
    if (draft.text === "" && draft.replyTo === null) localStorage.removeItem(keyOf(room));
    else localStorage.setItem(keyOf(room), JSON.stringify(draft));
  } catch {
    // Without a storage it is only not kept.
  }
}

function isDraft(value: unknown): value is Draft {
  const draft = value as Partial<Draft> | null;
  return (
    typeof draft?.text === "string" &&
    typeof draft.picked === "object" &&
    draft.picked !== null &&
    (draft.replyTo === null || typeof draft.replyTo === "string")
  );
}
