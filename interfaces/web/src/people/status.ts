/** What somebody does, in words, and the picture beside them. */

import type { Person, PersonStatus } from "@chronoscribe/client";
import { CirclePlay, Moon, Pencil, SquareDot } from "lucide-react";

export const STATUS = {
  editing: { word: "Editing", Icon: Pencil },
  running: { word: "Running something", Icon: CirclePlay },
  idle: { word: "Here", Icon: SquareDot },
  away: { word: "Away", Icon: Moon },
} as const satisfies Record<PersonStatus, unknown>;

/** Where somebody types now: a document, null for the chat, undefined for nowhere. */
export function typingIn(person: Person): string | null | undefined {
  for (const { typing } of person.places) if (typing.length > 0) return typing.at(-1);
  return undefined;
}
