/** The text as it was, with the cursors of that moment, in the place of the present one. */

import type { RemoteCursor, Stage } from "@chronoscribe/client";
import { EditorState, StateEffect } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { History, Undo2 } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { difference } from "../editor/difference.ts";
import { nonce } from "../editor/extensions.ts";
import { languageExtensions, languageOf } from "../editor/languages.ts";
import { overviewRuler } from "../editor/overview.ts";
import { collaboratorCursors, setRemoteCursors } from "../editor/remoteCursors.ts";
import { unseenCharacters } from "../editor/specialCharacters.ts";
import { looks } from "../editor/theme.ts";
import { Nothing, Waiting } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { pointsAt, unitsAt } from "./points.ts";
import { useHistory } from "./store.ts";
import { useStage } from "./useStage.ts";
import "../editor/editor.css";
import "./history.css";

export function PastView() {
  const { stage, at, status } = useStage();
  const chosen = useHistory((state) => state.document);
  const show = useHistory((state) => state.show);
  const leave = useHistory((state) => state.leave);
  const active = useWorkspace((state) => state.active);
  if (stage === null) return <Waiting>Travelling back…</Waiting>;
  const listed = [...stage.documents.values()].filter((document) => document.listed);
  const shown = listed.find(({ document }) => document === (chosen ?? active)) ?? listed[0] ?? null;
  return (
    <section className="past" aria-label="The room as it was">
      <header className="past-head">
        <History aria-hidden="true" />
        <p role="status">
          You are looking at <strong>{dayAndTime(at)}</strong>
          {status === "offline" ? " (waiting for the connection)" : ""}
        </p>
        <nav aria-label="Documents at that moment">
          {listed.map(({ document, revision }) => (
            <Button
              key={document}
              className="react-aria-Button quiet"
              aria-current={document === shown?.document ? "page" : false}
              onPress={() => show(document)}
            >
              {document} <small>{revision}</small>
            </Button>
          ))}
        </nav>
        <Button className="react-aria-Button primary" onPress={leave}>
          <Undo2 aria-hidden="true" /> Back to now
        </Button>
      </header>
      {shown === null ? (
        <Nothing icon={<History />}>There was no document yet.</Nothing>
      ) : (
        <PastText key={shown.document} document={shown.document} stage={stage} />
      )}
    </section>
  );
}

/** A read-only view that is changed only where the text has changed, so that it does not jump. */
function PastText({ document, stage }: { readonly document: string; readonly stage: Stage }) {
  const room = useRoom();
  const host = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const told = stage.documents.get(document)!;
  const latest = useRef(told);
  latest.current = told;
  useLayoutEffect(() => {
    const ask = (at: number) => {
      const { text, revision } = latest.current;
      useHistory.getState().ask({ document, revision, position: pointsAt(text, at) });
      useWorkspace.getState().showPanel("history");
    };
    const opened = openPast(host.current!, document, latest.current.text, ask);
    setView(opened);
    languageExtensions(languageOf(document), latest.current.text).then(
      (language) => opened.dispatch({ effects: StateEffect.appendConfig.of(language) }),
      () => {}, // then it has no colours
    );
    return () => opened.destroy();
  }, [document]);
  useEffect(() => {
    if (view === null) return;
    const cursors = cursorsOf(stage, document, told.text, room.client);
    const changes = difference(view.state.doc.toString(), told.text);
    view.dispatch({ changes, effects: setRemoteCursors.of(cursors) });
  }, [view, stage, document, told, room]);
  return <div className="past-text" ref={host} />;
}

function openPast(
  parent: HTMLElement,
  document: string,
  text: string,
  ask: (at: number) => void,
): EditorView {
  const extensions = [
    EditorState.lineSeparator.of("\n"),
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.cspNonce.of(nonce()),
    EditorView.contentAttributes.of({
      "aria-label": `${document} as it was`,
      tabindex: "0",
      role: "document",
    }),
    EditorView.lineWrapping,
    lineNumbers(),
    unseenCharacters,
    collaboratorCursors,
    overviewRuler,
    looks,
    EditorView.domEventHandlers({
      click: (event, view) => {
        const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
        if (at !== null && at < view.state.doc.length && view.state.selection.main.empty) ask(at);
        return false;
      },
    }),
  ];
  return new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
}

function cursorsOf(stage: Stage, document: string, text: string, own: string): RemoteCursor[] {
  const found: RemoteCursor[] = [];
  for (const { client, user, name, colour, cursor } of stage.people.values()) {
    if (cursor === null || cursor.document !== document) continue;
    const anchor = unitsAt(text, cursor.anchor);
    const head = cursor.head === cursor.anchor ? anchor : unitsAt(text, cursor.head);
    const mark = client === own ? `${name} (you)` : name;
    found.push({ client, user, name: mark, colour, at: stage.at, anchor, head });
  }
  return found;
}
