/**
 * Others' cursors and selections over the text: a line in the person's colour, with a flag that tells the name
 * when it moves or a pointer comes near, and then fades.
 *
 * They are drawn beside the text, not in it, so that a cursor that moves changes no line; all that have moved
 * are measured and written together, once for each frame.
 */

import type { RemoteCursor } from "@chronoscribe/client";
import { EditorSelection, type Extension, StateEffect, StateField } from "@codemirror/state";
import {
  type EditorView,
  type PluginValue,
  RectangleMarker,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { inkOn } from "./colours.ts";

/** A flag is read in this time, and is in the way after it. */
const FLAG_MS = 2_500;
/** Of more nobody could read the text: then those who moved last are named. */
const FLAGS_AT_ONCE = 8;
/** How near a pointer comes to a cursor to ask for its name. */
const NEAR_PX = 7;
const FLAG_HEIGHT_PX = 16;
/** What a letter of a flag takes about: flags only have to keep out of each other's way. */
const LETTER_PX = 6.5;
const FLAG_PADDING_PX = 14;

/** Positions are of the text after the transaction. */
export const setRemoteCursors = StateEffect.define<readonly RemoteCursor[]>();

export const remoteCursors = StateField.define<readonly RemoteCursor[]>({
  create: () => [],
  update(cursors, transaction) {
    const told = transaction.effects.findLast((effect) => effect.is(setRemoteCursors));
    const length = transaction.newDoc.length;
    if (told !== undefined)
      return (told.value as readonly RemoteCursor[]).map((cursor) => ({
        ...cursor,
        anchor: Math.min(cursor.anchor, length),
        head: Math.min(cursor.head, length),
      }));
    if (!transaction.docChanged || cursors.length === 0) return cursors;
    return cursors.map((cursor) => ({
      ...cursor,
      anchor: transaction.changes.mapPos(cursor.anchor),
      head: transaction.changes.mapPos(cursor.head),
    }));
  },
});

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Measured {
  readonly cursor: RemoteCursor;
  readonly caret: Box;
  readonly selection: readonly Box[];
}

/** Of what is scrolled: how wide it is, and where its first visible line is. */
interface Frame {
  readonly width: number;
  readonly top: number;
}

interface Drawing extends Frame {
  readonly boxes: ReadonlyMap<string, Measured>;
}

/** One cursor on the screen. */
class Caret {
  readonly dom = element("cm-person-caret");
  readonly flag = element("cm-person-flag");
  readonly selection: HTMLElement[] = [];
  box: Box = { left: 0, top: 0, width: 0, height: 0 };
  name = "";
  at = -1;
  shownUntil = 0;
  isNear = false;
  private colour = "";

  constructor() {
    this.dom.append(this.flag);
  }

  get isShown(): boolean {
    return this.isNear || this.shownUntil > performance.now();
  }

  get flagWidth(): number {
    return this.name.length * LETTER_PX + FLAG_PADDING_PX;
  }

  draw({ cursor, caret, selection }: Measured, parent: HTMLElement): void {
    if (cursor.name !== this.name) this.flag.textContent = this.name = cursor.name;
    if (cursor.colour !== this.colour) this.paint(cursor.colour);
    if (cursor.at !== this.at) {
      this.at = cursor.at;
      this.shownUntil = performance.now() + FLAG_MS;
    }
    if (caret.left !== this.box.left || caret.top !== this.box.top || caret.height !== this.box.height) {
      this.dom.style.transform = `translate(${caret.left}px, ${caret.top}px)`;
      this.dom.style.height = `${caret.height}px`;
      this.box = caret;
    }
    while (this.selection.length > selection.length) this.selection.pop()!.remove();
    selection.forEach((box, index) => {
      const dom = this.selection[index] ?? this.addPart(parent);
      dom.style.transform = `translate(${box.left}px, ${box.top}px)`;
      dom.style.width = `${box.width}px`;
      dom.style.height = `${box.height}px`;
    });
  }

  remove(): void {
    this.dom.remove();
    for (const part of this.selection) part.remove();
  }

  private paint(colour: string): void {
    this.colour = colour;
    for (const dom of [this.dom, ...this.selection]) dom.style.setProperty("--person", colour);
    this.flag.style.color = inkOn(colour);
  }

  private addPart(parent: HTMLElement): HTMLElement {
    const part = element("cm-person-selection");
    this.selection.push(part);
    parent.append(part);
    part.style.setProperty("--person", this.colour);
    return part;
  }
}

class CursorLayer implements PluginValue {
  private readonly carets = new Map<string, Caret>();
  private readonly above = element("cm-people-layer");
  private readonly below = element("cm-people-layer cm-people-below");
  private fading: ReturnType<typeof setTimeout> | null = null;
  private readonly view: EditorView;
  private readonly measure = {
    key: this,
    read: (view: EditorView) => this.read(view),
    write: (drawing: Drawing) => this.write(drawing),
  };

  constructor(view: EditorView) {
    this.view = view;
    for (const layer of [this.above, this.below]) layer.setAttribute("aria-hidden", "true");
    view.scrollDOM.append(this.above);
    view.scrollDOM.prepend(this.below);
    view.scrollDOM.addEventListener("mousemove", this.onPointer);
    view.scrollDOM.addEventListener("mouseleave", this.onPointer);
    view.requestMeasure(this.measure);
  }

  update(update: ViewUpdate): void {
    const hasMoved = update.startState.field(remoteCursors) !== update.state.field(remoteCursors);
    if (hasMoved || update.docChanged || update.viewportChanged || update.geometryChanged)
      update.view.requestMeasure(this.measure);
  }

  destroy(): void {
    if (this.fading !== null) clearTimeout(this.fading);
    this.view.scrollDOM.removeEventListener("mousemove", this.onPointer);
    this.view.scrollDOM.removeEventListener("mouseleave", this.onPointer);
    this.above.remove();
    this.below.remove();
  }

  private read(view: EditorView): Drawing {
    const boxes = new Map<string, Measured>();
    for (const cursor of view.state.field(remoteCursors)) {
      const measured = measure(view, cursor);
      if (measured !== null) boxes.set(cursor.client, measured);
    }
    return { boxes, ...frameOf(view) };
  }

  private write({ boxes, ...frame }: Drawing): void {
    for (const [client, caret] of this.carets) {
      if (boxes.has(client)) continue;
      caret.remove();
      this.carets.delete(client);
    }
    for (const [client, measured] of boxes) {
      let caret = this.carets.get(client);
      if (caret === undefined) {
        caret = new Caret();
        this.carets.set(client, caret);
        this.above.append(caret.dom);
      }
      caret.draw(measured, this.below);
    }
    this.placeFlags(frame);
  }

  /** Show the flags that are to be seen, each in the lowest row that is free there. */
  private placeFlags(frame: Frame): void {
    const taken: Place[] = [];
    const named = this.named();
    for (const caret of this.carets.values()) {
      const isShown = named.includes(caret);
      caret.dom.classList.toggle("is-shown", isShown);
      if (isShown) taken.push(placeFlag(caret, frame, taken));
    }
    const next = Math.min(...named.filter(({ isNear }) => !isNear).map(({ shownUntil }) => shownUntil));
    if (this.fading !== null) clearTimeout(this.fading);
    this.fading = Number.isFinite(next)
      ? setTimeout(() => this.placeFlags(frameOf(this.view)), Math.max(50, next - performance.now()))
      : null;
  }

  /** Whose flags are shown. */
  private named(): readonly Caret[] {
    const wanted = [...this.carets.values()].filter(({ isShown }) => isShown);
    if (wanted.length <= FLAGS_AT_ONCE) return wanted;
    return wanted
      .sort((one, other) => Number(other.isNear) - Number(one.isNear) || other.at - one.at)
      .slice(0, FLAGS_AT_ONCE);
  }

  private readonly onPointer = (event: MouseEvent): void => {
    if (this.carets.size === 0) return;
    const scroller = this.view.scrollDOM;
    const frame = scroller.getBoundingClientRect();
    const x = event.clientX - frame.left + scroller.scrollLeft;
    const y = event.clientY - frame.top + scroller.scrollTop;
    let hasChanged = false;
    for (const caret of this.carets.values()) {
      const { left, top, height } = caret.box;
      const isNear =
        event.type !== "mouseleave" && Math.abs(x - left) <= NEAR_PX && y >= top && y <= top + height;
      hasChanged ||= isNear !== caret.isNear;
      caret.isNear = isNear;
    }
    if (hasChanged) this.placeFlags(frameOf(this.view));
  };
}

interface Place {
  readonly left: number;
  readonly right: number;
  top: number;
}

/** Above the cursor, in the lowest row that is free there; below it where there is no room above. */
function placeFlag(caret: Caret, { width, top }: Frame, taken: readonly Place[]): Place {
  const { box, flagWidth } = caret;
  const isTurned = box.left + flagWidth > width && box.left > flagWidth;
  const left = isTurned ? box.left - flagWidth : box.left;
  const place: Place = { left, right: left + flagWidth, top: box.top - FLAG_HEIGHT_PX };
  while (taken.some((other) => overlap(place, other))) place.top -= FLAG_HEIGHT_PX;
  if (place.top < top) {
    place.top = box.top + box.height;
    while (taken.some((other) => overlap(place, other))) place.top += FLAG_HEIGHT_PX;
  }
  caret.dom.classList.toggle("is-turned", isTurned);
  caret.dom.classList.toggle("is-below", place.top > box.top);
  caret.flag.style.top = `${place.top - box.top}px`;
  return place;
}

function overlap(one: Place, other: Place): boolean {
  return one.left < other.right && other.left < one.right && Math.abs(one.top - other.top) < FLAG_HEIGHT_PX;
}

function frameOf({ scrollDOM }: EditorView): Frame {
  return { width: scrollDOM.scrollWidth, top: scrollDOM.scrollTop };
}

/** Where a cursor is, relative to what is scrolled; null when it is far from what is seen. */
function measure(view: EditorView, cursor: RemoteCursor): Measured | null {
  const { from, to } = view.viewport;
  const { anchor, head } = cursor;
  const start = Math.max(from, Math.min(anchor, head));
  const end = Math.min(to, Math.max(anchor, head));
  if (start > end) return null;
  const selection =
    start < end ? RectangleMarker.forRange(view, "", EditorSelection.range(start, end)).map(boxOf) : [];
  const at = Math.max(start, Math.min(end, head));
  const caret = RectangleMarker.forRange(view, "", EditorSelection.cursor(at))[0];
  return caret === undefined ? null : { cursor, caret: boxOf(caret), selection };
}

function boxOf({ left, top, width, height }: RectangleMarker): Box {
  return { left: Math.round(left), top, width: width ?? 0, height };
}

function element(className: string): HTMLElement {
  const dom = document.createElement("div");
  dom.className = className;
  return dom;
}

export const collaboratorCursors: Extension = [remoteCursors, ViewPlugin.fromClass(CursorLayer)];
