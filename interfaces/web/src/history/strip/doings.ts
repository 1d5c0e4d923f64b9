/** What was done when, for the strip: letter by letter where a session is short, in bursts where it is long. */

import type { ActivityLine, Api, Room } from "@chronoscribe/client";
import { useEffect, useState } from "react";
import { useApi, useRoom } from "../../workspace/room.tsx";
import type { Span } from "./timeScale.ts";

/** Somebody wrote something: so many characters, evenly from the one moment to the other. */
export interface Doing extends Span {
  readonly user: string;
  readonly amount: number;
}

export interface Stay extends Span {
  readonly user: string;
}

export interface Doings {
  readonly writing: readonly Doing[];
  readonly stays: readonly Stay[];
  /** When something was said. */
  readonly said: readonly { readonly user: string; readonly at: number }[];
}

export const NOTHING_DONE: Doings = { writing: [], stays: [], said: [] };

/** Of so many events every one is read, a megabyte or two; of longer sessions the lines of activity have to do. */
const READ_ONE_BY_ONE = 20_000;
/** As many lines of activity as a strip can show. */
const LINES = 2_000;
const PAGE = 200;

interface Step {
  readonly type: string;
  readonly at: number;
  readonly events: readonly {
    readonly event?: string;
    readonly actor: string;
    readonly op?: readonly (number | string | { readonly d: number | string })[];
  }[];
}

/** Undefined while they are on their way. What cannot be had is not shown; the strip works without. */
export function useDoings(events: number, until: number): Doings {
  const room = useRoom();
  const api = useApi();
  const [doings, setDoings] = useState(NOTHING_DONE);
  useEffect(() => {
    const control = new AbortController();
    const load = async () => {
      const lines = await activityOf(api, room, control.signal);
      const rough = fromActivity(lines, until);
      if (!control.signal.aborted) setDoings(rough);
      if (events > READ_ONE_BY_ONE) return;
      const writing = await everyEdit(api, room, control.signal);
      if (!control.signal.aborted) setDoings({ ...rough, writing });
    };
    load().catch(() => {});
    return () => control.abort();
  }, [room, api, events, until]);
  return doings;
}

async function activityOf(api: Api, room: Room, signal: AbortSignal): Promise<readonly ActivityLine[]> {
  const found: ActivityLine[] = [];
  let before: number | undefined;
  while (found.length < LINES && !signal.aborted) {
    const query = before === undefined ? { limit: PAGE } : { limit: PAGE, before };
    const page = await api.data(
      api.raw.GET("/api/rooms/{room}/activity", { params: { path: { room: room.room }, query } }),
    );
    found.push(...(page.lines as readonly ActivityLine[]));
    if (page.next === null) break;
    before = page.next;
  }
  return found.reverse();
}

async function everyEdit(api: Api, room: Room, signal: AbortSignal): Promise<readonly Doing[]> {
  const path = `/api/rooms/${encodeURIComponent(room.room)}/replay`;
  const writing: Doing[] = [];
  for await (const line of api.lines<Step>("GET", path, { signal })) {
    if (line.type !== "step") continue;
    for (const { event, actor, op } of line.events) {
      if (event === "edit" && op !== undefined)
        writing.push({ user: actor, from: line.at, until: line.at, amount: sizeOf(op) });
    }
  }
  return writing;
}

function sizeOf(op: NonNullable<Step["events"][number]["op"]>): number {
  let size = 0;
  for (const part of op) {
    if (typeof part === "string") size += part.length;
    else if (typeof part === "object") size += typeof part.d === "string" ? part.d.length : part.d;
  }
  return size;
}

/** From lines of activity, oldest first. */
export function fromActivity(lines: readonly ActivityLine[], now: number): Doings {
  const writing: Doing[] = [];
  const stays: Stay[] = [];
  const said: { user: string; at: number }[] = [];
  const here = new Map<string, { since: number; places: number }>();
  for (const { kind, user, at, until, details } of lines) {
    if (kind === "joined") {
      const stay = here.get(user);
      here.set(user, { since: stay?.since ?? at, places: (stay?.places ?? 0) + 1 });
    } else if (kind === "left") {
      const stay = here.get(user);
      if (stay !== undefined && stay.places > 1) stay.places -= 1;
      else if (stay !== undefined) {
        stays.push({ user, from: stay.since, until: at });
        here.delete(user);
      }
    } else if (kind === "said") {
      said.push({ user, at });
    } else if ("inserted" in details) {
      const amount = Number(details.inserted) + Number(details.deleted ?? 0);
      writing.push({ user, from: at, until, amount });
    }
  }
  for (const [user, { since }] of here) stays.push({ user, from: since, until: Math.max(since, now) });
  return { writing, stays, said };
}
