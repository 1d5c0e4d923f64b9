/** The rows of the strip, one for each person: where they were here, and how much they wrote when. */

import type { Doings } from "./doings.ts";
import type { TimeScale } from "./timeScale.ts";

/** What of the scale is seen, in places, and on how many pixels. */
export interface Window {
  readonly from: number;
  readonly until: number;
  readonly width: number;
}

/** The signs at both ends are seen whole. */
const INSET = 7;

/** Where on the screen a place of the scale is, and back. */
export function ruler({ from, until, width }: Window) {
  const length = Math.max(1, until - from);
  const seen = Math.max(1, width - 2 * INSET);
  return {
    x: (place: number) => INSET + ((place - from) / length) * seen,
    placeAt: (x: number) => from + ((x - INSET) / seen) * length,
  };
}

export interface Lane {
  readonly user: string;
  /** From where to where, in pixels, they were here. */
  readonly stays: readonly { readonly x: number; readonly width: number }[];
  /** How much they wrote in each column, from 0 to 1. */
  readonly columns: readonly number[];
  readonly said: readonly number[];
}

/** People with a row of their own; of more, those who did most. */
const MOST = 6;
/** So many of the columns are no taller than the tallest that is drawn. */
const TALL = 0.95;
/** A column, in pixels. */
export const COLUMN = 3;

export function lanesOf(doings: Doings, scale: TimeScale, window: Window): readonly Lane[] {
  const { x: across } = ruler(window);
  const x = (at: number) => across(scale.placeOf(at));
  const amounts = new Map<string, number>();
  const first = new Map<string, number>();
  const note = (user: string, at: number, amount: number) => {
    amounts.set(user, (amounts.get(user) ?? 0) + amount);
    first.set(user, Math.min(first.get(user) ?? at, at));
  };
  for (const { user, from } of doings.stays) note(user, from, 1);
  for (const { user, from, amount } of doings.writing) note(user, from, amount);
  for (const { user, at } of doings.said) note(user, at, 1);
  const users = [...amounts.keys()]
    .filter((user) => !user.startsWith("@"))
    .sort((one, other) => amounts.get(other)! - amounts.get(one)!)
    .slice(0, MOST)
    .sort((one, other) => first.get(one)! - first.get(other)!);
  const count = Math.max(1, Math.floor(window.width / COLUMN));
  const columns = new Map(users.map((user) => [user, new Array<number>(count).fill(0)]));
  for (const { user, from, until, amount } of doings.writing) {
    const row = columns.get(user);
    if (row !== undefined) spread(row, x(from) / COLUMN, x(until) / COLUMN, amount);
  }
  const most = usualMost([...columns.values()]);
  return users.map((user) => ({
    user,
    stays: doings.stays
      .filter((stay) => stay.user === user)
      .map(({ from, until }) => ({ x: x(from), width: Math.max(2, x(until) - x(from)) })),
    // Of a hundred letters at once the eye sees more than of one, but not a hundred times more.
    columns: columns.get(user)!.map((value) => Math.min(1, Math.sqrt(value / most))),
    said: doings.said.filter((message) => message.user === user).map(({ at }) => x(at)),
  }));
}

/** What a tall column has. One paste of a whole file does not make all that was typed look flat. */
function usualMost(rows: readonly (readonly number[])[]): number {
  const amounts = rows.flatMap((row) => row.filter((value) => value > 0)).sort((one, other) => one - other);
  return Math.max(1e-9, amounts[Math.floor(TALL * (amounts.length - 1))] ?? 0);
}

/** Share an amount out over the columns that it reaches over. */
function spread(row: number[], from: number, until: number, amount: number): void {
  const begin = Math.max(0, Math.floor(from));
  const end = Math.min(row.length - 1, Math.floor(until));
  const all = Math.floor(until) - Math.floor(from) + 1;
  for (let column = begin; column <= end; column++) row[column]! += amount / all;
}

/** The outline of a row's columns, for an SVG path that stands on `bottom`. */
export function outline(columns: readonly number[], bottom: number, height: number): string {
  let path = "";
  columns.forEach((value, column) => {
    if (value === 0) return;
    const tall = Math.max(1.5, value * height).toFixed(1);
    path += `M${column * COLUMN} ${bottom}v-${tall}h${COLUMN - 0.6}v${tall}z`;
  });
  return path;
}
