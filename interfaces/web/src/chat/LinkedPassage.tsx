/** The passage that a message is about: what stands there now, and the way there. */

import type { ChatMessage } from "@chronoscribe/client";
import { FileText } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { wordsOf } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { type Passage, showPassage } from "./showPassage.ts";

export function LinkedPassage({ message }: { readonly message: ChatMessage }) {
  const room = useRoom();
  const api = useApi();

  const [passage, setPassage] = useState<Passage | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const id = message.message;
  const isInLog = message.client !== null || message.position < Number.MAX_SAFE_INTEGER;

  const find = useCallback(async (): Promise<Passage> => {
    const path = { room: room.room, message: id };
    const found = await api.data(
      api.raw.GET("/api/rooms/{room}/messages/{message}/link", { params: { path } }),
    );
    setPassage(found);
    return found;
  }, [api, room, id]);

  // Asked about when it comes into view: a long chat may have many.
  useEffect(() => {
    if (!isInLog || place.current === null) return;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      find().catch(() => {}); // the name of the document is there all the same
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [find, isInLog]);

  if (message.link === null) return null;
  const show = async () => {
    try {
      const found = await find();
      await showPassage(room, found);
      if (found.is_gone) tell("The passage was deleted since; this is where it was.");
    } catch (error) {
      tell(`The passage cannot be shown: ${wordsOf(error)}`);
    }
  };
  return (
    <div ref={place}>
      <Button className="react-aria-Button passage" isDisabled={!isInLog} onPress={() => void show()}>
        <span className="passage-head">
          <FileText aria-hidden="true" />
          <bdi>{message.link.document}</bdi>
          {passage?.is_gone ? <span className="passage-gone">deleted since</span> : null}
        </span>
        {passage === null || passage.text === "" ? null : <code dir="auto">{passage.text}</code>}
      </Button>
    </div>
  );
}
