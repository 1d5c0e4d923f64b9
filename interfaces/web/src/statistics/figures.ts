/** The room's figures, made ready to be drawn and to be read out. */

import type { Statistics } from "@chronoscribe/client";

/** What is counted. Days call it otherwise than hours do. */
export type Measure = "messages" | "edits" | "reactions";

export const MEASURES: Readonly<Record<Measure, string>> = {
  messages: "Messages",
  edits: "Edits",
  reactions: "Reactions",
};

export type Span = "7" | "30" | "all";

export const SPANS: Readonly<Record<Span, string>> = { "7": "7 days", "30": "30 days", all: "All" };

type Done = Statistics["totals"];
type HourDone = Statistics["hours"][number];

export function ofDone(done: Done, measure: Measure): number {
  if (measure === "messages") return done.messages;
  return measure === "edits" ? done.document_edits : done.reactions_added;
}

export function ofHour(done: Omit<HourDone, "hour">, measure: Measure): number {
  if (measure === "messages") return done.messages;
  return measure === "edits" ? done.document_edits : done.reactions;
}

/** Where a span begins: so many days with today, by this machine's clock; null for everything. */
export function beginOf(span: Span, now: Date): Date | null {
  if (span === "all") return null;
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - Number(span) + 1);
}

export interface Count {
  readonly key: string;
  readonly label: string;
  readonly count: number;
}

/** More bars than this are no longer told apart: then a bar is a week, or a month. */
const BARS = 70;
const DAY_MS = 86_400_000;

const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });

/** What was done day by day without a gap, from `from` (or the first day with anything) to `until`: days as `2026-11-23`. */
export function byDay(
  days: Statistics["days"],
  measure: Measure,
  { from, until }: { readonly from: string | null; readonly until: string },
): { readonly step: "day" | "week" | "month"; readonly counts: readonly Count[] } {
  const counts = new Map(days.map((day) => [day.day, ofDone(day, measure)]));
  const first = from ?? days[0]?.day ?? until;
  const all: { at: number; count: number }[] = [];
  for (let at = Date.parse(first); at <= Date.parse(until); at += DAY_MS)
    all.push({ at, count: counts.get(isoDay(at)) ?? 0 });
  const step = all.length <= BARS ? "day" : all.length <= BARS * 7 ? "week" : "month";
  const beginning = { day: (at: number) => at, week: mondayOf, month: firstOf }[step];
  const bars = new Map<number, number>();
  for (const { at, count } of all) bars.set(beginning(at), (bars.get(beginning(at)) ?? 0) + count);
  const words = step === "month" ? MONTH : SHORT_DAY;
  return {
    step,
    counts: [...bars].map(([at, count]) => ({ key: isoDay(at), label: words.format(at), count })),
  };
}

export function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The day of this machine's clock. */
export function localDay(date: Date): string {
  return isoDay(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()));
}

function mondayOf(at: number): number {
  return at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS;
}

function firstOf(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

export function byHour(hours: Statistics["hours"], measure: Measure): readonly Count[] {
  return hours.map((done) => ({
    key: `${done.hour}`,
    label: `${`${done.hour}`.padStart(2, "0")}:00`,
    count: ofHour(done, measure),
  }));
}

/** Seven rows of 24 hours, Monday first. The server tells only those with something in them. */
export function byWeek(week: Statistics["week"], measure: Measure): readonly (readonly number[])[] {
  const rows = Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
  for (const done of week) {
    const row = rows[done.weekday - 1];
    if (row !== undefined) row[done.hour] = ofHour(done, measure);
  }
  return rows;
}

/** How strong a cell is shown, from 0 to 4: by the square root, so that one busy hour does not hide the others. */
export function strengthOf(count: number, most: number): number {
  return count === 0 || most === 0 ? 0 : Math.max(1, Math.round(Math.sqrt(count / most) * 4));
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function weekdayOf(row: number): string {
  return WEEKDAYS[row] ?? "";
}

/** A chart in one sentence. */
export function summaryOf(counts: readonly Count[], what: string): string {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return `No ${what.toLowerCase()}.`;
  const most = counts.reduce((one, other) => (other.count > one.count ? other : one));
  return `${total.toLocaleString()} ${what.toLowerCase()}, most at ${most.label} (${most.count.toLocaleString()}).`;
}

/** Seconds as one says them; "–" for none. */
export function secondsOf(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3_600 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
