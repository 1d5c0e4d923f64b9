/** Give the present version of a document a name, so that it is found again. Everything is kept anyway. */

import { useState } from "react";
import { Button, Form, Input, Label, Text, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";

export function SaveRevision({ document, onDone }: { readonly document: string; onDone(): void }) {
  const room = useRoom();
  const [name, setName] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const save = async () => {
    await room.open(document).saveRevision(name.trim() === "" ? undefined : name.trim());
    tell({
      text: name.trim() === "" ? `${document} is marked.` : `“${name.trim()}” is named.`,
      tone: "good",
    });
    onDone();
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        save().catch(setFault);
      }}
    >
      <TextField value={name} onChange={setName} autoFocus maxLength={64}>
        <Label>Name</Label>
        <Input placeholder="before the rewrite" />
        <Text slot="description">
          Every letter is saved as you type. A name makes this moment easy to find.
        </Text>
      </TextField>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <div className="dialog-do">
        <Button type="submit" className="react-aria-Button primary">
          {name.trim() === "" ? "Mark it" : "Name it"}
        </Button>
      </div>
    </Form>
  );
}
