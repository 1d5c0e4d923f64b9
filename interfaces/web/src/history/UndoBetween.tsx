/** Take back what was written between two revisions: by everybody, or by one person. */

import { useState } from "react";
import { Choice } from "../ui/Choice.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { UndoThis } from "./UndoThis.tsx";
import { useAnswer } from "./useAnswer.ts";
import { useLooks } from "./useLooks.ts";
import { versionsOf } from "./versions.ts";

interface UndoBetweenProps {
  readonly document: string;
  /** The text before the edits, and the one with all of them. */
  readonly before: number;
  readonly revision: number;
  onDone(): void;
}

export function UndoBetween({ document, before, revision, onDone }: UndoBetweenProps) {
  const room = useRoom();
  const api = useApi();
  const looksOf = useLooks();
  const [user, setUser] = useState<string | null>(null);
  const { answer } = useAnswer(() => versionsOf(api, room, document), [room, api, document]);
  const users = new Set(
    (answer ?? []).flatMap((version) =>
      version.kind === "work" && version.revision > before && version.before < revision ? version.users : [],
    ),
  );
  const body = { first: before + 1, last: revision, ...(user === null ? {} : { user }) };
  return (
    <div className="undo-between">
      <Choice
        label="Take back what was written by"
        any="everybody"
        value={user}
        options={[...users].map((each) => [each, looksOf(each).name] as const)}
        onChange={setUser}
      />
      <UndoThis document={document} body={body} onDone={onDone} />
    </div>
  );
}
