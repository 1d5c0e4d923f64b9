/** What messages are looked for by, as the server is asked for it (docs/http.md, Search). */

export interface Narrowing {
  readonly q: string;
  readonly author: string | null;
  /** Days of this machine's clock, `2026-11-23`; "" is any. The last one is included. */
  readonly from: string;
  readonly to: string;
  readonly document: string | null;
  /** "" is any reaction, null none asked for. */
  readonly emoji: string | null;
  readonly mentionsMe: boolean;
  readonly pinned: boolean;
}

export const ANYTHING: Narrowing = {
  q: "",
  author: null,
  from: "",
  to: "",
  document: null,
  emoji: null,
  mentionsMe: false,
  pinned: false,
};

export interface NarrowingQuery {
  author?: string;
  from?: string;
  to?: string;
  document?: string;
  emoji?: string;
  mentions?: string;
  pinned?: boolean;
}

export function queryFor(narrowing: Narrowing, me: string): NarrowingQuery {
  const { author, from, to, document, emoji, mentionsMe, pinned } = narrowing;
  const query: NarrowingQuery = {};
  if (author !== null) query.author = author;
  if (from !== "") query.from = midnight(from, 0);
  if (to !== "") query.to = midnight(to, 1);
  if (document !== null) query.document = document;
  if (emoji !== null) query.emoji = emoji;
  if (mentionsMe) query.mentions = me;
  if (pinned) query.pinned = true;
  return query;
}

/** Where that day begins on this machine's clock, or one some days later. */
function midnight(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

/** How many things it is narrowed by, without the words. */
export function narrowedBy(narrowing: Narrowing): number {
  return Object.keys(queryFor(narrowing, "me")).length;
}
