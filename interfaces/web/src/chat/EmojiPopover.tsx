/** Picks an emoji; the picker and its words come when they are first asked for. */

import { lazy, Suspense } from "react";
import { Floating } from "./Floating.tsx";
import { rememberEmoji } from "./recentEmoji.ts";

const EmojiPicker = lazy(async () => ({ default: (await import("./EmojiPicker.tsx")).EmojiPicker }));

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
      <Suspense fallback={<p className="emoji-loading">Emoji are coming…</p>}>
        <EmojiPicker onPick={pick} />
      </Suspense>
    </Floating>
  );
}
