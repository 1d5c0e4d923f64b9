/** A document of the room, as the page shows it: the text, what one does with it, and how it is with it. */

import type { DocumentHandle } from "@chronoscribe/client";
import type { EditorView } from "@codemirror/view";
import { FileWarning } from "lucide-react";
import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { createPortal } from "react-dom";
import { useDialogs } from "../dialogs/store.ts";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { FollowBanner, ReadOnlyBanner, StrandedBanner, whyReadOnly } from "./EditorBanner.tsx";
import { EditorToolbar } from "./EditorToolbar.tsx";
import { copyLink, selectedPassage } from "./passage.ts";
import { usePreferences } from "./preferences.ts";
import { SelectionToolbar } from "./SelectionToolbar.tsx";
import { StatusLine } from "./StatusLine.tsx";
import { hideSelectionTooltip, selectionTooltip } from "./selectionTooltip.ts";
import { TouchKeys } from "./TouchKeys.tsx";
import { useClosing } from "./useClosing.ts";
import { useEditorView } from "./useEditorView.ts";
import { useFollow } from "./useFollow.ts";
import { useJump } from "./useJump.ts";
import { useUndo } from "./useUndo.ts";
import { ViewInfoStore } from "./viewInfo.ts";
import "./editor.css";

export function Editor({ document }: { readonly document: string }) {
  return <OpenDocument key={document} document={document} />;
}

const HAS_TEXT: ReadonlySet<string> = new Set(["open", "offline", "stranded"]);

function OpenDocument({ document }: { readonly document: string }) {
  const room = useRoom();
  const handle = useMemo(() => room.open(document), [room, document]);
  const status = useSelected(handle, (snapshot) => snapshot.status);
  const whyNot = useSelected(handle, (snapshot) => snapshot.why);
  const isRoomClosed = useSelected(room.state, (state) => state.isClosed);
  const role = useSelected(room.state, (state) => state.me?.role ?? null);
  const me = useSelected(room.state, (state) => state.me?.user ?? null);
  const size = usePreferences((preferences) => preferences.size);
  const why = whyReadOnly(status, whyNot, isRoomClosed, role);
  const hasText = HAS_TEXT.has(status);
  const mayWrite = hasText && why === null;

  const host = useRef<HTMLDivElement>(null);
  const viewNow = useRef<EditorView | null>(null);
  const [info] = useState(() => new ViewInfoStore());
  const [lastEditor, setLastEditor] = useState<string | null>(null);
  const [toolbarHost] = useState(() => {
    const made = window.document.createElement("div");
    made.className = "selection-toolbar-host";
    return made;
  });
  const extensions = useMemo(() => selectionTooltip(toolbarHost), [toolbarHost]);
  const undo = useUndo(handle);
  const comment = useCallback(() => commentOn(viewNow.current, handle), [handle]);
  const redact = useCallback(() => redactPassage(viewNow.current, handle), [handle]);
  const askWhen = useCallback(() => askWhenWritten(viewNow.current, handle), [handle]);

  const view = useEditorView(host, {
    handle,
    hasText,
    mayWrite,
    info,
    extensions,
    onChangedBy: setLastEditor,
    isTakingBack: undo.isTakingBack,
    actions: { undo: undo.undo, redo: undo.redo, comment, askWhen, stopFollowing },
  });
  viewNow.current = view;
  useJump(view, document);
  useClosing(handle);
  const followed = useFollow(view, handle);
  useDevelopersAccess(view, handle);
  const isFocused = useSelected(info, (seen) => seen.isFocused);
  const savedAt = useSelected(handle, (snapshot) => snapshot.savedAt);
  useEffect(() => {
    if (savedAt !== null && me !== null) setLastEditor(me);
  }, [savedAt, me]);

  if (status === "refused") return <NotOpened why={whyNot} handle={handle} />;
  return (
    <section
      className="editor"
      aria-label={document}
      style={{ "--editor-size-chosen": `${size}px` } as CSSProperties}
    >
      <EditorToolbar view={view} undo={undo} mayWrite={mayWrite} askWhen={askWhen} />
      {why === null ? null : status === "stranded" ? (
        <StrandedBanner why={why} handle={handle} />
      ) : (
        <ReadOnlyBanner why={why} />
      )}
      {followed === null ? null : <FollowBanner person={followed} />}
      <div className="editor-text" ref={host}>
        {hasText ? null : <Skeleton isClosed={status === "closed"} />}
      </div>
      {view !== null && isFocused && mayWrite ? <TouchKeys view={view} undo={undo} /> : null}
      <StatusLine handle={handle} info={info} lastEditor={lastEditor} />
      {view === null
        ? null
        : createPortal(
            <SelectionToolbar
              comment={comment}
              askWhen={() => {
                askWhen();
                hideSelectionTooltip(view);
              }}
              copyLink={() => copyLink(room.room, view, handle)}
              redact={role === "owner" && !isRoomClosed ? redact : null}
            />,
            toolbarHost,
          )}
    </section>
  );
}

