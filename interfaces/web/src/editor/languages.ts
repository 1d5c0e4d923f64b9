/** The language of a document, by its name. Each is a file of its own that is fetched when it is needed. */

import { LanguageDescription } from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import type { Extension } from "@codemirror/state";

export function languageOf(document: string): LanguageDescription | null {
  return LanguageDescription.matchFilename(languages, document.split("/").at(-1) ?? document);
}

/** In prose, words that offer themselves at every letter are in the way. */
const PROSE: ReadonlySet<string> = new Set(["Markdown", "LaTeX", "Textile"]);

export function isProse(language: LanguageDescription | null): boolean {
  return language === null || PROSE.has(language.name);
}

/**
 * Markdown's paragraphs are parsed in one go, and again with each letter in them: in a longer one typing would
 * stumble.
 */
const LONGEST_PARAGRAPH = 50_000;

/** Loads it, if a text as this one can have colours. Code inside Markdown is in its own. */
export async function languageExtensions(
  language: LanguageDescription | null,
  text: string,
): Promise<Extension> {
  if (language === null) return [];
  if (language.name !== "Markdown") return language.load();
  if (longestParagraph(text) > LONGEST_PARAGRAPH) return [];
  const { markdown, markdownLanguage } = await import("@codemirror/lang-markdown");
  return markdown({ base: markdownLanguage, codeLanguages: languages });
}

function longestParagraph(text: string): number {
  let longest = 0;
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf("\n\n", from);
    const to = end === -1 ? text.length : end;
    longest = Math.max(longest, to - from);
    from = to + 2;
  }
  return longest;
}
