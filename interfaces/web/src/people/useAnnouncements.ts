/** Says who comes and goes, for those who do not see it; not when so many do that nobody could listen. */

import type { Person } from "@chronoscribe/client";
import { useEffect, useRef, useState } from "react";

/** More is noise. */
const MOST_IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;

export function useAnnouncements(people: readonly Person[]): string {
  const before = useRef<ReadonlyMap<string, string> | null>(null);
  const said = useRef<number[]>([]);
  const [words, setWords] = useState("");

  useEffect(() => {
    if (people.length === 0) return; // nobody, not even oneself: not in the room yet, or not any more
    const now = new Map(people.filter(({ isMe }) => !isMe).map(({ user, name }) => [user, name]));
    const known = before.current;
    before.current = now;
    // Those who were here when one came are no news.
    if (known === null) return;
    const news = [...joinedAndLeft(known, now)];
    if (news.length === 0) return;
    const time = performance.now();
    said.current = said.current.filter((at) => at > time - MINUTE_MS);
    if (said.current.length + news.length > MOST_IN_A_MINUTE) return;
    said.current.push(...news.map(() => time));
    setWords(news.join(", "));
  }, [people]);

  return words;
}

export function* joinedAndLeft(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): Generator<string> {
  for (const [user, name] of now) if (!before.has(user)) yield `${name} has come`;
  for (const [user, name] of before) if (!now.has(user)) yield `${name} has left`;
}
