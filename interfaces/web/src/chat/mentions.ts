/**
 * Mentions in what one writes. On the wire a mention is `@` and the user's id; one writes and sees the name, and
 * what was picked is turned into ids when the message is sent.
 */

export interface Candidate {
  readonly user: string;
  readonly name: string;
}

/** Names that were picked, and whom they mean. */
export type Picked = Readonly<Record<string, string>>;

/** What may stand before the `@` of a mention is nothing of a word, as for the server. */
const BEFORE = /[\p{L}\p{N}_@.-]$/u;

/** A name has at most so many characters (docs/protocol.md): further back no `@` is looked for. */
const LONGEST_NAME = 64;

/** What is being written behind an `@`, when the caret is there. `at` is where the `@` stands. */
export function queryAt(text: string, caret: number): { readonly at: number; readonly query: string } | null {
  const before = text.slice(Math.max(0, caret - LONGEST_NAME - 1), caret);
  const start = before.lastIndexOf("@");
  if (start === -1) return null;
  const query = before.slice(start + 1);
  const at = caret - query.length - 1;
  if (/\n|\s\s|^\s/.test(query) || BEFORE.test(text.slice(0, at))) return null;
  return { at, query };
}

/** Those who begin so first, by name or a later word of it or id; then those who have it inside. */
export function matching<T extends Candidate>(
  candidates: readonly T[],
  query: string,
  limit: number,
): readonly T[] {
  const wanted = plain(query);
  const rank = ({ name, user }: Candidate): number => {
    const [known, id] = [plain(name), user.toLowerCase()];
    if (known.startsWith(wanted)) return 0;
    if (known.split(/\s+/).some((word) => word.startsWith(wanted)) || id.startsWith(wanted)) return 1;
    return known.includes(wanted) ? 2 : 3;
  };
  return candidates
    .map((candidate) => ({ candidate, rank: rank(candidate) }))
    .filter((found) => found.rank < 3)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** `text` with `@name ` in the place of what was written from `at` to `caret`, and where the caret is then. */
export function withPicked(
  text: string,
  { at, caret, candidate, picked }: { at: number; caret: number; candidate: Candidate; picked: Picked },
): { readonly text: string; readonly caret: number; readonly picked: Picked } {
  // Two people of one name: the second is written by id, so that it is clear who is meant.
  const isTaken = (picked[candidate.name] ?? candidate.user) !== candidate.user;
  const name =
    isTaken || /[@\n]/.test(candidate.name) || candidate.name === "" ? candidate.user : candidate.name;
  const rest = text.slice(caret);
  const inserted = `@${name}${/^\s/.test(rest) ? "" : " "}`;
  return {
    text: text.slice(0, at) + inserted + rest,
    caret: at + inserted.length,
    picked: { ...picked, [name]: candidate.user },
  };
}

/** As it is sent: with ids where names were picked, or written out when only one of `candidates` has that name. */
export function asSent(text: string, picked: Picked, candidates: readonly Candidate[]): string {
  const users = new Map(Object.entries(picked));
  const counts = new Map<string, number>();
  for (const { name } of candidates) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { name, user } of candidates)
    if (counts.get(name) === 1 && !users.has(name)) users.set(name, user);
  const names = [...users.keys()]
    .filter((name) => name !== "")
    .sort((one, other) => other.length - one.length);
  if (names.length === 0) return text;
  const written = new RegExp(
    `(?<![\\p{L}\\p{N}_@.-])@(${names.map(escaped).join("|")})(?![\\p{L}\\p{N}_-])`,
    "gu",
  );
  return text.replace(written, (_, name: string) => `@${users.get(name)}`);
}

/** As one writes it: with names in the place of the ids of those who are mentioned. */
export function asWritten(
  text: string,
  mentions: readonly string[],
  nameOf: (user: string) => string,
): { readonly text: string; readonly picked: Picked } {
  let picked: Picked = {};
  const written = text.replace(
    /(?<![\p{L}\p{N}_@.-])@([A-Za-z0-9_-]{1,64})(?![A-Za-z0-9_-])/gu,
    (whole, user: string) => {
      const name = nameOf(user);
      if (!mentions.includes(user) || (picked[name] ?? user) !== user) return whole;
      picked = { ...picked, [name]: user };
      return `@${name}`;
    },
  );
  return { text: written, picked };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
