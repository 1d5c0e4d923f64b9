/** The way into the past, and how the room was then: who was here, and what was said. */

import { initialsOf, type Stage } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { Download, History, Play, Undo2 } from "lucide-react";
import { useLayoutEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { Picture } from "../people/Picture.tsx";
import { Nothing, Waiting, wordsOf } from "../ui/notes.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { dayOf, timeWithSeconds } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";
import { useLooks } from "./useLooks.ts";
import { useStage } from "./useStage.ts";

export function Timeline() {
  const room = useRoom();
  const { enter, leave } = useHistory();
  const { stage, at } = useStage();
  const isOnline = useStore(room.connection).status === "online";
  const [isOpening, setIsOpening] = useState(false);
  const open = async (plays: boolean) => {
    setIsOpening(true);
    await enter(room);
    const { replay } = useHistory.getState();
    if (plays && replay !== null) {
      await replay
        .seek(replay.getSnapshot().from)
        .then(() => replay.play())
        .catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }));
    }
    setIsOpening(false);
  };
  if (stage !== null) {
    return (
      <div className="timeline">
        <p className="timeline-head">
          <span>
            <strong>{timeWithSeconds(at)}</strong> <small>{dayOf(at)}</small>
          </span>
          <Button onPress={leave}>
            <Undo2 aria-hidden="true" /> Back to now
          </Button>
        </p>
        <PeopleThen stage={stage} />
        <ChatThen stage={stage} />
        <ReplayFile />
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
          isDisabled={isOpening || !isOnline}
          onPress={() => void open(false)}
        >
          <History aria-hidden="true" /> Travel back
        </Button>
        <Button isDisabled={isOpening || !isOnline} onPress={() => void open(true)}>
          <Play aria-hidden="true" /> Replay from the beginning
        </Button>
        <ReplayFile />
      </div>
      {isOpening ? <Waiting>Travelling back…</Waiting> : null}
      <p className="hint">
        Or ask “When was this written?” of any character in the text, and go to the moment it was typed.
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
      .then(({ blob, name }) => saveFile({ blob, name: name === "download" ? `${room.room}.html` : name }))
      .catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }))
      .finally(() => setIsLoading(false));
  };
  return (
    <Button isPending={isLoading} onPress={load}>
      <Download aria-hidden="true" /> {isLoading ? "Being written…" : "Download the replay as a page"}
    </Button>
  );
}

function PeopleThen({ stage }: { readonly stage: Stage }) {
  const followPerson = useHistory((state) => state.followPerson);
  const followed = useHistory((state) => state.person);
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
            {person.cursor === null ? null : (
              <Button
                className="react-aria-Button quiet"
                aria-pressed={followed === person.user}
                onPress={() => followPerson(followed === person.user ? null : person.user)}
              >
                {followed === person.user ? "Following" : "Follow"}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function ChatThen({ stage }: { readonly stage: Stage }) {
  const looksOf = useLooks();
  const { messages } = stage;
  const list = useRef<HTMLOListElement>(null);
  // What was said last is in sight, as it was then.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is another message
  useLayoutEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [messages.length]);
  return (
    <section aria-label="What had been said">
      <h3>What had been said</h3>
      {messages.length === 0 ? <p className="hint">Nothing yet.</p> : null}
      <ol className="chat-then is-scrolled" ref={list} tabIndex={messages.length === 0 ? -1 : 0}>
        {messages.map((message) => (
          <li key={message.message}>
            <span
              className="chat-then-name"
              style={{ borderInlineStartColor: looksOf(message.author).colour }}
            >
              {looksOf(message.author).name} <time>{timeWithSeconds(message.posted)}</time>
            </span>
            <p dir="auto">{message.deleted === null ? message.text : "(deleted)"}</p>
            {Object.entries(message.reactions).map(([emoji, users]) => (
              <span key={emoji} className="reaction-then">
                {emoji} {users.length}
              </span>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
