/** The way into the past, and how the room was then: who was here, and what was said. */

import { initialsOf, type Stage } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { Download, History, Play, Undo2 } from "lucide-react";
import { useState } from "react";
import { Button } from "react-aria-components";
import { Picture } from "../people/Picture.tsx";
import { Nothing, Waiting, wordsOf } from "../ui/notes.tsx";
import { dayAndTime, timeWithSeconds } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { saveFile } from "./saveFile.ts";
import { useHistory } from "./store.ts";
import { useStage } from "./useStage.ts";

export function Timeline() {
  const room = useRoom();
  const { isInPast, enter, leave } = useHistory();
  const { stage, at } = useStage();
  const { status } = useStore(room.connection);
  const [isOpening, setIsOpening] = useState(false);
  const open = async (plays: boolean) => {
    setIsOpening(true);
    await enter(room);
    const { replay } = useHistory.getState();
    if (plays && replay !== null) {
      await replay.seek(replay.getSnapshot().from);
      await replay.play();
    }
    setIsOpening(false);
  };
  if (isInPast && stage !== null) {
    return (
      <div className="timeline">
        <p className="timeline-head">
          <strong>{dayAndTime(at)}</strong>
          <Button onPress={leave}>
            <Undo2 aria-hidden="true" /> Back to now
          </Button>
        </p>
        <PeopleThen stage={stage} />
        <ChatThen stage={stage} />
      </div>
    );
  }
  return (
    <div className="timeline">
      <Nothing icon={<History />}>
        Everything that happened here is kept: each letter, each cursor, each word in the chat.
      </Nothing>
      <div className="timeline-ways">
        <Button
          className="react-aria-Button primary"
          isDisabled={isOpening || status !== "online"}
          onPress={() => void open(false)}
        >
          <History aria-hidden="true" /> Travel back
        </Button>
        <Button isDisabled={isOpening || status !== "online"} onPress={() => void open(true)}>
          <Play aria-hidden="true" /> Replay from the beginning
        </Button>
        <ReplayFile />
      </div>
      {isOpening ? <Waiting>Travelling back…</Waiting> : null}
      <p className="hint">
        Or click “When was this written?” on any character of the text, and go to the moment it was typed.
      </p>
    </div>
  );
}

/** The whole session as one file, that plays anywhere. */
function ReplayFile() {
  const room = useRoom();
  const api = useApi();
  const [isLoading, setIsLoading] = useState(false);
  const load = () => {
    setIsLoading(true);
    api
      .file(`/api/rooms/${encodeURIComponent(room.room)}/replay.html`)
      .then(({ blob, name }) => saveFile(blob, name === "download" ? `${room.room}.html` : name))
      .catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }))
      .finally(() => setIsLoading(false));
  };
  return (
    <Button isDisabled={isLoading} onPress={load}>
      <Download aria-hidden="true" /> {isLoading ? "Being written…" : "Download as a page that plays offline"}
    </Button>
  );
}

function PeopleThen({ stage }: { readonly stage: Stage }) {
  const people = [...stage.people.values()];
  return (
    <section aria-label="Who was here">
      <h3>Who was here</h3>
      {people.length === 0 ? <p className="hint">Nobody.</p> : null}
      <ul className="people-then">
        {people.map((person) => (
          <li key={person.client}>
            <Picture looks={person} initials={initialsOf(person.name)} />
            <span>
              {person.name}
              <small>
                {person.status}
                {person.cursor === null ? "" : ` in ${person.cursor.document}`}
                {person.typing === null ? "" : ", typing"}
              </small>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ChatThen({ stage }: { readonly stage: Stage }) {
  const room = useRoom();
  return (
    <section aria-label="What had been said">
      <h3>What had been said</h3>
      {stage.messages.length === 0 ? <p className="hint">Nothing yet.</p> : null}
      <ol className="chat-then">
        {stage.messages.map((message) => {
          const { name, colour } = room.presence.looksOf(message.author);
          return (
            <li key={message.message}>
              <span className="chat-then-name" style={{ borderInlineStartColor: colour }}>
                {name} <time>{timeWithSeconds(message.posted)}</time>
              </span>
              <p dir="auto">{message.deleted === null ? message.text : "(deleted)"}</p>
              {Object.entries(message.reactions).map(([emoji, users]) => (
                <span key={emoji} className="reaction-then">
                  {emoji} {users.length}
                </span>
              ))}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
