/** What has been pinned, newest first. */

import type { ChatMessage } from "@chronoscribe/client";
import { PinOff, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { useSelected } from "../ui/stores.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { actionsFor } from "./actions.ts";
import { useChatPanel } from "./context.ts";
import { Face, Name } from "./Face.tsx";
import { MessageText } from "./MessageText.tsx";
import { When } from "./When.tsx";

const PAGE = 50;
/** Lists of messages are a moment behind the log (docs/http.md). */
const BEHIND_MS = 300;

export function PinnedMessages({ onClose }: { onClose(): void }) {
  const room = useRoom();
  const api = useApi();
  const { me, role, act, jumpTo } = useChatPanel();
  // Whatever is pinned, unpinned or deleted among what is loaded.
  const changes = useSelected(room.chat, ({ messages }) =>
    messages
      .filter(({ pinned }) => pinned !== null)
      .map(({ message, pinned }) => `${message} ${pinned}`)
      .join(),
  );
  const [pins, setPins] = useState<readonly ChatMessage[] | null>(null);
  const [why, setWhy] = useState("");

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again for each change
  useEffect(() => {
    let isWanted = true;
    const ask = () =>
      api
        .data(
          api.raw.GET("/api/rooms/{room}/pins", {
            params: { path: { room: room.room }, query: { limit: PAGE } },
          }),
        )
        .then(({ messages }) => isWanted && setPins(messages))
        .catch((error: unknown) => isWanted && setWhy(wordsOf(error)));
    void ask();
    const timer = setTimeout(ask, BEHIND_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [api, room, changes]);

  return (
    <div className="chat-front">
      <header className="chat-front-head">
        <h3>Pinned messages</h3>
        <ToolButton label="Back to the messages" onPress={onClose}>
          <X aria-hidden="true" />
        </ToolButton>
      </header>
      {why === "" ? null : <p role="alert">{why}</p>}
      {pins?.length === 0 ? (
        <p className="log-note">Nothing is pinned. Pin what everybody should find again.</p>
      ) : null}
      <ul className="found-list">
        {(pins ?? []).map((message) => (
          <li key={message.message}>
            <Button className="react-aria-Button found" onPress={() => jumpTo(message.message)}>
              <span className="found-head">
                <Face user={message.author} />
                <b>
                  <Name user={message.author} />
                </b>
                <When at={message.posted} />
              </span>
              <MessageText text={message.text} mentions={message.mentions} me={me} />
            </Button>
            {actionsFor(message, me, role).includes("unpin") ? (
              <ToolButton label="Unpin" onPress={() => act("unpin", message, document.body)}>
                <PinOff aria-hidden="true" />
              </ToolButton>
            ) : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
