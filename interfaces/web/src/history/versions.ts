/** The versions of a document: those that were saved or named, and when people worked on it. */

import type { ActivityLine, Api, Room } from "@chronoscribe/client";

/** A pause of this long (microseconds) ends one piece of work. */
const PAUSE = 10 * 60_000_000;
/** Lines of activity and saves that are looked through; more nobody does. */
const PAGES = 5;
const PAGE = 200;
const SAVES = 500;

export interface SavedVersion {
  readonly kind: "saved";
  readonly at: number;
  readonly revision: number;
  readonly name: string | null;
  readonly user: string;
}

/** What was written without a longer pause, from the text of one revision to that of another. */
export interface Work {
  readonly kind: "work";
  readonly at: number;
  readonly until: number;
  readonly before: number;
  readonly revision: number;
  readonly users: readonly string[];
  readonly edits: number;
  readonly inserted: number;
  readonly deleted: number;
}

export type Version = SavedVersion | Work;

/** Newest first. */
export async function versionsOf(api: Api, room: Room, document: string): Promise<readonly Version[]> {
  const [saved, lines] = await Promise.all([savesOf(api, room, document), editsOf(api, room, document)]);
  return [...saved, ...workOf(lines)].sort((one, other) => endOf(other) - endOf(one));
}

function endOf(version: Version): number {
  return version.kind === "work" ? version.until : version.at;
}

async function savesOf(api: Api, room: Room, document: string): Promise<readonly SavedVersion[]> {
  const params = { path: { room: room.room, document }, query: { limit: SAVES } };
  const { saves } = await api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/saves", { params }));
  return saves.map(({ revision, name, saved, saved_by }) => ({
    kind: "saved",
    at: saved,
    revision,
    name,
    user: saved_by,
  }));
}

async function editsOf(api: Api, room: Room, document: string): Promise<readonly ActivityLine[]> {
  const found: ActivityLine[] = [];
  let before: number | undefined;
  for (let page = 0; page < PAGES; page++) {
    const query = { document, limit: PAGE, ...(before === undefined ? {} : { before }) };
    const answer = await api.data(
      api.raw.GET("/api/rooms/{room}/activity", { params: { path: { room: room.room }, query } }),
    );
    found.push(...(answer.lines as readonly ActivityLine[]));
    if (answer.next === null) break;
    before = answer.next;
  }
  return found;
}

/** Bursts of edits that belong together, oldest first. */
export function workOf(lines: readonly ActivityLine[]): readonly Work[] {
  const bursts = lines
    .filter(({ details }) => "edits" in details && "to" in details)
    .sort((one, other) => one.at - other.at);
  const found: Work[] = [];
  for (const { at, until, user, details } of bursts) {
    const [before, revision] = [Number(details.from), Number(details.to)];
    const [edits, inserted, deleted] = [details.edits, details.inserted, details.deleted].map(Number) as [
      number,
      number,
      number,
    ];
    const last = found.at(-1);
    if (last === undefined || at - last.until > PAUSE) {
      found.push({ kind: "work", at, until, before, revision, users: [user], edits, inserted, deleted });
      continue;
    }
    found[found.length - 1] = {
      ...last,
      until: Math.max(last.until, until),
      before: Math.min(last.before, before),
      revision: Math.max(last.revision, revision),
      users: last.users.includes(user) ? last.users : [...last.users, user],
      edits: last.edits + edits,
      inserted: last.inserted + inserted,
      deleted: last.deleted + deleted,
    };
  }
  return found;
}
