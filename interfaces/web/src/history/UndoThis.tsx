/** Take edits back, after one has seen what that would do; what others have written since stays. */

import type { components } from "@chronoscribe/client/http";
import { useState } from "react";
import { Button } from "react-aria-components";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";
import { Unified } from "./Unified.tsx";
import { useAnswer } from "./useAnswer.ts";
import { useLooks } from "./useLooks.ts";
import { useMayEdit } from "./useMayEdit.ts";

type Body = Omit<components["schemas"]["UndoBody"], "mine">;

export function UndoThis({
  document,
  body,
  onDone,
}: {
  readonly document: string;
  readonly body: Body;
  /** `isDone`: it was taken back. */
  onDone(isDone: boolean): void;
}) {
  const room = useRoom();
  const api = useApi();
  const mayEdit = useMayEdit();
  const params = { path: { room: room.room, document } };
  const [fault, setFault] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const preview = useAnswer(
    () => api.data(api.raw.POST("/api/rooms/{room}/documents/{document}/undo/preview", { params, body })),
    [room, api, document, JSON.stringify(body)],
  );
  const undo = async () => {
    setIsBusy(true);
    try {
      const done = await api.data(
        api.raw.POST("/api/rooms/{room}/documents/{document}/undo", {
          params,
          body: { ...body, mine: false },
        }),
      );
      const { revision } = done;
      if (revision === null) tell("There was nothing (any more) to take back.");
      else {
        const run = () => useHistory.getState().ask({ document, revision, position: null });
        tell({ text: `Taken back, as revision ${revision}.`, tone: "good", action: { label: "Look", run } });
      }
      onDone(revision !== null);
    } catch (error) {
      setFault(error);
    } finally {
      setIsBusy(false);
    }
  };
  const isEmpty = preview.answer?.diff === "";
  return (
    <section className="undo-this" aria-label="Undo this">
      <h4>Taking this back would do this to the present text</h4>
      {preview.fault !== null ? <ErrorNote error={preview.fault} onRetry={preview.again} /> : null}
      {preview.answer === null && preview.fault === null ? <Waiting /> : null}
      {preview.answer !== null ? (
        isEmpty ? (
          <p className="hint">Nothing: it has no effect any more.</p>
        ) : (
          <>
            <Edits edits={preview.answer.edits} />
            <Unified text={preview.answer.diff} />
          </>
        )
      ) : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
      {mayEdit ? null : <p className="hint">Your role here does not allow you to change the document.</p>}
      <p className="moment-do">
        <Button onPress={() => onDone(false)}>Leave it</Button>
        <Button
          className="react-aria-Button primary"
          isDisabled={isBusy || isEmpty || preview.answer === null || !mayEdit}
          onPress={() => void undo()}
        >
          Take it back
        </Button>
      </p>
    </section>
  );
}

/** How many edits of whom. */
function Edits({ edits }: { readonly edits: Readonly<Record<string, number>> }) {
  const looksOf = useLooks();
  const told = Object.entries(edits).map(([user, count]) => (
    <li key={user}>
      <span className="swatch" style={{ background: looksOf(user).colour }} />
      {looksOf(user).name} <small>{count === 1 ? "1 edit" : `${count} edits`}</small>
    </li>
  ));
  return <ul className="undo-edits">{told}</ul>;
}
