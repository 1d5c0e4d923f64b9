/** Two texts side by side in the place of the present one; below each other where there is no room for two. */

import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useLayoutEffect, useRef } from "react";
import { ErrorNote, Nothing, Waiting } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useIsPhone } from "../workspace/useIsPhone.ts";
import { Hunks } from "./Hunks.tsx";
import { colourLater, readOnly } from "./readOnly.ts";
import { type Comparison, useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";

/** Larger texts (UTF-16) would take the browser's breath: the server compares them, and only what differs is shown. */
const LARGEST = 500_000;
/** The browser compares no longer than this, in milliseconds; then it is told roughly. */
const TIMEOUT_MS = 400;
/** So many lines around a change are shown. */
const MARGIN = 3;
const FOLDED_FROM = 6;

export function WideCompare() {
  const comparison = useHistory((state) => state.comparison);
  if (comparison === null) return <Nothing>Say which moments first.</Nothing>;
  return <Both key={`${comparison.document} ${comparison.from} ${comparison.to}`} {...comparison} />;
}

function Both({ document, from, to }: Comparison) {
  const room = useRoom();
  const api = useApi();
  const isPhone = useIsPhone();
  const path = { room: room.room, document };
  const { answer, fault, again } = useAnswer(async () => {
    const query = { from, to };
    const diff = await api.data(
      api.raw.GET("/api/rooms/{room}/documents/{document}/diff", { params: { path, query } }),
    );
    const textOf = async ({ revision }: { revision: number }) => {
      const params = { path, query: { revision } };
      return (await api.data(api.raw.GET("/api/rooms/{room}/documents/{document}", { params }))).text;
    };
    return { diff, before: await textOf(diff.old), after: await textOf(diff.new) };
  }, [room, api, document, from, to]);
  if (fault !== null) return <ErrorNote error={fault} onRetry={again} />;
  if (answer === null) return <Waiting>Comparing…</Waiting>;
  const { diff, before, after } = answer;
  return (
    <>
      <p className="wide-states">
        {[diff.old, diff.new].map(({ revision, modified }, index) => (
          <span key={index === 0 ? "old" : "new"}>
            <strong>Revision {revision}</strong> {dayAndTime(modified)}
          </span>
        ))}
      </p>
      {Math.max(before.length, after.length) > LARGEST ? (
        <div className="wide-hunks">
          <Hunks diff={diff} />
        </div>
      ) : (
        <Texts document={document} before={before} after={after} isUnified={isPhone} />
      )}
    </>
  );
}

interface TextsProps {
  readonly document: string;
  readonly before: string;
  readonly after: string;
  readonly isUnified: boolean;
}

function Texts({ document, before, after, isUnified }: TextsProps) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const parent = host.current!;
    const diffConfig = { scanLimit: 5_000, timeout: TIMEOUT_MS };
    const collapseUnchanged = { margin: MARGIN, minSize: FOLDED_FROM };
    if (isUnified) {
      const merged = unifiedMergeView({
        original: before,
        mergeControls: false,
        gutter: true,
        diffConfig,
        collapseUnchanged,
      });
      const extensions = [readOnly(`${document}, what differs`), merged];
      const view = new EditorView({ parent, state: EditorState.create({ doc: after, extensions }) });
      colourLater(view, document, after);
      return () => view.destroy();
    }
    const view = new MergeView({
      parent,
      a: { doc: before, extensions: readOnly(`${document}, the first text`) },
      b: { doc: after, extensions: readOnly(`${document}, the second text`) },
      diffConfig,
      collapseUnchanged,
      gutter: true,
    });
    colourLater(view.a, document, before);
    colourLater(view.b, document, after);
    return () => view.destroy();
  }, [document, before, after, isUnified]);
  return <div className="wide-texts" data-unified={isUnified || undefined} ref={host} />;
}
