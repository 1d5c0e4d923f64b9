/** The versions that somebody thought worth keeping: look, compare, restore, branch off. */

import { useStore } from "@chronoscribe/client/react";
import { GitBranch, GitMerge, History, RotateCcw, Star } from "lucide-react";
import { useState } from "react";
import { Button, Form, Input, Label, TextField } from "react-aria-components";
import { useDialogs } from "../dialogs/store.ts";
import { ErrorNote, Nothing, Waiting } from "../ui/notes.tsx";
import { ago, dayAndTime } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { Hunks } from "./Hunks.tsx";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";
import { useMayEdit } from "./useMayEdit.ts";

/** More than anybody looks through. */
const SHOWN = 500;

export function Versions({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const mayEdit = useMayEdit();
  const openDialog = useDialogs((state) => state.open);
  const { revision } = useStore(room.open(document));
  const params = { path: { room: room.room, document }, query: { limit: SHOWN } };
  const dialog = useDialogs((state) => state.dialog);
  const { answer, fault } = useAnswer(
    () => api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/saves", { params })),
    [room, api, document, dialog === null],
  );
  return (
    <div className="versions">
      <Branch document={document} mayEdit={mayEdit} />
      <p className="versions-now">
        <span>
          Now: revision <strong>{revision}</strong>
        </span>
        {mayEdit ? (
          <Button onPress={() => openDialog({ kind: "save-revision", document })}>
            <Star aria-hidden="true" /> Name this version…
          </Button>
        ) : null}
      </p>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      {answer === null && fault === null ? <Waiting /> : null}
      {answer?.saves.length === 0 ? (
        <Nothing icon={<Star />}>No version has a name yet. Every one is kept all the same.</Nothing>
      ) : null}
      <ol>
        {(answer?.saves ?? []).toReversed().map((save) => (
          <li key={`${save.revision} ${save.name} ${save.saved}`}>
            <Version document={document} mayEdit={mayEdit} {...save} />
          </li>
        ))}
      </ol>
    </div>
  );
}

interface VersionProps {
  readonly document: string;
  readonly mayEdit: boolean;
  readonly revision: number;
  readonly name: string | null;
  readonly saved: number;
  readonly saved_by: string;
}

function Version({ document, mayEdit, revision, name, saved, saved_by }: VersionProps) {
  const room = useRoom();
  const { enter, compare } = useHistory();
  const [open, setOpen] = useState<"restore" | "branch" | null>(null);
  return (
    <>
      <p>
        <strong>{name ?? "Saved"}</strong> <code>{revision}</code>
        <br />
        <small title={dayAndTime(saved)}>
          {room.presence.looksOf(saved_by).name}, {ago(saved)}
        </small>
      </p>
      <p className="moment-do">
        <Button onPress={() => void enter(room, saved, document)}>
          <History aria-hidden="true" /> Look
        </Button>
        <Button onPress={() => compare({ document, from: String(revision), to: "now" })}>
          Compare with now
        </Button>
        {mayEdit ? (
          <>
            <Button onPress={() => setOpen("restore")}>
              <RotateCcw aria-hidden="true" /> Restore…
            </Button>
            <Button onPress={() => setOpen("branch")}>
              <GitBranch aria-hidden="true" /> Branch…
            </Button>
          </>
        ) : null}
      </p>
      {open === "restore" ? (
        <Restore document={document} revision={revision} onDone={() => setOpen(null)} />
      ) : null}
      {open === "branch" ? (
        <NewBranch document={document} revision={revision} onDone={() => setOpen(null)} />
      ) : null}
    </>
  );
}

function Restore({
  document,
  revision,
  onDone,
}: {
  readonly document: string;
  readonly revision: number;
  onDone(): void;
}) {
  const room = useRoom();
  const api = useApi();
  const path = { room: room.room, document };
  const [fault, setFault] = useState<unknown>(null);
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
    const body = { revision };
    const done = await api.data(
      api.raw.POST("/api/rooms/{room}/documents/{document}/restore", { params: { path }, body }),
    );
    tell({
      text: done.revision === null ? "The text is that already." : `Restored, as revision ${done.revision}.`,
      tone: "good",
    });
    onDone();
  };
  return (
    <section className="undo-this" aria-label="Restore">
      <h4>Restoring it would do this to the present text</h4>
      {preview.answer === null ? <Waiting /> : <Hunks diff={preview.answer} />}
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <p className="moment-do">
        <Button onPress={onDone}>Leave it</Button>
        <Button className="react-aria-Button primary" onPress={() => void restore().catch(setFault)}>
          Restore it
        </Button>
      </p>
    </section>
  );
}

function NewBranch({
  document,
  revision,
  onDone,
}: {
  readonly document: string;
  readonly revision: number;
  onDone(): void;
}) {
  const room = useRoom();
  const api = useApi();
  const [name, setName] = useState(branchName(document));
  const [fault, setFault] = useState<unknown>(null);
  const branch = async () => {
    const params = { path: { room: room.room, document } };
    await api.data(
      api.raw.POST("/api/rooms/{room}/documents/{document}/branch", {
        params,
        body: { branch: name, revision },
      }),
    );
    useWorkspace.getState().openDocument(name);
    onDone();
  };
  return (
    <Form
      className="react-aria-Form inline undo-this"
      onSubmit={(event) => {
        event.preventDefault();
        branch().catch(setFault);
      }}
    >
      <TextField value={name} onChange={setName}>
        <Label>A new document that begins with this text</Label>
        <Input spellCheck={false} />
      </TextField>
      <Button type="submit" className="react-aria-Button primary">
        Branch
      </Button>
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </Form>
  );
}

/** "main.py" becomes "main-branch.py". */
function branchName(document: string): string {
  const dot = document.lastIndexOf(".");
  return dot > 0 ? `${document.slice(0, dot)}-branch${document.slice(dot)}` : `${document}-branch`;
}

/** Where this document was branched off, and the way back. */
function Branch({ document, mayEdit }: { readonly document: string; readonly mayEdit: boolean }) {
  const room = useRoom();
  const api = useApi();
  const params = { path: { room: room.room, document } };
  const [fault, setFault] = useState<unknown>(null);
  const { answer } = useAnswer(
    () => api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/branch", { params })),
    [room, api, document],
  );
  if (!answer?.source) return null;
  const merge = async () => {
    const done = await api.data(api.raw.POST("/api/rooms/{room}/documents/{document}/merge", { params }));
    tell({
      text: done.revision === null ? "There is nothing new to merge." : `Merged into ${answer.source}.`,
      tone: "good",
    });
  };
  return (
    <p className="branch-of">
      <GitBranch aria-hidden="true" /> Branched from <strong>{answer.source}</strong> at revision{" "}
      {answer.revision}.
      {mayEdit ? (
        <Button onPress={() => void merge().catch(setFault)}>
          <GitMerge aria-hidden="true" /> Merge back
        </Button>
      ) : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </p>
  );
}
