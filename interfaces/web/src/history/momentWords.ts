/** What a person may call a moment, and what the server does. */

/** As the server reads it: RFC 3339, to the microsecond. */
export function asTime(microseconds: number): string {
  const seconds = new Date(Math.floor(microseconds / 1_000)).toISOString().slice(0, 19);
  return `${seconds}.${String(Math.round(microseconds) % 1_000_000).padStart(6, "0")}Z`;
}

const CLOCK = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * The moment that somebody means by these words, in the words of the server: a revision ("17"), a time of today
 * ("14:05", "14:05:30"), a day or time in ISO's order, "now", or the name of a version. Null for none.
 */
export function momentOf(words: string, now = new Date()): string | null {
  const said = words.trim();
  if (said === "") return null;
  if (/^\d+$/.test(said) || /^(name|position):/.test(said)) return said;
  if (/^now$/i.test(said)) return "now";
  const revision = /^(?:revision|rev|r)\.? ?(\d+)$/i.exec(said);
  if (revision !== null) return revision[1]!;
  const clock = CLOCK.exec(said);
  if (clock !== null) {
    const [, hours, minutes, seconds = "0"] = clock;
    const at = new Date(now);
    at.setHours(Number(hours), Number(minutes), Number(seconds), 0);
    // What has not been yet today was yesterday.
    if (at > now) at.setDate(at.getDate() - 1);
    return Number(hours) < 24 && Number(minutes) < 60 ? asTime(at.getTime() * 1_000) : null;
  }
  if (DATE.test(said)) {
    const isDay = said.length === 10;
    const at = Date.parse(isDay ? `${said}T00:00` : said.replace(" ", "T"));
    return Number.isNaN(at) ? null : asTime(at * 1_000);
  }
  return `name:${said}`;
}
