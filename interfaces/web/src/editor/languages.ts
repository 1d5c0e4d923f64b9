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

/** Loads it. Code inside Markdown is in its own colours. */
export async function languageExtensions(language: LanguageDescription | null): Promise<Extension> {
  if (language === null) return [];
  if (language.name !== "Markdown") return language.load();
  const { markdown, markdownLanguage } = await import("@codemirror/lang-markdown");
  return markdown({ base: markdownLanguage, codeLanguages: languages });
}
