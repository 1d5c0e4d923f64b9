/** What differs between two moments of a document. */

import { ArrowLeftRight, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, Form, Input, Label, TextField } from "react-aria-components";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Hunks } from "./Hunks.tsx";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";

export function Compare({ document }: { readonly document: string }) {
  const asked = useHistory((state) => state.comparison);
  const [of, setOf] = useState(asked?.document ?? document);
  const [from, setFrom] = useState(asked?.from ?? "0");
  const [to, setTo] = useState(asked?.to ?? "now");
  const [chosen, setChosen] = useState({ document: of, from, to });
  useEffect(() => {
    const next = asked ?? { document, from: "0", to: "now" };
    setOf(next.document);
    setFrom(next.from);
    setTo(next.to);
    setChosen(next);
  }, [asked, document]);
  return (
    <div className="compare">
      <Form
        className="react-aria-Form compare-form"
        onSubmit={(event) => {
          event.preventDefault();
          setChosen({ document: of, from: from.trim() || "0", to: to.trim() || "now" });
        }}
      >
        <TextField value={from} onChange={setFrom}>
          <Label>From</Label>
          <Input placeholder="revision, name:…, time" spellCheck={false} />
        </TextField>
        <TextField value={to} onChange={setTo}>
          <Label>To</Label>
          <Input placeholder="now" spellCheck={false} />
        </TextField>
        <Button type="submit">
          <ArrowLeftRight aria-hidden="true" /> Compare
        </Button>
      </Form>
      <Difference {...chosen} />
    </div>
  );
}

function Difference({
  document,
  from,
  to,
}: {
  readonly document: string;
  readonly from: string;
  readonly to: string;
}) {
  const room = useRoom();
  const api = useApi();
  const ask = useHistory((state) => state.ask);
  const path = { room: room.room, document };
  const { answer, fault } = useAnswer(
    () =>
      api.data(
        api.raw.GET("/api/rooms/{room}/documents/{document}/diff", { params: { path, query: { from, to } } }),
      ),
    [room, api, document, from, to],
  );
  const copy = async () => {
    const address = `/api/rooms/${encodeURIComponent(room.room)}/documents/${encodeURIComponent(document)}/diff`;
    const { blob } = await api.file(address, { from, to, format: "unified" });
    await navigator.clipboard.writeText(await blob.text());
    tell("Copied, as a patch.");
  };
  if (fault !== null) return <ErrorNote error={fault} />;
  if (answer === null) return <Waiting>Comparing…</Waiting>;
  return (
    <>
      <p className="compare-states">
        <Button
          className="react-aria-Button quiet"
          onPress={() => ask({ document, revision: answer.old.revision, position: null })}
        >
          Revision {answer.old.revision} <small>{dayAndTime(answer.old.modified)}</small>
        </Button>
        →
        <Button
          className="react-aria-Button quiet"
          onPress={() => ask({ document, revision: answer.new.revision, position: null })}
        >
          Revision {answer.new.revision} <small>{dayAndTime(answer.new.modified)}</small>
        </Button>
        <Button
          className="react-aria-Button quiet"
          aria-label="Copy as a patch"
          onPress={() => void copy().catch(() => {})}
        >
          <Copy aria-hidden="true" />
        </Button>
      </p>
      <Hunks diff={answer} />
    </>
  );
}
