/** Everything that one may do with a message. */

import type { ChatMessage } from "@chronoscribe/client";
import {
  Clock,
  Copy,
  Eraser,
  Eye,
  History,
  type LucideIcon,
  Pencil,
  Pin,
  PinOff,
  Reply,
  SmilePlus,
  Trash2,
} from "lucide-react";
import { Button, Group, Menu, MenuItem } from "react-aria-components";
import { type Action, actionsFor } from "./actions.ts";
import { useChatPanel } from "./context.ts";
import { Floating } from "./Floating.tsx";
import { recentEmoji, rememberEmoji } from "./recentEmoji.ts";

const WORDS: Readonly<Record<Action, readonly [words: string, Icon: LucideIcon]>> = {
  react: ["React…", SmilePlus],
  reply: ["Reply", Reply],
  edit: ["Edit", Pencil],
  copy: ["Copy the text", Copy],
  pin: ["Pin", Pin],
  unpin: ["Unpin", PinOff],
  readers: ["Who has read it", Eye],
  history: ["What it said before", History],
  moment: ["The room at that moment", Clock],
  delete: ["Delete", Trash2],
  redact: ["Remove for good…", Eraser],
};

/** Emoji that are one press away. */
const QUICK = 6;

interface MessageMenuProps {
  readonly message: ChatMessage;
  readonly anchor: HTMLElement;
  onClose(): void;
}

export function MessageMenu({ message, anchor, onClose }: MessageMenuProps) {
  const { me, role, act, react } = useChatPanel();
  const may = actionsFor(message, me, role);
  return (
    <Floating anchor={anchor} label="What to do with the message" onClose={onClose}>
      {may.includes("react") ? (
        <Group className="emoji-recent" aria-label="React with">
          {recentEmoji(QUICK).map((emoji) => (
            <Button
              key={emoji}
              className="react-aria-Button tool-button emoji"
              onPress={() => {
                rememberEmoji(emoji);
                void react(message, emoji, !message.reactions[emoji]?.includes(me));
                onClose();
              }}
            >
              {emoji}
            </Button>
          ))}
        </Group>
      ) : null}
      <Menu
        aria-label="What to do with the message"
        autoFocus="first"
        onAction={(key) => {
          onClose();
          act(key as Action, message, anchor);
        }}
      >
        {may.map((action) => {
          const [words, Icon] = WORDS[action];
          return (
            <MenuItem
              key={action}
              id={action}
              textValue={words}
              className={`react-aria-MenuItem is-${action}`}
            >
              <span className="with-icon">
                <Icon aria-hidden="true" /> {words}
              </span>
            </MenuItem>
          );
        })}
      </Menu>
    </Floating>
  );
}
