/** Remove something from the room's past and present: what is selected, a phrase wherever it was, or a message. */

import type { TextLink } from "@chronoscribe/client";
import { useEffect, useState } from "react";
import { Button, Form, Input, Label, Radio, RadioGroup, Text, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { type Extent, found, phraseIn, type WhatGoes } from "./redaction.ts";

/** What the dialog is opened for. `text` is what is seen of it, perhaps not all. */
export type Redactable =
  | { readonly passage: TextLink; readonly text: string }
  | { readonly message: string; readonly text: string };

export function Redact({ what, onDone }: { readonly what: Redactable; onDone(): void }) {
  const { room } = useRoom();
  const api = useApi();
  const [extent, setExtent] = useState<Extent>("this");
  const [reason, setReason] = useState("");
  const [goes, setGoes] = useState<WhatGoes | null>(null);
  const [isRemoving, setIsRemoving] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const phrase = phraseIn(what.text);
  const ask = (said: string, preview: boolean) => {
    const body = {
      ...targetOf(what, extent === "phrase" ? phrase : null),
      ignore_case: false,
      reason: said,
      preview,
    };
    return api.data(api.raw.POST("/api/rooms/{room}/redactions", { params: { path: { room } }, body }));
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: what the dialog is about does not change while it is open
  useEffect(() => {
    let isWanted = true;
    setGoes(null);
    setFault(null);
    ask("a look at what would go", true)
      .then((answer) => isWanted && setGoes(answer))
      .catch((error: unknown) => isWanted && setFault(error));
    return () => {
      isWanted = false;
    };
  }, [extent]);

  const remove = async () => {
    setIsRemoving(true);
    setFault(null);
    try {
      const { characters } = await ask(reason.trim(), false);
      tell({
        text: characters === 0 ? "It was gone already." : "It is removed, here and from the past.",
        tone: "good",
      });
      onDone();
    } catch (error) {
      setFault(error);
      setIsRemoving(false);
    }
  };

  return (
    <Form
      className="react-aria-Form redact"
      onSubmit={(event) => {
        event.preventDefault();
        void remove();
      }}
    >
      <pre className="redact-quote">{what.text}</pre>
      {phrase === null ? null : (
        <RadioGroup
          aria-label="What goes"
          className="react-aria-RadioGroup segments"
          value={extent}
          onChange={(chosen) => setExtent(chosen as Extent)}
        >
          <Radio value="this">{"passage" in what ? "These characters" : "All of this message"}</Radio>
          <Radio value="phrase">These words, wherever they stood in the room</Radio>
        </RadioGroup>
      )}
      <p role="status">
        {goes === null && fault === null ? "Looking through the past…" : goes === null ? "" : found(goes)}
      </p>
      <TextField value={reason} onChange={setReason} isRequired maxLength={500} autoFocus>
        <Label>Why</Label>
        <Input placeholder="a password" />
        <Text slot="description">
          Everybody reads this in the activity. Blocks stand in the place of what was removed, in every
          version, and nobody can bring it back. Backups that were made before still hold it.
        </Text>
      </TextField>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <div className="dialog-do">
        <Button
          type="submit"
          className="react-aria-Button bad"
          isDisabled={goes === null || goes.characters === 0 || reason.trim() === ""}
          isPending={isRemoving}
        >
          {isRemoving ? "Removing…" : "Remove for good"}
        </Button>
      </div>
    </Form>
  );
}

interface Target {
  readonly phrase?: string;
  readonly message?: string;
  readonly document?: string;
  readonly passage?: { readonly revision: number; readonly start: number; readonly end: number };
}

function targetOf(what: Redactable, phrase: string | null): Target {
  if (phrase !== null) return { phrase };
  if ("message" in what) return { message: what.message };
  const { document, revision, start, end } = what.passage;
  return { document, passage: { revision, start, end } };
}
