/** Make a document: its name is its id, with an ending that says its language. */

import { useState } from "react";
import { Button, Form, Input, Label, Text, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";

/** As the server takes them. */
const IS_NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

export function NewDocument({ onDone }: { onDone(): void }) {
  const room = useRoom();
  const api = useApi();
  const [name, setName] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const isName = IS_NAME.test(name) && name.length <= 64;
  const make = async () => {
    const params = { path: { room: room.room } };
    await api.data(api.raw.POST("/api/rooms/{room}/documents", { params, body: { document: name } }));
    useWorkspace.getState().openDocument(name);
    onDone();
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (isName) make().catch(setFault);
      }}
    >
      <TextField value={name} onChange={setName} autoFocus isInvalid={name !== "" && !isName}>
        <Label>Name</Label>
        <Input placeholder="notes.md" autoCapitalize="none" spellCheck={false} />
        <Text slot="description">
          Letters, digits, - and _, with single dots between: main.py, notes.md, page.html
        </Text>
      </TextField>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <div className="dialog-do">
        <Button type="submit" className="react-aria-Button primary" isDisabled={!isName}>
          Make it
        </Button>
      </div>
    </Form>
  );
}
