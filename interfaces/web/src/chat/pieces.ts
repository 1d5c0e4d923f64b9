/**
 * A message's text in pieces: plain text, links, mentions, code, and marks for what cannot be seen.
 *
 * Nothing in a message is markup (docs/protocol.md, Chat); this only finds what a person would like to press or
 * to see in another face. Joined together again, the `text` of the pieces is the text.
 */

import { findUnseen, nameOf } from "../editor/specialCharacters.ts";
import { linkAt } from "./links.ts";

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly shown: string }
  | { readonly kind: "block"; readonly text: string; readonly shown: string; readonly language: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }
  | { readonly kind: "mention"; readonly text: string; readonly user: string }
  | { readonly kind: "unseen"; readonly text: string; readonly code: number; readonly name: string };

/** A fence of three or more, alone on its line but for a language, and the same again. */
const BLOCK = /^(`{3,})([\w+#.-]*)[ \t]*\n([\s\S]*?)\n?^\1`*[ \t]*$/gm;

/** Code within a line: as many backticks behind it as before. */
const CODE = /(?<!`)(`+)(?!`)([^\n]*?[^`\n])\1(?!`)/g;

/** As the server finds them (`domain/message.py`). */
const MENTION = /(?<![\p{L}\p{N}_@.-])@([A-Za-z0-9_-]{1,64})(?![A-Za-z0-9_-])/gu;

const LINK_START = /(?<![\p{L}\p{N}_])(?:https?:\/\/|mailto:)/giu;

export function piecesOf(text: string, mentions: readonly string[]): readonly Piece[] {
  return split(text, blocks, (outside) =>
    split(outside, codes, (plain) =>
      split(plain, links, (rest) => split(rest, mentionsAmong(mentions), (last) => withMarks(last))),
    ),
  );
}

interface Found {
  readonly at: number;
  readonly piece: Piece;
}

/** The pieces found in `text`, and between them what `otherwise` makes of the rest. */
function split(
  text: string,
  find: (text: string) => Iterable<Found>,
  otherwise: (text: string) => readonly Piece[],
): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { at, piece } of find(text)) {
    if (at < end) continue;
    if (at > end) pieces.push(...otherwise(text.slice(end, at)));
    pieces.push(piece);
    end = at + piece.text.length;
  }
  if (end < text.length) pieces.push(...otherwise(text.slice(end)));
  return pieces;
}

function* blocks(text: string): Iterable<Found> {
  for (const match of text.matchAll(BLOCK)) {
    const [whole, , language = "", shown = ""] = match;
    yield { at: match.index, piece: { kind: "block", text: whole, shown, language } };
  }
}

function* codes(text: string): Iterable<Found> {
  for (const match of text.matchAll(CODE))
    yield { at: match.index, piece: { kind: "code", text: match[0], shown: match[2] ?? "" } };
}

function* links(text: string): Iterable<Found> {
  for (const match of text.matchAll(LINK_START)) {
    const link = linkAt(text, match.index);
    if (link !== null) yield { at: match.index, piece: { kind: "link", ...link } };
  }
}

function mentionsAmong(mentions: readonly string[]) {
  return function* (text: string): Iterable<Found> {
    for (const match of text.matchAll(MENTION)) {
      const user = match[1] ?? "";
      if (mentions.includes(user))
        yield { at: match.index, piece: { kind: "mention", text: match[0], user } };
    }
  };
}

/** Characters that turn, hide or control; unusual spaces stay as they are, since people type them. */
export function withMarks(text: string): readonly Piece[] {
  return split(text, unseen, (plain) => [{ kind: "text", text: plain }]);
}

function* unseen(text: string): Iterable<Found> {
  for (const { at, code } of findUnseen(text)) {
    const character = String.fromCodePoint(code);
    if (/\p{Cf}|\p{Cc}|\p{Default_Ignorable_Code_Point}|[\u2028\u2029]/u.test(character))
      yield { at, piece: { kind: "unseen", text: character, code, name: nameOf(code) } };
  }
}

/** A message of a few emoji and nothing else is shown large. */
const EMOJI_SHOWN_LARGE = 6;
const ONLY_EMOJI =
  /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})(?:\p{Emoji_Modifier}|\u200d|\ufe0f|\p{Extended_Pictographic})*\s*)+$/u;

export function isOnlyEmoji(text: string): boolean {
  if (text === "" || text.length > EMOJI_SHOWN_LARGE * 12 || !ONLY_EMOJI.test(text)) return false;
  const segments = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)];
  return segments.filter(({ segment }) => segment.trim() !== "").length <= EMOJI_SHOWN_LARGE;
}
