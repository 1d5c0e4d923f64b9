/** Lines of activity as they are shown: narrowed down, grouped by day, with comings and goings folded. */

import type { ActivityLine } from "@chronoscribe/client";

export interface LineFilter {
  readonly user: string | null;
  readonly group: Group | null;
  readonly document: string | null;
}

export const EVERYTHING: LineFilter = { user: null, group: null, document: null };

/** Kinds that one looks for together. */
export const GROUPS = {
  edits: ["edited", "undone", "restored", "merged"],
  versions: ["saved", "named", "branched"],
  messages: ["said", "pinned", "unpinned", "imported"],
  runs: ["ran"],
  people: ["joined", "left", "reconnected"],
  room: [
    "listed",
    "unlisted",
    "opened",
    "renamed",
    "redacted",
    "closed",
    "access_changed",
    "member_added",
    "role_changed",
    "member_removed",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Group = keyof typeof GROUPS;

export const GROUP_WORDS: Readonly<Record<Group, string>> = {
  edits: "Edits",
  versions: "Saves and branches",
  messages: "Messages",
  runs: "Runs",
  people: "Comings and goings",
  room: "Room and members",
};

export function isEverything({ user, group, document }: LineFilter): boolean {
  return user === null && group === null && document === null;
}

/** As the server narrows them down (`GET …/activity`), too. */
export function narrowed(lines: readonly ActivityLine[], filter: LineFilter): readonly ActivityLine[] {
  const kinds: readonly string[] | null = filter.group === null ? null : GROUPS[filter.group];
  return lines.filter(
    ({ user, kind, document }) =>
      (filter.user === null || user === filter.user) &&
      (kinds === null || kinds.includes(kind)) &&
      (filter.document === null || document === filter.document),
  );
}

/** Newest first, each once; of two states of a line the later one, or else that of `others`, which came later. */
export function merged(
  some: readonly ActivityLine[],
  others: readonly ActivityLine[],
): readonly ActivityLine[] {
  const lines = new Map<number, ActivityLine>();
  for (const line of [...some, ...others]) {
    const known = lines.get(line.id);
    if (known === undefined || known.changed <= line.changed) lines.set(line.id, line);
  }
  return [...lines.values()].sort((one, other) => other.id - one.id);
}

export type ActivityRow =
  | { readonly kind: "line"; readonly key: string; readonly line: ActivityLine }
  | { readonly kind: "fold"; readonly key: string; readonly lines: readonly ActivityLine[] };

export interface ActivityDay {
  readonly key: string;
  readonly at: number;
  readonly rows: readonly ActivityRow[];
}

/** Fewer comings and goings than this are told one by one. */
const FOLDED_FROM = 3;

const COMES_AND_GOES: ReadonlySet<string> = new Set(GROUPS.people);

export function daysOf(lines: readonly ActivityLine[]): readonly ActivityDay[] {
  const days = new Map<string, ActivityLine[]>();
  for (const line of lines) {
    const key = new Date(line.at / 1_000).toDateString();
    const day = days.get(key);
    if (day === undefined) days.set(key, [line]);
    else day.push(line);
  }
  return [...days].map(([key, inDay]) => ({ key, at: inDay[0]?.at ?? 0, rows: folded(inDay) }));
}

function folded(lines: readonly ActivityLine[]): readonly ActivityRow[] {
  const rows: ActivityRow[] = [];
  let run: ActivityLine[] = [];
  const end = () => {
    if (run.length >= FOLDED_FROM) rows.push({ kind: "fold", key: `fold ${run.at(-1)?.id}`, lines: run });
    else rows.push(...run.map((line) => ({ kind: "line", key: `${line.id}`, line }) as const));
    run = [];
  };
  for (const line of lines) {
    if (COMES_AND_GOES.has(line.kind)) {
      run.push(line);
      continue;
    }
    end();
    rows.push({ kind: "line", key: `${line.id}`, line });
  }
  end();
  return rows;
}

/** Who came and went, each once, those who were there last first. */
export function peopleIn(lines: readonly ActivityLine[]): readonly string[] {
  return [...new Set(lines.map(({ user }) => user))];
}
