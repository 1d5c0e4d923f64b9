/** Text that the server would not have: to be copied, never thrown away. */

import type { UnsentText } from "@chronoscribe/client";
import { useState } from "react";
import { Button, Label, TextArea, TextField } from "react-aria-components";
import { useRoom } from "../workspace/room.tsx";

export function Unsent({ unsent, onDone }: { readonly unsent: UnsentText; onDone(): void }) {
  const room = useRoom();
  const [isCopied, setIsCopied] = useState(false);
  const written = unsent.inserted.join("\n");
  // All of it was saved, in a history that the server has no more.
  const isOfOtherHistory = unsent.code === "E_EPOCH" && unsent.inserted.length === 0;
  const copy = (text: string) => navigator.clipboard.writeText(text).then(() => setIsCopied(true));
  const isStranded = room.open(unsent.document).getSnapshot().status === "stranded";
  return (
    <div className="unsent">
      {isOfOtherHistory ? (
        <p>
          The server was restored from a backup, and its text of <strong>{unsent.document}</strong> is not the
          one that you had. You see the server's now; here is yours.
        </p>
      ) : (
        <p>
          What you wrote in <strong>{unsent.document}</strong> could not be saved: {unsent.why}{" "}
          <code>{unsent.code}</code>
        </p>
      )}
      <TextField value={isOfOtherHistory ? unsent.text : written} isReadOnly>
        <Label>{isOfOtherHistory ? "The text as you had it" : "What you wrote"}</Label>
        <TextArea rows={6} />
      </TextField>
      <div className="dialog-do">
        {isOfOtherHistory ? null : <Button onPress={() => void copy(written)}>Copy what I wrote</Button>}
        <Button onPress={() => void copy(unsent.text)}>Copy the whole text</Button>
        {isStranded ? (
          <Button
            className="react-aria-Button primary"
            onPress={() => {
              room.open(unsent.document).openAfresh();
              onDone();
            }}
          >
            Go on with the server's text
          </Button>
        ) : null}
      </div>
      <p role="status">{isCopied ? "Copied." : ""}</p>
    </div>
  );
}
