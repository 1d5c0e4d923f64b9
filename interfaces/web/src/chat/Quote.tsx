/** The message that another one answers: who said what, and the way there. */

import type { ChatMessage } from "@chronoscribe/client";
import { CornerUpRight } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { useSelected } from "../ui/stores.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useChatPanel } from "./context.ts";
import { Face, Name } from "./Face.tsx";
import { nameOf } from "./looks.ts";
import { asWritten } from "./mentions.ts";

export function Quote({ of }: { readonly of: string }) {
  const { jumpTo } = useChatPanel();
  const quoted = useMessage(of);
  return (
    <Button
      className="react-aria-Button quote"
      onPress={() => jumpTo(of)}
      aria-label="Show what this answers"
    >
      <CornerUpRight aria-hidden="true" />
      {quoted === null ? (
        <span>an earlier message</span>
      ) : (
        <>
          <Face user={quoted.author} />
          <b>
            <Name user={quoted.author} />
          </b>
          <QuotedText message={quoted} />
        </>
      )}
    </Button>
  );
}

/** One line of it. */
export function QuotedText({ message }: { readonly message: ChatMessage }) {
  const room = useRoom();
  if (message.deleted !== null) return <i>deleted</i>;
  const { text } = asWritten(message.text, message.mentions, (user) => nameOf(room, user));
  return (
    <span className="quoted" dir="auto">
      {text.replace(/\s+/g, " ")}
    </span>
  );
}

/** A message that is loaded, or else asked for; null until it is there. */
export function useMessage(id: string): ChatMessage | null {
  const room = useRoom();
  const api = useApi();
  const loaded = useSelected(
    room.chat,
    ({ messages }) => messages.find(({ message }) => message === id) ?? null,
  );
  const [asked, setAsked] = useState<ChatMessage | null>(null);
  const isMissing = loaded === null;

  useEffect(() => {
    if (!isMissing) return;
    let isWanted = true;
    const path = { room: room.room, message: id };
    api
      .data(api.raw.GET("/api/rooms/{room}/messages/{message}", { params: { path } }))
      .then((found) => isWanted && setAsked(found))
      .catch(() => {}); // then it is "an earlier message"
    return () => {
      isWanted = false;
    };
  }, [api, room, id, isMissing]);

  return loaded ?? asked;
}
