/** What one looks for in a room's activity, remembered by this browser. */

import { EVERYTHING, GROUPS, type LineFilter } from "./lines.ts";

const keyOf = (room: string) => `chronoscribe.activity.${room}`;

export function loadFilter(room: string): LineFilter {
  try {
    const read = JSON.parse(localStorage.getItem(keyOf(room)) ?? "null") as Partial<LineFilter> | null;
    const text = (value: unknown) => (typeof value === "string" ? value : null);
    const group =
      read?.group !== undefined && read.group !== null && read.group in GROUPS ? read.group : null;
    return read === null ? EVERYTHING : { user: text(read.user), group, document: text(read.document) };
  } catch {
    return EVERYTHING;
  }
}

export function keepFilter(room: string, filter: LineFilter): void {
  try {
    localStorage.setItem(keyOf(room), JSON.stringify(filter));
  } catch {
    // Without a storage it is only not remembered.
  }
}
