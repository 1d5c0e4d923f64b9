/** Which edit made the text bad that was good before? Found by halving. */

import { initialsOf } from "@chronoscribe/client";
import type { components } from "@chronoscribe/client/http";
import { Bug, History, ScrollText } from "lucide-react";
import { useState } from "react";
import { Button, Form, Input, Label, Radio, RadioGroup, TextField } from "react-aria-components";
import { Picture } from "../people/Picture.tsx";
import { ErrorNote } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";
import { Halving, type Verdict } from "./Halving.tsx";
import { Hunks } from "./Hunks.tsx";
import { MomentPicker } from "./MomentPicker.tsx";
import { Progress } from "./Progress.tsx";
import { Said } from "./Said.tsx";
import { useHistory } from "./store.ts";
import { pathOf, useLines } from "./useLines.ts";
import { useLooks } from "./useLooks.ts";
import { momentIn, useMomentChoices } from "./useMomentChoices.ts";

type Question = "text_present" | "text_absent" | "regex" | "python" | "json";

const QUESTIONS: readonly [Question, string][] = [
  ["text_present", "it holds this text"],
  ["text_absent", "it does not hold this text"],
  ["regex", "a regular expression is found in it"],
  ["json", "it is JSON"],
  ["python", "it is a Python program"],
];

interface Found {
  readonly type: "found";
  readonly good: number;
  readonly bad: number;
  readonly edit: { readonly revision: number; readonly user: string; readonly at: number } | null;
  readonly diff: components["schemas"]["DiffAnswer"] | null;
  readonly messages: components["schemas"]["MessageAnswer"][];
}

interface Looked extends Verdict {
  readonly type: "progress";
  readonly done: number;
  readonly all: number;
}

type Line = Found | Looked;

export function Bisect({ document }: { readonly document: string }) {
  const room = useRoom();
  const { choices, isKnown } = useMomentChoices(document);
  const [question, setQuestion] = useState<Question>(document.endsWith(".json") ? "json" : "text_present");
  const [words, setWords] = useState("");
  const [good, setGood] = useState("The beginning");
  const [bad, setBad] = useState("Now");
  const [looked, setLooked] = useState<readonly Verdict[]>([]);
  const [found, setFound] = useState<Found | null>(null);
  const lines = useLines<Line>();
  const needsWords = question !== "python" && question !== "json";
  const run = () => {
    const [begin, end] = [momentIn(choices, good), momentIn(choices, bad)];
    if (begin === null || end === null) return tell("Say when it was good, and when it is bad.");
    setFound(null);
    setLooked([]);
    const asked = needsWords ? { [question]: words } : { parses: question };
    const body = { good: begin, bad: end, ...asked };
    void lines.ask("POST", pathOf(room.room, document, "bisect"), { body }, (line) => {
      if (line.type === "found") setFound(line);
      else setLooked((before) => [...before, line]);
    });
  };
  const last = looked.at(-1);
  return (
    <div className="bisect">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          run();
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
        <div className="bisect-moments">
          <MomentPicker
            label="It was good at"
            words={good}
            choices={choices}
            isKnown={isKnown}
            onWords={setGood}
          />
          <MomentPicker
            label="It is bad at"
            words={bad}
            choices={choices}
            isKnown={isKnown}
            onWords={setBad}
          />
        </div>
        {lines.progress === null ? (
          <Button type="submit" className="react-aria-Button primary" isDisabled={needsWords && words === ""}>
            <Bug aria-hidden="true" /> Find the edit
          </Button>
        ) : null}
      </Form>
      {lines.progress !== null ? (
        <Progress
          value={lines.progress}
          label="Halving"
          words={last === undefined ? "Looking…" : `Revision ${last.revision} is ${last.verdict}`}
          onStop={lines.stop}
        />
      ) : null}
      <Halving looked={looked} />
      {lines.isStopped ? <p className="hint">Stopped.</p> : null}
      {lines.fault !== null ? <ErrorNote error={lines.fault} /> : null}
      {found !== null ? <Result document={document} found={found} /> : null}
    </div>
  );
}

function Result({ document, found }: { readonly document: string; readonly found: Found }) {
  const room = useRoom();
  const looksOf = useLooks();
  const { enter, ask } = useHistory();
  const { edit } = found;
  if (edit === null)
    return (
      <p role="status">
        It became bad between revisions {found.good} and {found.bad}.
      </p>
    );
  const looks = looksOf(edit.user);
  return (
    <section className="bisect-found" aria-label="Found" aria-live="polite">
      <p className="moment-who">
        <Picture looks={looks} initials={initialsOf(looks.name)} />
        <span>
          <strong>{looks.name}</strong> made it bad
          <small>
            {dayAndTime(edit.at)} · revision {edit.revision}
          </small>
        </span>
      </p>
      <p className="moment-do">
        <Button className="react-aria-Button primary" onPress={() => void enter(room, edit.at, document)}>
          <History aria-hidden="true" /> Go there
        </Button>
        <Button onPress={() => ask({ document, revision: edit.revision, position: null })}>
          <ScrollText aria-hidden="true" /> The moment, undo…
        </Button>
      </p>
      {found.diff !== null ? <Hunks diff={found.diff} /> : null}
      <Said title="What was said around it" messages={found.messages} />
    </section>
  );
}
