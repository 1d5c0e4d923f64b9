/** Marks at the right side of the text: where in the whole document the others are. A click goes there. */

import type { Extension } from "@codemirror/state";
import { EditorView, type PluginValue, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { remoteCursors } from "./remoteCursors.ts";

interface Mark {
  readonly client: string;
  readonly name: string;
  readonly colour: string;
  readonly head: number;
  readonly top: number;
}

interface Ruler {
  readonly marks: readonly Mark[];
  readonly top: number;
  readonly height: number;
  readonly right: number;
}

class Overview implements PluginValue {
  private readonly dom = document.createElement("div");
  private readonly shown = new Map<string, HTMLElement>();
  private readonly view: EditorView;
  private heads = new Map<string, number>();
  private readonly measure = {
    key: this,
    read: (view: EditorView) => read(view),
    write: (ruler: Ruler) => this.write(ruler),
  };

  constructor(view: EditorView) {
    this.view = view;
    this.dom.className = "cm-overview";
    // The list of people says the same in words, and jumps there as well.
    this.dom.setAttribute("aria-hidden", "true");
    this.dom.addEventListener("mousedown", this.onPress);
    view.dom.append(this.dom);
    view.requestMeasure(this.measure);
  }

  update(update: ViewUpdate): void {
    const hasMoved = update.startState.field(remoteCursors) !== update.state.field(remoteCursors);
    if (hasMoved || update.docChanged || update.geometryChanged) update.view.requestMeasure(this.measure);
  }

  destroy(): void {
    this.dom.remove();
  }

  private write({ marks, top, height, right }: Ruler): void {
    this.dom.style.top = `${top}px`;
    this.dom.style.height = `${height}px`;
    this.dom.style.right = `${right}px`;
    this.heads = new Map(marks.map(({ client, head }) => [client, head]));
    for (const [client, dom] of this.shown) {
      if (this.heads.has(client)) continue;
      dom.remove();
      this.shown.delete(client);
    }
    for (const mark of marks) this.draw(mark, height);
  }

  private draw(mark: Mark, height: number): void {
    let dom = this.shown.get(mark.client);
    if (dom === undefined) {
      dom = document.createElement("div");
      dom.className = "cm-overview-mark";
      dom.dataset.client = mark.client;
      this.shown.set(mark.client, dom);
      this.dom.append(dom);
    }
    if (dom.title !== mark.name) dom.title = mark.name;
    dom.style.setProperty("--person", mark.colour);
    dom.style.transform = `translateY(${Math.round(mark.top * Math.max(0, height - 6))}px)`;
  }

  private readonly onPress = (event: MouseEvent): void => {
    const head = this.heads.get((event.target as HTMLElement).dataset.client ?? "");
    if (head === undefined) return;
    event.preventDefault();
    this.view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "center" }) });
  };
}

function read(view: EditorView): Ruler {
  const { scrollDOM } = view;
  const marks = view.state.field(remoteCursors).map(({ client, name, colour, head }) => {
    const position = Math.min(head, view.state.doc.length);
    return { client, name, colour, head: position, top: view.lineBlockAt(position).top / view.contentHeight };
  });
  return {
    marks,
    top: scrollDOM.offsetTop,
    height: scrollDOM.clientHeight,
    right: scrollDOM.offsetWidth - scrollDOM.clientWidth,
  };
}

export const overviewRuler: Extension = ViewPlugin.fromClass(Overview);
