/** Keys that a phone's keyboard does not have, above it. */

import {
  cursorCharLeft,
  cursorCharRight,
  cursorLineDown,
  cursorLineUp,
  indentLess,
  indentMore,
  insertTab,
} from "@codemirror/commands";
import type { EditorView } from "@codemirror/view";
import {
  ArrowDown,
  ArrowLeft,
  ArrowRight,
  ArrowRightToLine,
  ArrowUp,
  IndentDecrease,
  IndentIncrease,
  KeyboardOff,
  Redo2,
  Undo2,
} from "lucide-react";
import type { ComponentType, MouseEvent } from "react";
import type { Undo } from "./useUndo.ts";

interface TouchKeysProps {
  readonly view: EditorView;
  readonly undo: Undo;
}

export function TouchKeys({ view, undo }: TouchKeysProps) {
  const keys: readonly [string, ComponentType, () => unknown][] = [
    ["Undo", Undo2, undo.undo],
    ["Redo", Redo2, undo.redo],
    ["Tab", ArrowRightToLine, () => insertTab(view)],
    ["Indent less", IndentDecrease, () => indentLess(view)],
    ["Indent more", IndentIncrease, () => indentMore(view)],
    ["Left", ArrowLeft, () => cursorCharLeft(view)],
    ["Up", ArrowUp, () => cursorLineUp(view)],
    ["Down", ArrowDown, () => cursorLineDown(view)],
    ["Right", ArrowRight, () => cursorCharRight(view)],
    ["Hide the keyboard", KeyboardOff, () => view.contentDOM.blur()],
  ];
  return (
    <div className="touch-keys" role="toolbar" aria-label="Keys">
      {keys.map(([label, Icon, press]) => (
        // A press on a button of React Aria takes the focus, and with it goes the keyboard.
        <button
          key={label}
          type="button"
          aria-label={label}
          tabIndex={-1}
          onPointerDown={keepFocus}
          onMouseDown={keepFocus}
          onClick={press}
        >
          <Icon />
        </button>
      ))}
    </div>
  );
}

function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}
