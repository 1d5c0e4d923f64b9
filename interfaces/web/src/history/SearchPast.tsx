/** A phrase in all text that ever was in the room: where it is or was, from when until when, and by whom. */

import { Search, Square } from "lucide-react";
import { useRef, useState } from "react";
import { Button, Checkbox, Form, Input, Label, ProgressBar, TextField } from "react-aria-components";
import { ErrorNote, Nothing } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";

interface Edit {
  readonly revision: number;
  readonly user: string;
  readonly at: number;
  readonly around?: { readonly before: string; readonly text: string; readonly after: string };
}

interface Life {
  readonly type: "life";
  readonly document: string;
  readonly count: number;
  readonly most: number;
  readonly appeared: Edit;
  readonly vanished: Edit | null;
}

type Line =
  | Life
  | { readonly type: "progress"; readonly done: number; readonly all: number }
  | { readonly type: "document" };

export function SearchPast({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const [words, setWords] = useState("");
  const [ignoresCase, setIgnoresCase] = useState(true);
  const [lives, setLives] = useState<readonly Life[] | null>(null);
  const [progress, setProgress] = useState<number | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  const look = async () => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setLives([]);
    setFault(null);
    setProgress(0);
    const found: Life[] = [];
    const path = `/api/rooms/${encodeURIComponent(room.room)}/documents/${encodeURIComponent(document)}/phrases`;
    const query = { q: words, ignore_case: ignoresCase };
    try {
      for await (const line of api.lines<Line>("GET", path, { query, signal: control.signal })) {
        if (line.type === "progress") setProgress((100 * line.done) / Math.max(1, line.all));
        if (line.type === "life") found.push(line);
      }
      setLives(found);
    } catch (error) {
      if (!control.signal.aborted) setFault(error);
    } finally {
      if (running.current === control) setProgress(null);
    }
  };
  return (
    <div className="search-past">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (words !== "") void look();
        }}
      >
        <TextField value={words} onChange={setWords} maxLength={200}>
          <Label>A phrase that is or ever was in {document}</Label>
          <Input placeholder="also what was deleted long ago" spellCheck={false} />
        </TextField>
        <p className="moment-do">
          <Checkbox isSelected={ignoresCase} onChange={setIgnoresCase}>
            Small and capital letters alike
          </Checkbox>
          {progress === null ? (
            <Button type="submit" className="react-aria-Button primary" isDisabled={words === ""}>
              <Search aria-hidden="true" /> Look
            </Button>
          ) : (
            <Button onPress={() => running.current?.abort()}>
              <Square aria-hidden="true" /> Stop
            </Button>
          )}
        </p>
      </Form>
      {progress !== null ? <Progress value={progress} label="Reading all edits" /> : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
      {lives?.length === 0 && progress === null && fault === null ? (
        <Nothing>It was never there.</Nothing>
      ) : null}
      <ol className="lives">
        {(lives ?? []).map((life) => (
          <li key={`${life.document} ${life.appeared.revision}`}>
            <Around edit={life.appeared} />
            <Happened what="Appeared" edit={life.appeared} document={life.document} />
            {life.vanished === null ? (
              <p className="is-there">It is there now{life.count > 1 ? `, ${life.count} times` : ""}.</p>
            ) : (
              <Happened what="Vanished" edit={life.vanished} document={life.document} />
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Around({ edit }: { readonly edit: Edit }) {
  if (!edit.around) return null;
  const { before, text, after } = edit.around;
  return (
    <p className="around" dir="auto">
      {before}
      <mark>{text}</mark>
      {after}
    </p>
  );
}

function Happened({
  what,
  edit,
  document,
}: {
  readonly what: string;
  readonly edit: Edit;
  readonly document: string;
}) {
  const room = useRoom();
  const { ask } = useHistory();
  return (
    <p>
      {what} {dayAndTime(edit.at)} by {room.presence.looksOf(edit.user).name}{" "}
      <Button
        className="react-aria-Button quiet"
        onPress={() => ask({ document, revision: edit.revision, position: null })}
      >
        Revision {edit.revision}
      </Button>
    </p>
  );
}

export function Progress({ value, label }: { readonly value: number; readonly label: string }) {
  return (
    <ProgressBar value={value} aria-label={label}>
      {({ percentage }) => (
        <span className="bar">
          <span style={{ inlineSize: `${percentage ?? 0}%` }} />
        </span>
      )}
    </ProgressBar>
  );
}
