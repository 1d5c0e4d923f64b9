/** Places of the text that light up for a moment: where one has jumped to, and where two people wrote at once. */

import { type EditorState, type Extension, RangeSet, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/** As long as one looks for it; the animation in editor.css is as long. */
const FLASH_MS = 1800;

export type FlashKind = "jump" | "conflict";

export interface Flash {
  readonly from: number;
  readonly to: number;
  readonly kind: FlashKind;
}

const lit = StateEffect.define<readonly Flash[]>();
const dark = StateEffect.define<null>();

const MARKS: Readonly<Record<FlashKind, Decoration>> = {
  jump: Decoration.mark({ class: "cm-flash cm-flash-jump" }),
  conflict: Decoration.mark({ class: "cm-flash cm-flash-conflict" }),
};
const LINE = Decoration.line({ class: "cm-flash-line" });

const flashes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    let next = shown.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(dark)) next = Decoration.none;
      if (effect.is(lit)) next = decorations(effect.value, transaction.state);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function decorations(places: readonly Flash[], state: EditorState): DecorationSet {
  const length = state.doc.length;
  const ranges = places
    .map(({ from, to, kind }) => ({ from: Math.min(from, length), to: Math.min(to, length), kind }))
    .map(({ from, to, kind }) =>
      from === to ? LINE.range(state.doc.lineAt(from).from) : MARKS[kind].range(from, to),
    );
  return RangeSet.of(ranges, true);
}

const darkening = new WeakMap<EditorView, ReturnType<typeof setTimeout>>();

/** Not to be called while the view is updating. An empty place lights up its line. */
export function flash(view: EditorView, places: readonly Flash[]): void {
  if (places.length === 0) return;
  clearTimeout(darkening.get(view));
  view.dispatch({ effects: lit.of(places) });
  darkening.set(
    view,
    setTimeout(() => view.dispatch({ effects: dark.of(null) }), FLASH_MS),
  );
}

export const flashing: Extension = flashes;