/** Write in the chat about what is selected, or about the line of the cursor. */
async function commentOn(view: EditorView | null, handle: DocumentHandle): Promise<void> {
  if (view === null) return;
  if (view.state.selection.main.empty) selectLine(view);
  useWorkspace.getState().draftLink(await selectedPassage(view, handle));
  hideSelectionTooltip(view);
}

/** Ask what of it is to go, and why. */
async function redactPassage(view: EditorView | null, handle: DocumentHandle): Promise<void> {
  if (view === null) return;
  const { text, ...passage } = await selectedPassage(view, handle);
  hideSelectionTooltip(view);
  useDialogs.getState().open({ kind: "redact", what: { passage, text } });
}

function selectLine(view: EditorView): void {
  const { from, to } = view.state.doc.lineAt(view.state.selection.main.head);
  view.dispatch({ selection: { anchor: from, head: to } });
}

/** The history of the character at the cursor, or of the first one that is selected. */
function askWhenWritten(view: EditorView | null, handle: DocumentHandle): void {
  if (view === null || view.state.doc.length === 0) return;
  const { from, empty, head } = view.state.selection.main;
  // At the end of a line one means the letter before.
  const line = view.state.doc.lineAt(head);
  const position = empty && head === line.to && head > line.from ? head - 1 : from;
  useWorkspace.getState().showHistory({
    kind: "character",
    document: handle.document,
    position: handle.toCodePoints(Math.min(position, view.state.doc.length - 1)),
    revision: handle.getSnapshot().revision,
  });
}

function stopFollowing(): boolean {
  const { following, follow } = useWorkspace.getState();
  if (following === null) return false;
  follow(null);
  return true;
}

function Skeleton({ isClosed }: { readonly isClosed: boolean }) {
  if (isClosed) return null;
  return (
    <div className="editor-skeleton" role="status" aria-label="The text is on its way">
      {["62%", "80%", "35%", "0", "71%", "54%", "88%", "22%"].map((width, line) => (
        <span key={line} style={{ width }} />
      ))}
    </div>
  );
}

function NotOpened({ why, handle }: { readonly why: string; readonly handle: DocumentHandle }) {
  return (
    <section className="editor-refused" aria-label={handle.document} role="alert">
      <FileWarning aria-hidden="true" />
      <h2>
        <bdi>{handle.document}</bdi> could not be opened
      </h2>
      <p>{why}</p>
      <Button onPress={() => handle.openAfresh()}>Try again</Button>
    </section>
  );
}

declare global {
  interface Window {
    /** For developers, at the browser's console. */
    chronoscribe?: {
      room?: unknown;
      /** The text in the editor that is shown. */
      text?(): string;
      view?: EditorView;
      handle?: DocumentHandle;
      /** Go along with a user. */
      follow?(user: string | null): void;
    };
  }
}

function useDevelopersAccess(view: EditorView | null, handle: DocumentHandle): void {
  useEffect(() => {
    if (view === null) return;
    const { follow } = useWorkspace.getState();
    window.chronoscribe = {
      ...window.chronoscribe,
      view,
      handle,
      follow,
      text: () => view.state.doc.toString(),
    };
    return () => {
      if (window.chronoscribe?.view !== view) return;
      const { view: _view, handle: _handle, text: _text, ...others } = window.chronoscribe;
      window.chronoscribe = others;
    };
  }, [view, handle]);
}
