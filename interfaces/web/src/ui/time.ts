/** Moments in words. The server's times are microseconds since the epoch. */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY_MS = 24 * HOUR;

export function dateOf(microseconds: number): Date {
  return new Date(microseconds / 1_000);
}

export function timeOfDay(microseconds: number): string {
  return TIME.format(dateOf(microseconds));
}

export function timeWithSeconds(microseconds: number): string {
  return SECONDS.format(dateOf(microseconds));
}

export function dayAndTime(microseconds: number): string {
  return FULL.format(dateOf(microseconds));
}

/** Of lists that are grouped by day: "Today", "Yesterday", or the day. */
export function dayOf(microseconds: number, now = Date.now()): string {
  const days = Math.round((startOfDay(now) - startOfDay(microseconds / 1_000)) / DAY_MS);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : DAY.format(dateOf(microseconds));
}

function startOfDay(milliseconds: number): number {
  return new Date(milliseconds).setHours(0, 0, 0, 0);
}

/** "just now", "5 minutes ago", and from a day on the date. */
export function ago(microseconds: number, now = Date.now()): string {
  const past = now - microseconds / 1_000;
  if (past < 45 * SECOND) return "just now";
  if (past < HOUR) return RELATIVE.format(-Math.max(1, Math.round(past / MINUTE)), "minute");
  if (past < DAY_MS) return RELATIVE.format(-Math.round(past / HOUR), "hour");
  return `${SHORT_DAY.format(dateOf(microseconds))}, ${timeOfDay(microseconds)}`;
}

/** A stretch of time: "3 s", "2 min", "1 h 5 min". */
export function stretch(microseconds: number): string {
  const seconds = Math.round(microseconds / 1_000_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
