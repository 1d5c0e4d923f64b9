/** Finds addresses in plain text. Only http, https and mailto ever become something to press. */

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** What an address cannot have in it: spaces, quotes, brackets of markup, and whatever cannot be seen. */
const ENDS = /[\s<>"`{}|\\^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/** At the end of an address these belong to the sentence around it. */
const BEHIND = /[.,;:!?'"’”…*_~]$/u;

const BRACKETS: Readonly<Record<string, string>> = { ")": "(", "]": "[" };

/** An address that is longer is no longer one that a person meant to write. */
const LONGEST = 2_000;

/** The address that begins at `start` of the text, as it stands there and as it is opened; null: it is none. */
export function linkAt(text: string, start: number): { text: string; href: string } | null {
  const rest = text.slice(start, start + LONGEST);
  const end = rest.search(ENDS);
  const found = withoutWhatFollows(end === -1 ? rest : rest.slice(0, end));
  const href = safeAddress(found);
  return href === null ? null : { text: found, href };
}

function withoutWhatFollows(address: string): string {
  let kept = address;
  for (;;) {
    const last = kept.at(-1) ?? "";
    const opening = BRACKETS[last];
    const isOutside = opening !== undefined && count(kept, last) > count(kept, opening);
    if (!isOutside && !BEHIND.test(kept)) return kept;
    kept = kept.slice(0, -1);
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** As a browser would open it; null for what has no host (or nobody to write to), or another scheme. */
export function safeAddress(address: string): string | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (!SCHEMES.has(url.protocol)) return null;
  if (url.protocol === "mailto:") return url.pathname.includes("@") ? url.href : null;
  return url.hostname === "" ? null : url.href;
}

/** Where an address really leads, for a person to read before they press it. */
export function whereTo(href: string): string {
  const url = new URL(href);
  return url.protocol === "mailto:" ? `Write to ${url.pathname}` : `Opens ${url.host}`;
}
