/** Make the present text what it was, after one has seen what that would do. Nothing is lost by it. */

import { useState } from "react";
import { Button } from "react-aria-components";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Hunks } from "./Hunks.tsx";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";

interface RestoreProps {
  readonly document: string;
  readonly revision: number;
  onDone(isRestored: boolean): void;
}

export function Restore({ document, revision, onDone }: RestoreProps) {
  const room = useRoom();
  const api = useApi();
  const path = { room: room.room, document };
  const [fault, setFault] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const preview = useAnswer(
    () =>
      api.data(
        api.raw.GET("/api/rooms/{room}/documents/{document}/diff", {
          params: { path, query: { from: "now", to: String(revision) } },
        }),
      ),
    [room, api, document, revision],
  );
  const restore = async () => {
    setIsBusy(true);
    try {
      const done = await api.data(
        api.raw.POST("/api/rooms/{room}/documents/{document}/restore", {
          params: { path },
          body: { revision },
        }),
      );
      const made = done.revision;
      const run = () => useHistory.getState().ask({ document, revision: made!, position: null });
      tell(
        made === null
          ? { text: "The text is that already." }
          : { text: `Restored, as revision ${made}.`, tone: "good", action: { label: "Look", run } },
      );
      onDone(true);
    } catch (error) {
      setFault(error);
    } finally {
      setIsBusy(false);
    }
  };
  const isSame = preview.answer?.hunks.length === 0;
  return (
    <section className="undo-this" aria-label="Restore">
      <h4>Restoring it would do this to the present text</h4>
      {preview.fault !== null ? <ErrorNote error={preview.fault} onRetry={preview.again} /> : null}
      {preview.answer === null ? (
        preview.fault === null && <Waiting />
      ) : (
        <div className="preview">
          <Hunks diff={preview.answer} />
        </div>
      )}
      <p className="hint">What stands there now stays in the history, and this can be taken back.</p>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <p className="moment-do">
        <Button onPress={() => onDone(false)}>Leave it</Button>
        <Button
          className="react-aria-Button primary"
          isDisabled={isBusy || preview.answer === null || isSame}
          onPress={() => void restore()}
        >
          Restore it
        </Button>
      </p>
    </section>
  );
}
