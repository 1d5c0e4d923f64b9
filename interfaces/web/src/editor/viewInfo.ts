/** What the page around the text wants to know of it: where the cursor is, and how much is selected. */

import type { Store } from "@chronoscribe/client";
import { getIndentUnit, indentUnit } from "@codemirror/language";
import type { EditorState, Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** Words of a larger selection are not counted: that would take longer than a frame. */
const COUNTED_CHARACTERS = 200_000;

export interface ViewInfo {
  readonly line: number;
  readonly column: number;
  readonly lines: number;
  readonly cursors: number;
  readonly characters: number;
  /** Null: too many to be counted. */
  readonly words: number | null;
  readonly isSelecting: boolean;
  readonly isFocused: boolean;
  readonly indentation: string;
}

const EMPTY: ViewInfo = Object.freeze({
  line: 1,
  column: 1,
  lines: 1,
  cursors: 1,
  characters: 0,
  words: 0,
  isSelecting: false,
  isFocused: false,
  indentation: "",
});

export class ViewInfoStore implements Store<ViewInfo> {
  private info = EMPTY;
  private frame: number | null = null;
  private readonly listeners = new Set<() => void>();

  readonly getSnapshot = (): ViewInfo => this.info;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Keeps this up to date, once for each frame. */
  readonly extension: Extension = EditorView.updateListener.of((update) => {
    if (update.docChanged || update.selectionSet || update.focusChanged) this.look(update.view);
  });

  look(view: EditorView): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const next = infoOf(view.state, view.hasFocus);
      if (JSON.stringify(next) === JSON.stringify(this.info)) return;
      this.info = Object.freeze(next);
      for (const listener of this.listeners) listener();
    });
  }
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

function infoOf(state: EditorState, isFocused: boolean): ViewInfo {
  const { main, ranges } = state.selection;
  const line = state.doc.lineAt(main.head);
  const length = ranges.reduce((sum, range) => sum + range.to - range.from, 0);
  const text =
    length <= COUNTED_CHARACTERS ? ranges.map(({ from, to }) => state.sliceDoc(from, to)).join("\n") : null;
  return {
    line: line.number,
    column: codePoints(line.text.slice(0, main.head - line.from)) + 1,
    lines: state.doc.lines,
    cursors: ranges.length,
    characters: text === null ? length : codePoints(text) - (ranges.length - 1),
    words: text === null ? null : wordsOf(text),
    isSelecting: length > 0,
    isFocused,
    indentation:
      state.facet(indentUnit) === "\t"
        ? "Tabs"
        : `${getIndentUnit(state)} ${getIndentUnit(state) === 1 ? "space" : "spaces"}`,
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function wordsOf(text: string): number {
  let count = 0;
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike === true) count += 1;
  return count;
}
