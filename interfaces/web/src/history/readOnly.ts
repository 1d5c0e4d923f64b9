/** What every read-only view of a text of the past is made of. */

import { Compartment, EditorState, type Extension, StateEffect } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { nonce } from "../editor/extensions.ts";
import { languageExtensions, languageOf } from "../editor/languages.ts";
import { unseenCharacters } from "../editor/specialCharacters.ts";
import { looks } from "../editor/theme.ts";

export function readOnly(label: string): Extension {
  return [
    EditorState.lineSeparator.of("\n"),
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.cspNonce.of(nonce()),
    EditorView.contentAttributes.of({
      "aria-label": label,
      tabindex: "0",
      role: "textbox",
      "aria-readonly": "true",
      "aria-multiline": "true",
    }),
    EditorView.lineWrapping,
    lineNumbers(),
    unseenCharacters,
    looks,
  ];
}

/** Colours come when they are there. */
export function colourLater(view: EditorView, document: string, text: string): void {
  const language = new Compartment();
  languageExtensions(languageOf(document), text).then(
    (extension) => view.dispatch({ effects: StateEffect.appendConfig.of(language.of(extension)) }),
    () => {}, // then it has none
  );
}

/** The place of the text under a click: of a letter, not of what is behind the end of a line. */
export function onClickedLetter(asked: (at: number) => void): Extension {
  return EditorView.domEventHandlers({
    click: (event, view) => {
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY }, false);
      const { length } = view.state.doc;
      if (length === 0 || !view.state.selection.main.empty || !isSelectionEmpty()) return false;
      const line = view.state.doc.lineAt(at);
      // Where the pointer is on the right half of a letter, the nearest place is behind it.
      const place = view.coordsAtPos(at, 1);
      const isBehind = place !== null && event.clientX < place.left && at > line.from;
      asked(Math.max(0, Math.min(isBehind || (at === line.to && at > line.from) ? at - 1 : at, length - 1)));
      return false;
    },
  });
}

function isSelectionEmpty(): boolean {
  return window.getSelection()?.isCollapsed ?? true;
}
