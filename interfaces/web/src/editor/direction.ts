/** Lines with letters that are written from right to left take their direction from their first letter. */

import { type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
const AUTOMATIC = Decoration.line({ attributes: { dir: "auto" } });

function directions(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      if (RIGHT_TO_LEFT.test(line.text)) builder.add(line.from, line.from, AUTOMATIC);
      at = line.to + 1;
    }
  }
  return builder.finish();
}

export const lineDirections: Extension = [
  EditorView.perLineTextDirection.of(true),
  ViewPlugin.define(
    (view) => ({
      lines: directions(view),
      update(update: ViewUpdate) {
        if (update.docChanged || update.viewportChanged) this.lines = directions(update.view);
      },
    }),
    { decorations: (plugin) => plugin.lines },
  ),
];
