/**
 * A place beside the selection for the toolbar that React renders: shown when a selection has come to rest, gone
 * as soon as it changes.
 */

import { type EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, showTooltip, type Tooltip, ViewPlugin, type ViewUpdate } from "@codemirror/view";

/** While one still selects the toolbar would be in the way. */
const REST_MS = 350;

const atRest = StateEffect.define<boolean>();

/** `host` is where the toolbar is rendered; it stays the same. */
export function selectionTooltip(host: HTMLElement): Extension {
  const shown = StateField.define<Tooltip | null>({
    create: () => null,
    update(tooltip, transaction) {
      if (transaction.docChanged || transaction.selection !== undefined) return null;
      const rest = transaction.effects.findLast((effect) => effect.is(atRest));
      if (rest === undefined) return tooltip;
      // Another one in its place would take the focus from its buttons.
      return rest.value === true ? (tooltip ?? tooltipFor(transaction.state, host)) : null;
    },
    provide: (field) => showTooltip.from(field),
  });
  return [shown, waiting];
}

function tooltipFor(state: EditorState, host: HTMLElement): Tooltip | null {
  const { main } = state.selection;
  if (main.empty) return null;
  const isTouched = matchMedia("(pointer: coarse)").matches;
  return {
    // A phone has its own menu above the selection.
    pos: isTouched ? main.to : main.head,
    above: !isTouched && main.head === main.from,
    strictSide: false,
    arrow: false,
    create: () => ({ dom: host, offset: { x: 0, y: 6 } }),
  };
}

const waiting = ViewPlugin.fromClass(
  class {
    private timer: ReturnType<typeof setTimeout> | null = null;
    private readonly view: EditorView;

    constructor(view: EditorView) {
      this.view = view;
    }

    update(update: ViewUpdate): void {
      if (update.selectionSet || update.docChanged) this.wait();
      if (update.focusChanged && !update.view.hasFocus) this.wait();
    }

    destroy(): void {
      if (this.timer !== null) clearTimeout(this.timer);
    }

    private wait(): void {
      if (this.timer !== null) clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.timer = null;
        const { view } = this;
        if (view.composing) return;
        const isInToolbar = view.dom.contains(document.activeElement);
        view.dispatch({ effects: atRest.of(isInToolbar && !view.state.selection.main.empty) });
      }, REST_MS);
    }
  },
);

export const hideSelectionTooltip = (view: EditorView): void => view.dispatch({ effects: atRest.of(false) });
