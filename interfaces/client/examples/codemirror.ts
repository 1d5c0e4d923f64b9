import type { Change, DocumentHandle } from "@chronoscribe/client";
import { Annotation, EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** Marks what has come from the room, so that it is not sent back. */
const fromRoom = Annotation.define<boolean>();

export function openEditor(parent: HTMLElement, handle: DocumentHandle, extensions: Extension): EditorView {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: handle.text,
      extensions: [
        extensions,
        EditorState.lineSeparator.of("\n"), // other line ends stay what they are
        EditorView.updateListener.of((update) => {
          for (const transaction of update.transactions) {
            if (!transaction.docChanged || transaction.annotation(fromRoom)) continue;
            const changes: Change[] = [];
            transaction.changes.iterChanges((from, to, _fromNew, _toNew, insert) =>
              changes.push({ from, to, insert: insert.toString() }),
            );
            handle.edit(changes);
          }
          if (update.selectionSet) handle.setCursor(update.state.selection.main);
        }),
      ],
    }),
  });
  handle.onText(({ changes, isOwn }) => {
    if (isOwn) return; // the view has it already
    view.dispatch({ changes: [...changes], annotations: fromRoom.of(true) });
  });
  return view;
}
