/**
 * What cannot be seen is shown, so that no text looks like another: characters that turn the direction of
 * writing (CVE-2021-42574, "Trojan Source"), that have no width, that control, and spaces that are none.
 *
 * Where a script or an emoji needs a joiner it stays as it is: between two letters of such a script, and inside
 * an emoji that is made of several.
 */

import type { Extension } from "@codemirror/state";
import { highlightSpecialChars } from "@codemirror/view";

const NAMES: ReadonlyMap<number, readonly [short: string, name: string]> = new Map([
  [0x00, ["NUL", "NULL"]],
  [0x07, ["BEL", "BELL"]],
  [0x08, ["BS", "BACKSPACE"]],
  [0x0b, ["VT", "LINE TABULATION"]],
  [0x0c, ["FF", "FORM FEED"]],
  [0x0d, ["CR", "CARRIAGE RETURN"]],
  [0x1b, ["ESC", "ESCAPE"]],
  [0x7f, ["DEL", "DELETE"]],
  [0x85, ["NEL", "NEXT LINE"]],
  [0xa0, ["NBSP", "NO-BREAK SPACE"]],
  [0xad, ["SHY", "SOFT HYPHEN"]],
  [0x034f, ["CGJ", "COMBINING GRAPHEME JOINER"]],
  [0x061c, ["ALM", "ARABIC LETTER MARK"]],
  [0x115f, ["HCF", "HANGUL CHOSEONG FILLER"]],
  [0x1160, ["HJF", "HANGUL JUNGSEONG FILLER"]],
  [0x1680, ["OSP", "OGHAM SPACE MARK"]],
  [0x180e, ["MVS", "MONGOLIAN VOWEL SEPARATOR"]],
  [0x2000, ["NQSP", "EN QUAD"]],
  [0x2001, ["MQSP", "EM QUAD"]],
  [0x2002, ["ENSP", "EN SPACE"]],
  [0x2003, ["EMSP", "EM SPACE"]],
  [0x2004, ["3/MSP", "THREE-PER-EM SPACE"]],
  [0x2005, ["4/MSP", "FOUR-PER-EM SPACE"]],
  [0x2006, ["6/MSP", "SIX-PER-EM SPACE"]],
  [0x2007, ["FSP", "FIGURE SPACE"]],
  [0x2008, ["PSP", "PUNCTUATION SPACE"]],
  [0x2009, ["THSP", "THIN SPACE"]],
  [0x200a, ["HSP", "HAIR SPACE"]],
  [0x200b, ["ZWSP", "ZERO WIDTH SPACE"]],
  [0x200c, ["ZWNJ", "ZERO WIDTH NON-JOINER"]],
  [0x200d, ["ZWJ", "ZERO WIDTH JOINER"]],
  [0x200e, ["LRM", "LEFT-TO-RIGHT MARK"]],
  [0x200f, ["RLM", "RIGHT-TO-LEFT MARK"]],
  [0x2028, ["LSEP", "LINE SEPARATOR"]],
  [0x2029, ["PSEP", "PARAGRAPH SEPARATOR"]],
  [0x202a, ["LRE", "LEFT-TO-RIGHT EMBEDDING"]],
  [0x202b, ["RLE", "RIGHT-TO-LEFT EMBEDDING"]],
  [0x202c, ["PDF", "POP DIRECTIONAL FORMATTING"]],
  [0x202d, ["LRO", "LEFT-TO-RIGHT OVERRIDE"]],
  [0x202e, ["RLO", "RIGHT-TO-LEFT OVERRIDE"]],
  [0x202f, ["NNBSP", "NARROW NO-BREAK SPACE"]],
  [0x205f, ["MMSP", "MEDIUM MATHEMATICAL SPACE"]],
  [0x2060, ["WJ", "WORD JOINER"]],
  [0x2061, ["FA", "FUNCTION APPLICATION"]],
  [0x2062, ["IT", "INVISIBLE TIMES"]],
  [0x2063, ["IS", "INVISIBLE SEPARATOR"]],
  [0x2064, ["IP", "INVISIBLE PLUS"]],
  [0x2066, ["LRI", "LEFT-TO-RIGHT ISOLATE"]],
  [0x2067, ["RLI", "RIGHT-TO-LEFT ISOLATE"]],
  [0x2068, ["FSI", "FIRST STRONG ISOLATE"]],
  [0x2069, ["PDI", "POP DIRECTIONAL ISOLATE"]],
  [0x2800, ["BRB", "BRAILLE PATTERN BLANK"]],
  [0x3000, ["IDSP", "IDEOGRAPHIC SPACE"]],
  [0x3164, ["HF", "HANGUL FILLER"]],
  [0xfeff, ["BOM", "ZERO WIDTH NO-BREAK SPACE"]],
  [0xffa0, ["HHF", "HALFWIDTH HANGUL FILLER"]],
  [0xfffc, ["OBJ", "OBJECT REPLACEMENT CHARACTER"]],
  [0xfffd, ["REPL", "REPLACEMENT CHARACTER"]],
]);

