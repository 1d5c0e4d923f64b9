/** The text of a document as it was, with the cursors of that moment and what was just written. */

import type { RemoteCursor, Stage, StageDocument } from "@chronoscribe/client";
import { diff } from "@codemirror/merge";
import { ChangeSet, EditorState, type StateEffect } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useLayoutEffect, useRef, useState } from "react";
import { difference } from "../editor/difference.ts";
import { overviewRuler } from "../editor/overview.ts";
import { collaboratorCursors, setRemoteCursors } from "../editor/remoteCursors.ts";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { useIsPhone } from "../workspace/useIsPhone.ts";
import { PersonClasses } from "./personClasses.ts";
import { pointsAt, unitsAt } from "./points.ts";
import { colourLater, onClickedLetter, readOnly } from "./readOnly.ts";
import { useHistory } from "./store.ts";
import { useLooks } from "./useLooks.ts";
import { setWritten, showsWritten, type Written } from "./written.ts";

/** A change of more letters is a leap, not something that somebody wrote. */
const WRITTEN_AT_ONCE = 4_000;
/** How hard and how long (ms) the browser looks for what a frame has changed: it comes twenty times a second. */
const SCAN_LIMIT = 300;
const COMPARED_MS = 12;
/** So far from the edge of the view what is written stays. */
const MARGIN_PX = 90;

interface PastTextProps {
  readonly document: string;
  readonly stage: Stage;
  readonly isPlaying: boolean;
}

interface Opened {
  readonly view: EditorView;
  readonly classes: PersonClasses;
  /** What it shows. */
  told: StageDocument;
}

export function PastText({ document, stage, isPlaying }: PastTextProps) {
  const room = useRoom();
  const looksOf = useLooks();
  const person = useHistory((state) => state.person);
  const follows = useHistory((state) => state.follows);
  const isPhone = useIsPhone();
  const host = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const told = stage.documents.get(document)!;
  const latest = useRef(told);
  latest.current = told;
  useLayoutEffect(() => {
    const parent = host.current!;
    const ask = (at: number) => {
      const { text, revision } = latest.current;
      useHistory.getState().ask({ document, revision, position: pointsAt(text, at) });
      useWorkspace.getState().showPanel("history");
    };
    const view = openView(parent, document, latest.current.text, ask);
    setOpened({ view, classes: new PersonClasses(parent), told: latest.current });
    colourLater(view, document, latest.current.text);
    return () => view.destroy();
  }, [document]);
  // Before the browser paints: the head of the page and the text under it tell of the same moment.
  useLayoutEffect(() => {
    if (opened === null) return;
    const { view, classes } = opened;
    const { text, revision, writer } = told;
    const before = view.state.doc.toString();
    const since = revision - opened.told.revision;
    const isWriting = writer !== null && since > 0 && (isPlaying || since === 1);
    const isOther = told !== opened.told;
    opened.told = told;
    const changes = isWriting ? changesOf(before, text) : difference(before, text);
    const written: Written[] = [];
    if (isWriting) {
      const className = classes.classOf(writer, looksOf(writer).colour);
      changes.iterChanges((from, to, newFrom, newTo, inserted) => {
        if (inserted.length + to - from > WRITTEN_AT_ONCE) return;
        const deleted = view.state.doc.sliceString(from, to);
        written.push({ from: newFrom, to: newTo, deleted, className });
      });
    }
    const cursors = cursorsOf(stage, document, text, room.client);
    const effects: StateEffect<unknown>[] = [setRemoteCursors.of(cursors)];
    if (isOther) effects.push(setWritten.of({ written, keeps: isPlaying }));
    const seen = person === null ? written.at(-1)?.to : cursors.find(({ user }) => user === person)?.head;
    if (follows && seen !== undefined)
      effects.push(EditorView.scrollIntoView(seen, { y: "nearest", yMargin: isPhone ? 40 : MARGIN_PX }));
    view.dispatch({ changes, effects });
  }, [opened, stage, document, told, room, looksOf, isPlaying, person, follows, isPhone]);
  return <div className="past-text" data-playing={isPlaying || undefined} ref={host} />;
}

/** Of several edits in a frame each by itself. What would take too long is told as one change. */
function changesOf(before: string, after: string): ChangeSet {
  const parts = diff(before, after, { scanLimit: SCAN_LIMIT, timeout: COMPARED_MS });
  const changes = parts.map(({ fromA, toA, fromB, toB }) => ({
    from: fromA,
    to: toA,
    insert: after.slice(fromB, toB),
  }));
  return ChangeSet.of(changes, before.length, "\n");
}

function openView(
  parent: HTMLElement,
  document: string,
  text: string,
  ask: (at: number) => void,
): EditorView {
  const stopFollowing = () => {
    if (useHistory.getState().follows) useHistory.getState().follow(false);
    return false;
  };
  const extensions = [
    readOnly(`${document} as it was`),
    collaboratorCursors,
    overviewRuler,
    showsWritten,
    onClickedLetter(ask),
    EditorView.domEventHandlers({ wheel: stopFollowing, touchmove: stopFollowing }),
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
