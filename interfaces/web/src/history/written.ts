/** What was just written into the text, in the colour of who wrote it, and what was taken out, struck through. */

import { type EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

/** While it plays: later nobody looks there any more. The animation in past.css is as long. */
const SEEN_MS = 2_600;
/** Of a long text that was taken out, its beginning. */
const DELETED_SHOWN = 240;
/** More at once would be confetti. */
const MOST = 40;

export interface Written {
  readonly from: number;
  readonly to: number;
  readonly deleted: string;
  readonly className: string;
}

interface Mark extends Written {
  readonly at: number;
}

/** `keeps`: beside what was written before, as long as that is seen. */
export const setWritten = StateEffect.define<{
  readonly written: readonly Written[];
  readonly keeps: boolean;
}>();

class Deleted extends WidgetType {
  private readonly text: string;
  private readonly className: string;

  constructor(text: string, className: string) {
    super();
    this.text = text;
    this.className = className;
  }

  override eq(other: Deleted): boolean {
    return other.text === this.text && other.className === this.className;
  }

  toDOM(): HTMLElement {
    const dom = document.createElement("del");
    dom.className = `past-deleted ${this.className}`;
    const { text } = this;
    dom.textContent = text.length > DELETED_SHOWN ? `${text.slice(0, DELETED_SHOWN)}…` : text;
    return dom;
  }
}

const marks = StateField.define<readonly Mark[]>({
  create: () => [],
  update(before, transaction) {
    const told = transaction.effects.findLast((effect) => effect.is(setWritten));
    const at = performance.now();
    const { changes } = transaction;
    const kept = (told?.value.keeps ?? true) ? before : [];
    if (told === undefined && changes.empty) return before;
    const moved = kept
      .filter((mark) => mark.at > at - SEEN_MS || told === undefined)
      .map((mark) => ({ ...mark, from: changes.mapPos(mark.from, -1), to: changes.mapPos(mark.to, 1) }));
    return [...moved, ...(told?.value.written ?? []).map((written) => ({ ...written, at }))].slice(-MOST);
  },
  provide: (field) => EditorView.decorations.from(field, (all) => (view) => decorations(all, view.state)),
});

function decorations(all: readonly Mark[], state: EditorState): DecorationSet {
  const { length } = state.doc;
  const ranges = all.flatMap(({ from, to, deleted, className }) => {
    const [begin, end] = [Math.min(from, length), Math.min(to, length)];
    const gone = new Deleted(deleted, className);
    return [
      ...(begin < end ? [Decoration.mark({ class: `past-new ${className}` }).range(begin, end)] : []),
      ...(deleted === "" ? [] : [Decoration.widget({ widget: gone, side: -1 }).range(begin)]),
    ];
  });
  return Decoration.set(ranges, true);
}

export const showsWritten: Extension = marks;
