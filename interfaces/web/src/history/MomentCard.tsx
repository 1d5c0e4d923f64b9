/** One edit, and the room as it was when it was made: who, when, what, who else was here, what was said. */

import { initialsOf } from "@chronoscribe/client";
import type { components } from "@chronoscribe/client/http";
import { ArrowLeft, GitCompareArrows, History, Link2, RotateCcw, TextSearch } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { addressOfRoom } from "../app/route.ts";
import { ToolButton } from "../editor/ToolButton.tsx";
import { Picture } from "../people/Picture.tsx";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { ago, dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { copyText } from "./copyText.ts";
import { Pieces } from "./Pieces.tsx";
import { Said } from "./Said.tsx";
import { type MomentAsked, useHistory } from "./store.ts";
import { UndoThis } from "./UndoThis.tsx";
import { useAnswer } from "./useAnswer.ts";
import { useLooks } from "./useLooks.ts";
import { useMayEdit } from "./useMayEdit.ts";
import { WatchPassage } from "./WatchPassage.tsx";

type Moment = components["schemas"]["MomentAnswer"];

const CAUSES: Readonly<Record<string, string>> = {
  typed: "wrote this",
  undo: "took something back",
  redo: "did something again",
  restore: "restored an older text",
  branch: "branched this off",
  merge: "merged this",
};

export function MomentCard({ moment }: { readonly moment: MomentAsked }) {
  const room = useRoom();
  const api = useApi();
  const ask = useHistory((state) => state.ask);
  const dated = useHistory((state) => state.dated);
  const { document, revision, position } = moment;
  const { answer, fault, again } = useAnswer(() => {
    const params = {
      path: { room: room.room, document },
      query: position === null ? { revision } : { revision, position },
    };
    return api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/moment", { params }));
  }, [room, api, document, revision, position]);
  const at = answer?.at ?? null;
  useEffect(() => dated(at), [dated, at]);
  return (
    <section className="moment" aria-label="The moment">
      <header>
        <ToolButton label="Back" onPress={() => ask(null)}>
          <ArrowLeft aria-hidden="true" />
        </ToolButton>
        <h3>{position === null ? `Revision ${revision} of ${document}` : "When this was written"}</h3>
        {answer === null ? null : <CopyLink moment={answer} />}
      </header>
      {fault !== null ? <ErrorNote error={fault} onRetry={again} /> : null}
      {answer === null && fault === null ? <Waiting>Looking for who wrote it…</Waiting> : null}
      {answer !== null ? <Told moment={answer} asked={moment} /> : null}
    </section>
  );
}

function Told({ moment, asked }: { readonly moment: Moment; readonly asked: MomentAsked }) {
  const room = useRoom();
  const looksOf = useLooks();
  const mayEdit = useMayEdit();
  const { enter, ask, compare } = useHistory();
  const [open, setOpen] = useState<"undo" | "watch" | null>(null);
  const looks = looksOf(moment.user);
  const { document, revision } = moment;
  const step = (by: number) => ask({ document, revision: revision + by, position: null });
  return (
    <>
      <p className="moment-who" aria-live="polite">
        <Picture looks={looks} initials={initialsOf(looks.name)} />
        <span>
          <strong>{looks.name}</strong> {CAUSES[moment.cause] ?? moment.cause}
          <small>
            <time title={ago(moment.at)}>{dayAndTime(moment.at)}</time> · revision {revision} of {document}
          </small>
        </span>
      </p>
      {moment.written !== null &&
      moment.written !== undefined &&
      moment.written.document !== asked.document ? (
        <p className="hint">It was written in {moment.written.document} and copied from there.</p>
      ) : null}
      <Pieces pieces={moment.pieces} />
      <p className="moment-do">
        <Button className="react-aria-Button primary" onPress={() => void enter(room, moment.at, document)}>
          <History aria-hidden="true" /> Go there
        </Button>
        {mayEdit ? (
          <Button aria-expanded={open === "undo"} onPress={() => setOpen(open === "undo" ? null : "undo")}>
            <RotateCcw aria-hidden="true" /> Undo this…
          </Button>
        ) : null}
      </p>
      <p className="moment-do">
        <Button aria-expanded={open === "watch"} onPress={() => setOpen(open === "watch" ? null : "watch")}>
          <TextSearch aria-hidden="true" /> Every edit of this line
        </Button>
        <ToolButton
          label="What it changed in the whole text"
          onPress={() => {
            ask(null);
            compare({ document, from: String(Math.max(0, revision - 1)), to: String(revision) });
          }}
        >
          <GitCompareArrows aria-hidden="true" />
        </ToolButton>
      </p>
      {open === "undo" ? (
        <UndoThis
          document={document}
          body={{ first: revision, last: revision }}
          onDone={() => setOpen(null)}
        />
      ) : null}
      {open === "watch" ? <WatchPassage moment={asked} written={moment} /> : null}
      <p className="moment-steps">
        <Button isDisabled={revision <= 1} onPress={() => step(-1)}>
          ← The edit before
        </Button>
        <Button onPress={() => step(1)}>The edit after →</Button>
      </p>
      <RoomThen moment={moment} />
    </>
  );
}

/** The passage that was written, as others can find it later. */
function CopyLink({ moment }: { readonly moment: Moment }) {
  const { room } = useRoom();
  const { document, revision } = moment.written ?? moment;
  const copy = () => {
    const { origin, pathname } = window.location;
    const place = moment.written?.position ?? 0;
    const passage = `passage=${revision},${place},${place + 1}`;
    copyText(`${origin}${pathname}${addressOfRoom(room, document)}?${passage}`, "The link is copied.");
  };
  return (
    <ToolButton label="Copy a link to it" onPress={copy}>
      <Link2 aria-hidden="true" />
    </ToolButton>
  );
}

function RoomThen({ moment }: { readonly moment: Moment }) {
  const { before, after } = moment.messages;
  const people = [...new Map(moment.people.map((person) => [person.user, person])).values()];
  return (
    <details className="room-then">
      <summary>
        The room then: {people.length} {people.length === 1 ? "person" : "people"}
        {before.length + after.length > 0 ? `, ${before.length + after.length} messages around it` : ""}
      </summary>
      <ul className="people-then">
        {people.map((person) => (
          <li key={person.user}>
            <Picture looks={{ ...person, avatar: "" }} initials={initialsOf(person.name)} />
            <span>
              {person.name}
              <small>
                {person.status}
                {person.cursor ? ` in ${person.cursor.document}` : ""}
              </small>
            </span>
          </li>
        ))}
      </ul>
      <Said title="Said before" messages={before} />
      <Said title="Said after" messages={after} />
    </details>
  );
}
