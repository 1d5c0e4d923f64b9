/** Take back what was done in one passage. Where that is in the newer text is found in the text itself. */

import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import type { Hunk, HunkUndo } from "./Hunks.tsx";
import { rangeOf } from "./hunkRange.ts";
import { UndoThis } from "./UndoThis.tsx";
import { useAnswer } from "./useAnswer.ts";

interface UndoHunkProps {
  readonly hunk: Hunk;
  readonly undo: HunkUndo;
  onClose(): void;
}

export function UndoHunk({ hunk, undo, onClose }: UndoHunkProps) {
  const room = useRoom();
  const api = useApi();
  const { document, first, last } = undo;
  const { answer, fault } = useAnswer(() => {
    const params = { path: { room: room.room, document }, query: { revision: last } };
    return api.data(api.raw.GET("/api/rooms/{room}/documents/{document}", { params }));
  }, [room, api, document, last]);
  if (fault !== null) return <ErrorNote error={fault} />;
  if (answer === null) return <Waiting />;
  const passage = { revision: last, ...rangeOf(hunk, answer.text) };
  return (
    <UndoThis
      document={document}
      body={{ first, last, passage }}
      onDone={(isDone) => {
        onClose();
        if (isDone) undo.onDone();
      }}
    />
  );
}