/** Letters of these scripts look different, and mean something else, with a joiner between them (UAX 31). */
const JOINING =
  "\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}" +
  "\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}" +
  "\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}\\p{Script=Nko}";

/** In an emoji of several: behind a picture, its tone and its style, and before the next picture. */
const JOINED_EMOJI =
  "(?<=\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]*)\\u200d(?=\\p{Extended_Pictographic}|[\\u2640\\u2642])";

// Joiners where they are needed match nothing, tabs are drawn by the browser, and a flag's tags belong to it.
const UNSEEN = new RegExp(
  [
    `(?!${JOINED_EMOJI})(?!(?<=[${JOINING}])[\\u200c\\u200d](?=[${JOINING}]))[\\u200c\\u200d]`,
    "(?<!\\u{1f3f4}[\\u{e0020}-\\u{e007e}]*)[\\u{e0001}-\\u{e007f}]",
    // A style for something that has none carries what cannot be seen.
    "(?<=[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]|^|[ a-zA-Z])[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]",
    "(?![\\t\\n\\u200c\\u200d\\u{e0001}-\\u{e007f}\\u{600}-\\u{605}\\u{6dd}\\u{70f}\\u{8e2}\\u{110bd}\\u{110cd}])[\\p{Cc}\\p{Cf}]",
    "[\\u00a0\\u034f\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u2800\\u3000\\u3164\\uffa0\\ufffc\\ufffd]",
  ].join("|"),
  "gu",
);

/** All places of a text that show a mark; for tests, and for whoever lists them. */
export function findUnseen(text: string): readonly { readonly at: number; readonly code: number }[] {
  return [...text.matchAll(UNSEEN)].map((match) => ({ at: match.index, code: match[0].codePointAt(0)! }));
}

export function nameOf(code: number): string {
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  const name = NAMES.get(code)?.[1];
  return name === undefined ? `U+${hex}` : `U+${hex} ${name}`;
}

const SOFT_HYPHEN = 0xad;

/** Those that turn or hide what stands beside them; spaces and line ends are only unusual. */
function isDangerous(code: number): boolean {
  return (
    code !== SOFT_HYPHEN &&
    /\p{Cf}|\p{Variation_Selector}|\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(code))
  );
}

function render(code: number): HTMLElement {
  const mark = document.createElement("span");
  const name = nameOf(code);
  mark.className = isDangerous(code) ? "cm-unseen cm-unseen-danger" : "cm-unseen";
  mark.textContent = NAMES.get(code)?.[0] ?? code.toString(16).toUpperCase();
  mark.title = name;
  mark.setAttribute("aria-label", name);
  return mark;
}

export const unseenCharacters: Extension = highlightSpecialChars({ specialChars: UNSEEN, render });
