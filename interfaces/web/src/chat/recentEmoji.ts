/** The emoji that one has used last, on this machine. */

const KEY = "chronoscribe.emoji";
const KEPT = 16;
/** For whoever has used none yet. */
const USUAL: readonly string[] = ["👍", "❤️", "😂", "🎉", "👀", "🙏"];

export function recentEmoji(count: number): readonly string[] {
  return withRecent(kept(), USUAL).slice(0, count);
}

export function rememberEmoji(emoji: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(withRecent([emoji], kept()).slice(0, KEPT)));
  } catch {
    // Without a storage the usual ones stay.
  }
}

/** Those of `first`, then those of `rest` that are not among them. */
export function withRecent(first: readonly string[], rest: readonly string[]): readonly string[] {
  return [...new Set([...first, ...rest])];
}

function kept(): readonly string[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? read.filter((emoji) => typeof emoji === "string") : [];
  } catch {
    return [];
  }
}
