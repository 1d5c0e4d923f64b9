/** Where each document was left, so that a tab shows the same place when one comes back to it. */

import type { DocumentHandle } from "@chronoscribe/client";
import { EditorSelection, type EditorState, type StateEffect } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

interface Left {
  readonly selection: EditorSelection;
  readonly scroll: StateEffect<unknown>;
  readonly length: number;
}

const left = new WeakMap<DocumentHandle, Left>();

export function leavePlace(handle: DocumentHandle, view: EditorView): void {
  left.set(handle, {
    selection: view.state.selection,
    scroll: view.scrollSnapshot(),
    length: view.state.doc.length,
  });
}

export function selectionLeft(handle: DocumentHandle, length: number): EditorSelection | undefined {
  const selection = left.get(handle)?.selection;
  if (selection === undefined) return undefined;
  const { anchor, head } = selection.main;
  return EditorSelection.single(Math.min(anchor, length), Math.min(head, length));
}

/** Only when the text is as long as it was: a scroll position counts lines. */
export function scrollLeft(handle: DocumentHandle, state: EditorState): StateEffect<unknown> | undefined {
  const place = left.get(handle);
  return place !== undefined && place.length === state.doc.length ? place.scroll : undefined;
}
