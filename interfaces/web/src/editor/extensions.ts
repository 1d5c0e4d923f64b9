/** Everything that the view of a text is made of, beside the text itself. */

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completeAnyWord,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, indentLess, indentMore } from "@codemirror/commands";
import {
  bidiIsolates,
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec, Text } from "@codemirror/state";
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder,
  rectangularSelection,
  tooltips,
} from "@codemirror/view";
import { lineDirections } from "./direction.ts";
import { flashing } from "./flash.ts";
import { indentationOf, usualIndentation } from "./indentation.ts";
import { overviewRuler } from "./overview.ts";
import { collaboratorCursors } from "./remoteCursors.ts";
import { unseenCharacters } from "./specialCharacters.ts";
import { looks } from "./theme.ts";
import { onlyStorable } from "./wellFormed.ts";

/** What of the view can change while it is open. */
export const parts = {
  language: new Compartment(),
  completion: new Compartment(),
  wrapping: new Compartment(),
  writing: new Compartment(),
};

export interface Actions {
  undo(): void;
  redo(): void;
  /** Write in the chat about what is selected. Rejects when it is not saved. */
  comment(): Promise<void>;
  /** When was this written? */
  askWhen(): void;
  /** Stop following somebody; false when there is nobody. */
  stopFollowing(): boolean;
}

export function baseExtensions(document: string, text: string, actions: Actions): Extension {
  return [
    // Line ends stay what they are: a CR is a character like others (and shown), not half of one.
    EditorState.lineSeparator.of("\n"),
    EditorState.allowMultipleSelections.of(true),
    EditorView.cspNonce.of(nonce()),
    EditorView.clipboardInputFilter.of((pasted, state) => withLineEndsOf(state, pasted)),
    EditorView.contentAttributes.of({
      "aria-label": `Document ${document}`,
      tabindex: "0",
      spellcheck: "false",
      autocorrect: "off",
      autocapitalize: "off",
      "data-gramm": "false",
    }),
    onlyStorable,
    undoing(actions),
    Prec.high(
      keymap.of([
        { key: "Mod-Alt-m", run: handled(() => void actions.comment().catch(() => {})) },
        { key: "Mod-Alt-h", run: handled(actions.askWhen) },
        { key: "Escape", run: () => actions.stopFollowing() },
      ]),
    ),
    lineNumbers(),
    highlightActiveLineGutter(),
    foldGutter({ openText: "▾", closedText: "▸" }),
    codeFolding(),
    unseenCharacters,
    lineDirections,
    bidiIsolates(),
    drawSelection(),
    dropCursor(),
    indentUnit.of(indentationOf(Text.of(text.split("\n")), usualIndentation(document))),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    rectangularSelection(),
    crosshairCursor(),
    highlightActiveLine(),
    highlightSelectionMatches({ minSelectionLength: 2 }),
    search({ top: true }),
    EditorState.phrases.of(PHRASES),
    // What stands beside the text covers no panel.
    tooltips({ tooltipSpace: (view) => view.dom.getBoundingClientRect() }),
    flashing,
    collaboratorCursors,
    overviewRuler,
    placeholder("Write something. Everyone in the room sees it as you type."),
    EditorState.languageData.of(() => [{ autocomplete: completeAnyWord }]),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...searchKeymap,
      ...foldKeymap,
      { key: "Tab", run: indentMore, shift: indentLess },
      ...defaultKeymap,
    ]),
    looks,
    parts.language.of([]),
    parts.completion.of(completion(true)),
    parts.wrapping.of([]),
    parts.writing.of([]),
  ];
}

/** The search panel's words, as other buttons are written. */
const PHRASES = {
  next: "Next",
  previous: "Previous",
  all: "All",
  "match case": "Match case",
  regexp: "Regex",
  "by word": "Whole words",
  replace: "Replace",
  "replace all": "Replace all",
  close: "Close",
} as const;

export function completion(inProse: boolean): Extension {
  return autocompletion({ activateOnTyping: !inProse, icons: false, maxRenderedOptions: 30 });
}

export function wrapping(wraps: boolean): Extension {
  return wraps ? EditorView.lineWrapping : [];
}

/** Who may only read has a cursor all the same, but no keyboard comes up for it. */
export function writing(mayWrite: boolean): Extension {
  if (mayWrite) return [];
  return [
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ "aria-readonly": "true", inputmode: "none" }),
  ];
}

/**
 * Undo is the server's: it takes back one's own last step and leaves what others wrote meanwhile. There is no
 * history in the view. Phones and menus ask for it without a key.
 */
function undoing(actions: Actions): Extension {
  return [
    Prec.highest(
      keymap.of([
        { key: "Mod-z", run: handled(actions.undo), preventDefault: true },
        { key: "Mod-y", run: handled(actions.redo), preventDefault: true },
        { key: "Mod-Shift-z", run: handled(actions.redo), preventDefault: true },
      ]),
    ),
    EditorView.domEventHandlers({
      beforeinput: (event) => {
        if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return false;
        event.preventDefault();
        if (event.inputType === "historyUndo") actions.undo();
        else actions.redo();
        return true;
      },
    }),
  ];
}

function handled(action: () => void): () => true {
  return () => {
    action();
    return true;
  };
}

/** What is pasted takes the document's line ends, and brings no others in. */
function withLineEndsOf(state: EditorState, pasted: string): string {
  const hasCarriageReturns = state.doc.lines > 1 && state.doc.line(1).text.endsWith("\r");
  return pasted.replace(/\r\n?|\n/g, hasCarriageReturns ? "\r\n" : "\n");
}

export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}
