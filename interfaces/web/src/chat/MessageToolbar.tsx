/** What one does most with a message, beside it. */

import type { ChatMessage } from "@chronoscribe/client";
import { Ellipsis, Pencil, Reply, SmilePlus } from "lucide-react";
import { useRef } from "react";
import { Button } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { actionsFor } from "./actions.ts";
import { useChatPanel } from "./context.ts";
import { recentEmoji } from "./recentEmoji.ts";

/** Emoji that are one press away. */
const QUICK = 2;

export function MessageToolbar({ message }: { readonly message: ChatMessage }) {
  const { me, role, act, openMenu, react } = useChatPanel();
  const bar = useRef<HTMLDivElement>(null);
  const may = actionsFor(message, me, role);
  if (may.length === 0) return null;
  const here = () => bar.current?.closest<HTMLElement>("[data-message]") ?? document.body;
  return (
    <div ref={bar} className="message-toolbar" role="toolbar" aria-label="Message">
      {may.includes("react")
        ? recentEmoji(QUICK).map((emoji) => (
            <Button
              key={emoji}
              className="react-aria-Button tool-button emoji"
              aria-label={`React with ${emoji}`}
              onPress={() => void react(message, emoji, !message.reactions[emoji]?.includes(me))}
            >
              {emoji}
            </Button>
          ))
        : null}
      {may.includes("react") ? (
        <ToolButton label="React" onPress={() => act("react", message, here())}>
          <SmilePlus aria-hidden="true" />
        </ToolButton>
      ) : null}
      {may.includes("reply") ? (
        <ToolButton label="Reply" onPress={() => act("reply", message, here())}>
          <Reply aria-hidden="true" />
        </ToolButton>
      ) : null}
      {may.includes("edit") ? (
        <ToolButton label="Edit" onPress={() => act("edit", message, here())}>
          <Pencil aria-hidden="true" />
        </ToolButton>
      ) : null}
      <ToolButton label="More" onPress={() => openMenu(message, here())}>
        <Ellipsis aria-hidden="true" />
      </ToolButton>
    </div>
  );
}
