/** Picks an emoji; the picker and its words come when they are first asked for. */

import { Suspense } from "react";
import { Fence } from "../ui/Fence.tsx";
import { late } from "../ui/late.ts";
import { Floating } from "./Floating.tsx";
import { rememberEmoji } from "./recentEmoji.ts";

const EmojiPicker = late(() => import("./EmojiPicker.tsx").then((m) => m.EmojiPicker));

interface EmojiPopoverProps {
  readonly anchor: HTMLElement | null;
  onPick(emoji: string): void;
  onClose(): void;
}

export function EmojiPopover({ anchor, onPick, onClose }: EmojiPopoverProps) {
  const pick = (emoji: string) => {
    rememberEmoji(emoji);
    onPick(emoji);
    onClose();
  };
  return (
    <Floating anchor={anchor} label="Emoji" onClose={onClose}>
      <Fence>
        <Suspense fallback={<p className="emoji-loading">Emoji are coming…</p>}>
          <EmojiPicker onPick={pick} />
        </Suspense>
      </Fence>
    </Floating>
  );
}
