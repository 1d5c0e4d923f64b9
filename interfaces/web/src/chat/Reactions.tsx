/** How people have reacted to a message: press to join them, or to take one's own back. */

import type { ChatMessage } from "@chronoscribe/client";
import { SmilePlus } from "lucide-react";
import { useRef, useState } from "react";
import { Button, ToggleButton, Tooltip, TooltipTrigger } from "react-aria-components";
import { useChatPanel } from "./context.ts";
import { useNames } from "./looks.ts";
import { reactionSentence } from "./sentences.ts";

export function Reactions({ message }: { readonly message: ChatMessage }) {
  const { mayPost, act, react, me } = useChatPanel();
  const more = useRef<HTMLButtonElement>(null);
  // What one has pressed shows at once; the log has the last word.
  const [pressed, setPressed] = useState<Readonly<Record<string, boolean>>>({});
  const toggle = async (emoji: string, reacted: boolean) => {
    setPressed((before) => ({ ...before, [emoji]: reacted }));
    await react(message, emoji, reacted);
    setPressed(({ [emoji]: _, ...rest }) => rest);
  };
  const shown = Object.entries(message.reactions).map(
    ([emoji, users]) => [emoji, withMe(users, me, pressed[emoji])] as const,
  );
  return (
    <div className="reactions">
      {shown.map(([emoji, users]) => (
        <Reaction
          key={emoji}
          emoji={emoji}
          users={users}
          isDisabled={!mayPost}
          onChange={(reacted) => void toggle(emoji, reacted)}
        />
      ))}
      {mayPost ? (
        <Button
          ref={more}
          className="react-aria-Button reaction is-more"
          aria-label="Add a reaction"
          onPress={() => more.current && act("react", message, more.current)}
        >
          <SmilePlus aria-hidden="true" />
        </Button>
      ) : null}
    </div>
  );
}

function withMe(users: readonly string[], me: string, pressed: boolean | undefined): readonly string[] {
  if (pressed === undefined || pressed === users.includes(me)) return users;
  return pressed ? [...users, me] : users.filter((user) => user !== me);
}

interface ReactionProps {
  readonly emoji: string;
  readonly users: readonly string[];
  readonly isDisabled: boolean;
  onChange(reacted: boolean): void;
}

function Reaction({ emoji, users, isDisabled, onChange }: ReactionProps) {
  const { me } = useChatPanel();
  const names = useNames(users, me);
  const words = reactionSentence(names, emoji);
  return (
    <TooltipTrigger delay={300}>
      <ToggleButton
        className="react-aria-ToggleButton reaction"
        isSelected={users.includes(me)}
        isDisabled={isDisabled}
        onChange={onChange}
        aria-label={`${emoji} ${users.length}: ${words}`}
      >
        <span className="emoji">{emoji}</span> {users.length}
      </ToggleButton>
      <Tooltip>{words}</Tooltip>
    </TooltipTrigger>
  );
}
