/** Times as people say them. Microseconds since the epoch, by this machine's clock and in its language. */

const MINUTE = 60 * 1_000_000;
const HOUR = 60 * MINUTE;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const OLD_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export function clockOf(at: number): string {
  return CLOCK.format(at / 1_000);
}

export function fullTimeOf(at: number): string {
  return FULL.format(at / 1_000);
}

/** `now`, `5 min ago`; of earlier today the time, and before that the day as well. */
export function relativeOf(at: number, now: number): string {
  const past = now - at;
  if (past < MINUTE) return "now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  const days = daysBetween(at, now);
  if (days <= 0) return clockOf(at);
  return days === 1 ? `yesterday ${clockOf(at)}` : `${SHORT_DAY.format(at / 1_000)} ${clockOf(at)}`;
}

export function dayNameOf(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return (days < 200 ? DAY : OLD_DAY).format(at / 1_000);
}

/** Midnights between two times, on this machine's clock. */
function daysBetween(at: number, now: number): number {
  const midnight = (time: number) => new Date(time / 1_000).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}
