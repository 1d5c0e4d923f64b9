/** The server's words for a line of activity, with people's names in them. */

const MENTION = /(?<![\p{L}\p{N}_@.-])@([A-Za-z0-9_-]{1,64})/gu;

/** Who is mentioned in what was said, and the member whom something was done to. */
export function usersIn(line: string, member: string | null): readonly string[] {
  const mentioned = [...line.matchAll(MENTION)].map(([, user]) => user ?? "");
  return [...new Set(member === null ? mentioned : [member, ...mentioned])];
}

export function withNames(line: string, member: string | null, nameOf: (user: string) => string): string {
  const words = line.replace(MENTION, (_, user: string) => `@${nameOf(user)}`);
  if (member === null) return words;
  // An id has only letters, digits, `_` and `-`: nothing that means something else here.
  return words.replace(new RegExp(`(?<![\\w-])${member}(?![\\w-])`), () => nameOf(member));
}
