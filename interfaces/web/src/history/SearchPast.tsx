/** A phrase in all text that ever was in the room: where it is or was, from when until when, and by whom. */

import { Search } from "lucide-react";
import { useState } from "react";
import { Button, Checkbox, Form, Input, Label, Radio, RadioGroup, TextField } from "react-aria-components";
import { ErrorNote, Nothing } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useRoom } from "../workspace/room.tsx";
import { Progress } from "./Progress.tsx";
import { useHistory } from "./store.ts";
import { pathOf, useLines } from "./useLines.ts";
import { useLooks } from "./useLooks.ts";

/** The longest phrase that is looked for, in code points. */
const LONGEST = 200;

interface Around {
  readonly before: string;
  readonly text: string;
  readonly after: string;
}

interface Edit {
  readonly revision: number;
  readonly user: string;
  readonly at: number;
  readonly around?: Around;
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
  | { readonly type: "present" | "document" }
  | { readonly type: "end"; readonly is_complete?: boolean };

export function SearchPast({ document }: { readonly document: string | null }) {
  const room = useRoom();
  const [words, setWords] = useState("");
  const [ignoresCase, setIgnoresCase] = useState(true);
  const [everywhere, setEverywhere] = useState(document === null);
  const [lives, setLives] = useState<readonly Life[] | null>(null);
  const lines = useLines<Line>();
  const [hasMore, setHasMore] = useState(false);
  const look = () => {
    const found: Life[] = [];
    setLives(found);
    setHasMore(false);
    const query = { q: words, ignore_case: ignoresCase };
    const path =
      everywhere || document === null
        ? `/api/rooms/${encodeURIComponent(room.room)}/past/search`
        : pathOf(room.room, document, "phrases");
    void lines.ask("GET", path, { query }, (line) => {
      if (line.type === "end") setHasMore(line.is_complete === false);
      if (line.type !== "life") return;
      found.push(line);
      setLives([...found]);
    });
  };
  const isDone = lives !== null && lines.progress === null && lines.fault === null;
  return (
    <div className="search-past">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (words !== "") look();
        }}
      >
        <TextField value={words} onChange={setWords} maxLength={LONGEST}>
          <Label>A phrase that is there, or ever was</Label>
          <Input placeholder="also what was deleted long ago" spellCheck={false} />
        </TextField>
        <RadioGroup
          aria-label="Where"
          className="react-aria-RadioGroup segments"
          value={everywhere ? "room" : "document"}
          onChange={(where) => setEverywhere(where === "room")}
        >
          <Radio value="document" isDisabled={document === null}>
            In {document ?? "the document"}
          </Radio>
          <Radio value="room">In the whole room</Radio>
        </RadioGroup>
        <p className="moment-do">
          <Checkbox isSelected={ignoresCase} onChange={setIgnoresCase}>
            Small and capital letters alike
          </Checkbox>
          <Button type="submit" className="react-aria-Button primary" isDisabled={words === ""}>
            <Search aria-hidden="true" /> Look
          </Button>
        </p>
      </Form>
      {lines.progress !== null ? (
        <Progress value={lines.progress} label="Reading every edit" onStop={lines.stop} />
      ) : null}
      {lines.fault !== null ? <ErrorNote error={lines.fault} onRetry={look} /> : null}
      <p className="hint" role="status">
        {isDone && lives.length > 0 ? `Found ${lives.length}${hasMore ? ", and there is more" : ""}.` : ""}
        {lines.isStopped ? " Stopped." : ""}
      </p>
      {isDone && lives.length === 0 && !lines.isStopped ? <Nothing>It was never there.</Nothing> : null}
      <ol className="lives">
        {(lives ?? []).map((life) => (
          <li key={`${life.document} ${life.appeared.revision}`}>
            <LifeTold life={life} isNamed={everywhere} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function LifeTold({ life, isNamed }: { readonly life: Life; readonly isNamed: boolean }) {
  const { document, appeared, vanished, count } = life;
  return (
    <>
      {isNamed ? <h3>{document}</h3> : null}
      {appeared.around ? <Surrounded around={appeared.around} /> : null}
      <Happened what="Appeared" edit={appeared} document={document} />
      {vanished === null ? (
        <p className="is-there">It is there now{count > 1 ? `, ${count} times` : ""}.</p>
      ) : (
        <Happened what="Vanished" edit={vanished} document={document} />
      )}
    </>
  );
}

function Surrounded({ around }: { readonly around: Around }) {
  return (
    <p className="around" dir="auto">
      {around.before}
      <mark>{around.text}</mark>
      {around.after}
    </p>
  );
}

interface HappenedProps {
  readonly what: string;
  readonly edit: Edit;
  readonly document: string;
}

function Happened({ what, edit, document }: HappenedProps) {
  const looksOf = useLooks();
  const { ask } = useHistory();
  const { revision, user, at } = edit;
  return (
    <p className="happened">
      <span className="swatch" style={{ background: looksOf(user).colour }} />
      <span>
        {what} by <strong>{looksOf(user).name}</strong>
        <small>{dayAndTime(at)}</small>
      </span>
      <Button onPress={() => ask({ document, revision, position: null })}>Revision {revision}</Button>
    </p>
  );
}
