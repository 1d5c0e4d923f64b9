/** What differs between two moments of a document. */

import type { components } from "@chronoscribe/client/http";
import { ArrowLeftRight, Copy, GitCompareArrows, Maximize2, RotateCcw } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, Form } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote, Waiting, wordsOf } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { copyText } from "./copyText.ts";
import { Hunks } from "./Hunks.tsx";
import { MomentPicker } from "./MomentPicker.tsx";
import { type Comparison, useHistory } from "./store.ts";
import { UndoBetween } from "./UndoBetween.tsx";
import { useAnswer } from "./useAnswer.ts";
import { pathOf } from "./useLines.ts";
import { useMayEdit } from "./useMayEdit.ts";
import { firstOf, momentIn, useMomentChoices, wordsIn } from "./useMomentChoices.ts";

type Diff = components["schemas"]["DiffAnswer"];

export function Compare({ document }: { readonly document: string }) {
  const asked = useHistory((state) => state.comparison);
  const compare = useHistory((state) => state.compare);
  const shown = asked?.document === document ? asked : null;
  const { choices, isKnown } = useMomentChoices(document);
  const [from, setFrom] = useState("The beginning");
  const [to, setTo] = useState("Now");
  // Somebody writes a moment, and has not asked yet: what comes meanwhile leaves their words alone.
  const isWriting = useRef(false);
  const say = () => {
    if (shown === null) return;
    setFrom(wordsIn(choices, shown.from));
    setTo(wordsIn(choices, shown.to));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another comparison was asked for, here or elsewhere
  useEffect(() => {
    isWriting.current = false;
    say();
  }, [shown]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: in the words that there are by now
  useEffect(() => {
    if (!isWriting.current) say();
  }, [choices.length]);
  // What has changed since one was here is what one wants to see first.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is known
  useEffect(() => {
    if (isKnown && shown === null && !isWriting.current)
      compare({ document, from: firstOf(choices), to: "now" });
  }, [isKnown]);
  const run = (one: string, other: string) => {
    const [begin, end] = [momentIn(choices, one), momentIn(choices, other)];
    if (begin === null || end === null) tell("Say two moments: a revision, a time, or a name.");
    else {
      isWriting.current = false;
      compare({ document, from: begin, to: end });
    }
  };
  const write = (set: (words: string) => void, before: string) => (words: string) => {
    if (words !== before) isWriting.current = true;
    set(words);
  };
  return (
    <div className="compare">
      <Form
        className="react-aria-Form compare-form"
        onSubmit={(event) => {
          event.preventDefault();
          run(from, to);
        }}
      >
        <MomentPicker
          label="From"
          words={from}
          choices={choices}
          isKnown={isKnown}
          onWords={write(setFrom, from)}
          onPick={(choice) => run(choice.words, to)}
        />
        <ToolButton
          label="The other way round"
          onPress={() => {
            setFrom(to);
            setTo(from);
            if (shown !== null) run(to, from);
          }}
        >
          <ArrowLeftRight aria-hidden="true" />
        </ToolButton>
        <MomentPicker
          label="To"
          words={to}
          choices={choices}
          isKnown={isKnown}
          onWords={write(setTo, to)}
          onPick={(choice) => run(from, choice.words)}
        />
        <Button type="submit" className="react-aria-Button primary">
          <GitCompareArrows aria-hidden="true" /> Compare
        </Button>
      </Form>
      <p className="hint">
        A moment is a revision (“17”), a time (“14:05”, “2026-11-28 14:05”), or the name of a version.
      </p>
      {shown === null ? null : <Difference key={`${shown.document} ${shown.from} ${shown.to}`} {...shown} />}
    </div>
  );
}

function Difference({ document, from, to }: Comparison) {
  const room = useRoom();
  const api = useApi();
  const mayEdit = useMayEdit();
  const { ask, widen } = useHistory();
  const [isUndoing, setIsUndoing] = useState(false);
  const path = { room: room.room, document };
  const { answer, fault, again } = useAnswer(
    () =>
      api.data(
        api.raw.GET("/api/rooms/{room}/documents/{document}/diff", { params: { path, query: { from, to } } }),
      ),
    [room, api, document, from, to],
  );
  const copy = async () => {
    const query = { from, to, format: "unified" };
    const { blob } = await api.file(pathOf(room.room, document, "diff"), query);
    copyText(await blob.text(), "Copied, as a patch.");
  };
  if (fault !== null) return <ErrorNote error={fault} onRetry={again} />;
  if (answer === null) return <Waiting>Comparing…</Waiting>;
  const isForward = answer.old.revision < answer.new.revision;
  return (
    <>
      <div className="compare-states">
        {[answer.old, answer.new].map(({ revision, modified }, index) => (
          <Button
            key={index === 0 ? "old" : "new"}
            className="react-aria-Button quiet"
            isDisabled={revision === 0}
            onPress={() => ask({ document, revision, position: null })}
          >
            <span className={index === 0 ? "minus" : "plus"}>{index === 0 ? "−" : "+"}</span>
            Revision {revision} <small>{dayAndTime(modified)}</small>
          </Button>
        ))}
      </div>
      <p className="moment-do">
        <Amount diff={answer} />
        {mayEdit && isForward && answer.hunks.length > 0 ? (
          <Button aria-expanded={isUndoing} onPress={() => setIsUndoing(!isUndoing)}>
            <RotateCcw aria-hidden="true" /> Undo…
          </Button>
        ) : null}
        <ToolButton
          label="Copy as a patch"
          onPress={() => void copy().catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }))}
        >
          <Copy aria-hidden="true" />
        </ToolButton>
        <ToolButton label="At full width" onPress={() => widen("compare")}>
          <Maximize2 aria-hidden="true" />
        </ToolButton>
      </p>
      {isUndoing ? (
        <UndoBetween
          document={document}
          before={answer.old.revision}
          revision={answer.new.revision}
          onDone={() => {
            setIsUndoing(false);
            again();
          }}
        />
      ) : null}
      <Hunks
        diff={answer}
        {...(mayEdit && isForward
          ? { undo: { document, first: answer.old.revision + 1, last: answer.new.revision, onDone: again } }
          : {})}
      />
    </>
  );
}

function Amount({ diff }: { readonly diff: Diff }) {
  const count = (kind: string) =>
    diff.hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.kind === kind).length, 0);
  return (
    <span className="compare-amount">
      <span className="plus">+{count("added")}</span> <span className="minus">−{count("removed")}</span> lines
    </span>
  );
}
