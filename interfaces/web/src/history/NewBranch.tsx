/** A new document that begins with a text of this one, to be merged back when it is good. */

import { useState } from "react";
import { Button, Form, Input, Label, Text, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";

interface NewBranchProps {
  readonly document: string;
  readonly revision: number;
  /** The name of the branch; null when there is none. */
  onDone(branch: string | null): void;
}

export function NewBranch({ document, revision, onDone }: NewBranchProps) {
  const room = useRoom();
  const api = useApi();
  const [name, setName] = useState(branchName(document));
  const [fault, setFault] = useState<unknown>(null);
  const branch = async () => {
    const params = { path: { room: room.room, document } };
    const body = { branch: name.trim(), revision };
    await api.data(api.raw.POST("/api/rooms/{room}/documents/{document}/branch", { params, body }));
    useWorkspace.getState().openDocument(body.branch);
    onDone(body.branch);
  };
  return (
    <Form
      className="react-aria-Form undo-this"
      onSubmit={(event) => {
        event.preventDefault();
        branch().catch(setFault);
      }}
    >
      <TextField value={name} onChange={setName} isRequired autoFocus>
        <Label>Name of the new document</Label>
        <Input spellCheck={false} autoCapitalize="none" />
        <Text slot="description">
          It begins with the text of revision {revision}. What is written in it can be merged back.
        </Text>
      </TextField>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <p className="moment-do">
        <Button onPress={() => onDone(null)}>Leave it</Button>
        <Button type="submit" className="react-aria-Button primary" isDisabled={name.trim() === ""}>
          Branch
        </Button>
      </p>
    </Form>
  );
}

/** "main.py" becomes "main-branch.py". */
export function branchName(document: string): string {
  const dot = document.lastIndexOf(".");
  return dot > 0 ? `${document.slice(0, dot)}-branch${document.slice(dot)}` : `${document}-branch`;
}
