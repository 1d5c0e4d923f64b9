/** Which edit made the text bad that was good before? Found by halving. */

import type { components } from "@chronoscribe/client/http";
import { Bug, Square } from "lucide-react";
import { useRef, useState } from "react";
import { Button, Form, Input, Label, Radio, RadioGroup, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Hunks } from "./Hunks.tsx";
import { Said } from "./MomentCard.tsx";
import { Progress } from "./SearchPast.tsx";
import { useHistory } from "./store.ts";

type Question = "text_present" | "text_absent" | "regex" | "python" | "json";

const QUESTIONS: readonly [Question, string][] = [
  ["text_present", "it holds this text"],
  ["text_absent", "it does not hold this text"],
  ["regex", "a regular expression is found in it"],
  ["python", "it is a Python program"],
  ["json", "it is JSON"],
];

interface Found {
  readonly type: "found";
  readonly good: number;
  readonly bad: number;
  readonly edit: { readonly revision: number; readonly user: string; readonly at: number } | null;
  readonly diff: components["schemas"]["DiffAnswer"] | null;
  readonly messages: components["schemas"]["MessageAnswer"][];
}

type Line =
  | Found
  | {
      readonly type: "progress";
      readonly done: number;
      readonly all: number;
      readonly revision: number;
      readonly verdict: string;
    };

export function Bisect({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const [question, setQuestion] = useState<Question>("text_present");
  const [words, setWords] = useState("");
  const [good, setGood] = useState("0");
  const [bad, setBad] = useState("now");
  const [progress, setProgress] = useState<{ share: number; words: string } | null>(null);
  const [found, setFound] = useState<Found | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  const needsWords = question !== "python" && question !== "json";
  const run = async () => {
    const control = new AbortController();
    running.current = control;
    setFound(null);
    setFault(null);
    setProgress({ share: 0, words: "" });
    const asked = needsWords ? { [question]: words } : { parses: question };
    const body = { good: good.trim() || "0", bad: bad.trim() || "now", ...asked };
    const path = `/api/rooms/${encodeURIComponent(room.room)}/documents/${encodeURIComponent(document)}/bisect`;
    try {
      for await (const line of api.lines<Line>("POST", path, { body, signal: control.signal })) {
        if (line.type === "found") setFound(line);
        else {
          const share = (100 * line.done) / Math.max(1, line.all);
          setProgress({ share, words: `Revision ${line.revision} is ${line.verdict}` });
        }
      }
    } catch (error) {
      if (!control.signal.aborted) setFault(error);
    } finally {
      setProgress(null);
    }
  };
  return (
    <div className="bisect">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <RadioGroup value={question} onChange={(value) => setQuestion(value as Question)}>
          <Label>The text is good while</Label>
          {QUESTIONS.map(([id, title]) => (
            <Radio key={id} value={id}>
              {title}
            </Radio>
          ))}
        </RadioGroup>
        {needsWords ? (
          <TextField value={words} onChange={setWords}>
            <Label>{question === "regex" ? "Regular expression" : "Text"}</Label>
            <Input spellCheck={false} autoCapitalize="none" />
          </TextField>
        ) : null}
        <div className="compare-form react-aria-Form">
          <TextField value={good} onChange={setGood}>
            <Label>It was good at</Label>
            <Input spellCheck={false} />
          </TextField>
          <TextField value={bad} onChange={setBad}>
            <Label>It is bad at</Label>
            <Input spellCheck={false} />
          </TextField>
        </div>
        <p className="moment-do">
          {progress === null ? (
            <Button
              type="submit"
              className="react-aria-Button primary"
              isDisabled={needsWords && words === ""}
            >
              <Bug aria-hidden="true" /> Find the edit
            </Button>
          ) : (
            <Button onPress={() => running.current?.abort()}>
              <Square aria-hidden="true" /> Stop
            </Button>
          )}
        </p>
      </Form>
      {progress !== null ? (
        <>
          <Progress value={progress.share} label="Halving" />
          <p role="status">{progress.words}</p>
        </>
      ) : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
      {found !== null ? <Result document={document} found={found} /> : null}
    </div>
  );
}

function Result({ document, found }: { readonly document: string; readonly found: Found }) {
  const room = useRoom();
  const { enter, ask } = useHistory();
  const { edit } = found;
  if (edit === null)
    return (
      <p>
        It became bad between revisions {found.good} and {found.bad}.
      </p>
    );
  return (
    <section className="bisect-found" aria-label="Found" aria-live="polite">
      <p>
        <strong>{room.presence.looksOf(edit.user).name}</strong> made it bad, {dayAndTime(edit.at)}, with
        revision {edit.revision}.
      </p>
      <p className="moment-do">
        <Button className="react-aria-Button primary" onPress={() => void enter(room, edit.at, document)}>
          Go there
        </Button>
        <Button onPress={() => ask({ document, revision: edit.revision, position: null })}>
          The moment, undo…
        </Button>
      </p>
      {found.diff !== null ? <Hunks diff={found.diff} /> : null}
      <Said title="What was said around it" messages={found.messages} />
    </section>
  );
}
