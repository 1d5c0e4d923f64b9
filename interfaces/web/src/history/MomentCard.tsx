/** One edit, and the room as it was when it was made: who, when, what, who else was here, what was said. */

import type { components } from "@chronoscribe/client/http";
import { History, Link2, RotateCcw, ScrollText, X } from "lucide-react";
import { useState } from "react";
import { Button } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { ago, dayAndTime, timeWithSeconds } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Pieces } from "./Pieces.tsx";
import { type MomentAsked, useHistory } from "./store.ts";
import { UndoThis } from "./UndoThis.tsx";
import { useAnswer } from "./useAnswer.ts";

type Moment = components["schemas"]["MomentAnswer"];

const CAUSES: Readonly<Record<string, string>> = {
  typed: "wrote",
  undo: "took back",
  redo: "brought back",
  restore: "restored",
  branch: "branched",
  merge: "merged",
};

export function MomentCard({ moment }: { readonly moment: MomentAsked }) {
  const room = useRoom();
  const api = useApi();
  const ask = useHistory((state) => state.ask);
  const { document, revision, position } = moment;
  const { answer, fault } = useAnswer(() => {
    const params = {
      path: { room: room.room, document },
      query: position === null ? { revision } : { revision, position },
    };
    return api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/moment", { params }));
  }, [room, api, document, revision, position]);
  return (
    <section className="moment" aria-label="The moment" aria-live="polite">
      <header>
        <h3>{position === null ? `Revision ${revision}` : "When this was written"}</h3>
        <ToolButton label="Close" onPress={() => ask(null)}>
          <X aria-hidden="true" />
        </ToolButton>
      </header>
      {fault !== null ? <ErrorNote error={fault} /> : null}
      {answer === null && fault === null ? <Waiting /> : null}
      {answer !== null ? <Told moment={answer} /> : null}
    </section>
  );
}

function Told({ moment }: { readonly moment: Moment }) {
  const room = useRoom();
  const { enter, ask, compare } = useHistory();
  const [isUndoing, setIsUndoing] = useState(false);
  const { name, colour } = room.presence.looksOf(moment.user);
  const { document, revision } = moment.written ?? moment;
  const copy = () => {
    const { origin, pathname } = window.location;
    const place = moment.written?.position ?? 0;
    const address = `${origin}${pathname}#/room/${encodeURIComponent(room.room)}/${encodeURIComponent(document)}?passage=${revision},${place},${place + 1}`;
    navigator.clipboard.writeText(address).then(
      () => tell("The link is copied."),
      () => {},
    );
  };
  return (
    <>
      <p className="moment-who" style={{ borderInlineStartColor: colour }}>
        <strong>{name}</strong> {CAUSES[moment.cause] ?? moment.cause} this{" "}
        <time title={dayAndTime(moment.at)}>{ago(moment.at)}</time>, {dayAndTime(moment.at)}, as revision{" "}
        {revision} of {document}.
      </p>
      <Pieces pieces={moment.pieces} />
      <p className="moment-do">
        <Button className="react-aria-Button primary" onPress={() => void enter(room, moment.at, document)}>
          <History aria-hidden="true" /> Go there
        </Button>
        <Button onPress={() => compare({ document, from: String(revision - 1), to: String(revision) })}>
          <ScrollText aria-hidden="true" /> What changed
        </Button>
        <Button onPress={() => setIsUndoing(true)}>
          <RotateCcw aria-hidden="true" /> Undo this…
        </Button>
        <ToolButton label="Copy a link to it" onPress={copy}>
          <Link2 aria-hidden="true" />
        </ToolButton>
      </p>
      <p className="moment-steps">
        <Button
          isDisabled={revision <= 1}
          onPress={() => ask({ document, revision: revision - 1, position: null })}
        >
          The edit before
        </Button>
        <Button onPress={() => ask({ document, revision: revision + 1, position: null })}>
          The edit after
        </Button>
      </p>
      {isUndoing ? (
        <UndoThis
          document={document}
          body={{ first: revision, last: revision }}
          onDone={() => setIsUndoing(false)}
        />
      ) : null}
      <details>
        <summary>
          The room then: {moment.people.length} {moment.people.length === 1 ? "person" : "people"},{" "}
          {moment.messages.before.length + moment.messages.after.length} messages around it
        </summary>
        <ul className="moment-people">
          {moment.people.map((person) => (
            <li key={person.client}>
              {person.name}{" "}
              <small>
                {person.status}
                {person.cursor ? ` in ${person.cursor.document}` : ""}
              </small>
            </li>
          ))}
        </ul>
        <Said title="Said before" messages={moment.messages.before} />
        <Said title="Said after" messages={moment.messages.after} />
      </details>
    </>
  );
}

type Message = Moment["messages"]["before"][number];

export function Said({ title, messages }: { readonly title: string; readonly messages: readonly Message[] }) {
  const room = useRoom();
  if (messages.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ol className="chat-then">
        {messages.map((message) => (
          <li key={message.message}>
            <span
              className="chat-then-name"
              style={{ borderInlineStartColor: room.presence.looksOf(message.author).colour }}
            >
              {room.presence.looksOf(message.author).name} <time>{timeWithSeconds(message.posted)}</time>
            </span>
            <p dir="auto">{message.text}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
