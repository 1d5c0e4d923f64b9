/** All emoji, to search and to pick from, in one's own tone of skin. Its data is served by our own server. */

import { EmojiPicker as Picker, type SkinTone } from "frimousse";
import { useState } from "react";
import { Button, Group } from "react-aria-components";
import { loadEmoji } from "./emojiData.ts";
import { recentEmoji } from "./recentEmoji.ts";

const TONE_KEY = "chronoscribe.skin-tone";
const COLUMNS = 8;

export function EmojiPicker({ onPick }: { onPick(emoji: string): void }) {
  const [recent] = useState(() => recentEmoji(COLUMNS));
  return (
    <Picker.Root
      className="emoji-picker"
      columns={COLUMNS}
      skinTone={keptTone()}
      resolveEmojiData={loadEmoji}
      onEmojiSelect={({ emoji }) => onPick(emoji)}
    >
      <div className="emoji-head">
        <Picker.Search
          className="react-aria-Input"
          autoFocus
          aria-label="Find an emoji"
          placeholder="Find an emoji"
        />
        <Picker.SkinTone>
          {({ skinTone, setSkinTone, skinToneVariations }) => {
            const place = skinToneVariations.findIndex((variation) => variation.skinTone === skinTone);
            const next = skinToneVariations[(place + 1) % skinToneVariations.length];
            return (
              <Button
                className="react-aria-Button tool-button emoji"
                aria-label={`Skin tone: ${skinTone}; press for the next`}
                onPress={() => {
                  if (next === undefined) return;
                  setSkinTone(next.skinTone);
                  keepTone(next.skinTone);
                }}
              >
                {skinToneVariations[place]?.emoji ?? "✋"}
              </Button>
            );
          }}
        </Picker.SkinTone>
      </div>
      <Group className="emoji-recent" aria-label="Used last">
        {recent.map((emoji) => (
          <Button key={emoji} className="react-aria-Button tool-button emoji" onPress={() => onPick(emoji)}>
            {emoji}
          </Button>
        ))}
      </Group>
      <Picker.Viewport className="emoji-viewport">
        <Picker.Loading className="emoji-loading">Emoji are coming…</Picker.Loading>
        <Picker.Empty className="emoji-loading">No emoji is called so.</Picker.Empty>
        <Picker.List components={PARTS} />
      </Picker.Viewport>
      <div className="emoji-foot">
        <Picker.ActiveEmoji>
          {({ emoji }) => (emoji ? `${emoji.emoji} ${emoji.label}` : " ")}
        </Picker.ActiveEmoji>
      </div>
    </Picker.Root>
  );
}

const PARTS: NonNullable<Parameters<typeof Picker.List>[0]["components"]> = {
  CategoryHeader: ({ category, ...props }) => (
    <div {...props} className="emoji-category">
      {category.label}
    </div>
  ),
  Row: ({ children, ...props }) => (
    <div {...props} className="emoji-row">
      {children}
    </div>
  ),
  Emoji: ({ emoji, ...props }) => (
    <button type="button" {...props} className="emoji-choice">
      {emoji.emoji}
    </button>
  ),
};

function keptTone(): SkinTone {
  try {
    return (localStorage.getItem(TONE_KEY) ?? "none") as SkinTone;
  } catch {
    return "none";
  }
}

function keepTone(tone: SkinTone): void {
  try {
    localStorage.setItem(TONE_KEY, tone);
  } catch {
    // Then it is asked for again.
  }
}
