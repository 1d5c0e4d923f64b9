/** Where a document was branched off, and the way back into it. */

import { GitBranch, GitCompareArrows, GitMerge } from "lucide-react";
import { useState } from "react";
import { Button } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";
import { useMayEdit } from "./useMayEdit.ts";

export function BranchOf({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const mayEdit = useMayEdit();
  const compare = useHistory((state) => state.compare);
  const params = { path: { room: room.room, document } };
  const [fault, setFault] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const { answer } = useAnswer(
    () => api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/branch", { params })),
    [room, api, document],
  );
  const source = answer?.source;
  if (!source) return null;
  const merge = async () => {
    setIsBusy(true);
    setFault(null);
    try {
      const done = await api.data(api.raw.POST("/api/rooms/{room}/documents/{document}/merge", { params }));
      const { revision } = done;
      const run = () => {
        useWorkspace.getState().openDocument(source);
        if (revision !== null) useHistory.getState().ask({ document: source, revision, position: null });
      };
      tell(
        revision === null
          ? "There is nothing new to merge."
          : {
              text: `Merged into ${source}, as its revision ${revision}.`,
              tone: "good",
              action: { label: "Look", run },
            },
      );
    } catch (error) {
      setFault(error);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <div className="branch-of">
      <p>
        <GitBranch aria-hidden="true" /> Branched from <strong>{source}</strong> at revision {answer.revision}
      </p>
      <p className="moment-do">
        {mayEdit ? (
          <Button className="react-aria-Button primary" isDisabled={isBusy} onPress={() => void merge()}>
            <GitMerge aria-hidden="true" /> Merge back
          </Button>
        ) : null}
        <Button onPress={() => compare({ document, from: "1", to: "now" })}>
          <GitCompareArrows aria-hidden="true" /> What was written here
        </Button>
      </p>
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </div>
  );
}
