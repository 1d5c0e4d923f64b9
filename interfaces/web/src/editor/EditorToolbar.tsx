/** What one does with a text, above it. */

import { openSearchPanel } from "@codemirror/search";
import type { EditorView } from "@codemirror/view";
import { AArrowDown, AArrowUp, History, LoaderCircle, Redo2, Search, Undo2, WrapText } from "lucide-react";
import { Toolbar } from "react-aria-components";
import { usePreferences } from "./preferences.ts";
import { keysOf, ToolButton } from "./ToolButton.tsx";
import type { Undo } from "./useUndo.ts";

interface EditorToolbarProps {
  readonly view: EditorView | null;
  readonly undo: Undo;
  readonly mayWrite: boolean;
  askWhen(): void;
}

export function EditorToolbar({ view, undo, mayWrite, askWhen }: EditorToolbarProps) {
  const { wraps, setWraps, resize } = usePreferences();
  return (
    <div className="editor-toolbar">
      <Toolbar aria-label="Text">
        <ToolButton
          label="Undo what I did last"
          keys={keysOf("Mod-Z")}
          isDisabled={!mayWrite}
          onPress={undo.undo}
        >
          {undo.waiting === "undo" ? <LoaderCircle className="is-turning" /> : <Undo2 />}
        </ToolButton>
        <ToolButton label="Redo" keys={keysOf("Mod-Y")} isDisabled={!mayWrite} onPress={undo.redo}>
          {undo.waiting === "redo" ? <LoaderCircle className="is-turning" /> : <Redo2 />}
        </ToolButton>
        <span className="editor-toolbar-gap" />
        <ToolButton
          label="Find and replace"
          keys={keysOf("Mod-F")}
          isDisabled={view === null}
          onPress={() => view !== null && openSearchPanel(view)}
        >
          <Search />
        </ToolButton>
        <ToolButton
          label="When was this written?"
          keys={keysOf("Mod-Alt-H")}
          isDisabled={view === null}
          onPress={askWhen}
        >
          <History />
        </ToolButton>
        <span className="editor-toolbar-gap" />
        <ToolButton label="Wrap long lines" isPressed={wraps} onPress={() => setWraps(!wraps)}>
          <WrapText />
        </ToolButton>
        <ToolButton label="Smaller letters" onPress={() => resize(-1)}>
          <AArrowDown />
        </ToolButton>
        <ToolButton label="Larger letters" onPress={() => resize(1)}>
          <AArrowUp />
        </ToolButton>
      </Toolbar>
      <span role="status" className="editor-said">
        {undo.said}
      </span>
    </div>
  );
}
