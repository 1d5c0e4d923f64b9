/** What a redaction would remove, in words. */

/** This alone, or these words wherever they stood. */
export type Extent = "this" | "phrase";

/** As the server takes them. */
const PHRASE_CODE_POINTS = 200;

/** As the server tells it. */
export interface WhatGoes {
  readonly characters: number;
  readonly events: number;
  readonly documents: readonly string[];
  readonly messages: readonly string[];
}

/** What could be looked for elsewhere: words in one line; null when it is more than that, or nothing. */
export function phraseIn(text: string): string | null {
  const phrase = text.trim();
  if (phrase === "" || /[\r\n]/.test(phrase)) return null;
  return [...phrase].length > PHRASE_CODE_POINTS ? null : phrase;
}

export function found({ characters, documents, messages }: WhatGoes): string {
  if (characters === 0) return "There is nothing of it left, now or in the past.";
  const places = [
    ...documents.map((document) => `all versions of ${document}`),
    ...(messages.length === 0 ? [] : [count(messages.length, "message")]),
  ];
  return `${count(characters, "character")} would go, from ${listed(places)}.`;
}

function count(number: number, one: string): string {
  return `${number.toLocaleString()} ${one}${number === 1 ? "" : "s"}`;
}

function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
