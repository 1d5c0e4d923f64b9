/** What the picker knows of emoji: files of the page's own bundle, read when the picker is first opened. */

import dataUrl from "emojibase-data/en/data.json?url";
import messagesUrl from "emojibase-data/en/messages.json?url";
import type { EmojiData, SkinTone } from "frimousse";

/** What is used here of emojibase's data. */
interface KnownEmoji {
  readonly emoji: string;
  readonly label: string;
  readonly version: number;
  readonly group?: number;
  readonly order?: number;
  readonly tags?: readonly string[];
  readonly emoticon?: string | readonly string[];
  readonly skins?: readonly { readonly emoji: string; readonly tone: number | readonly number[] }[];
}

interface Words {
  readonly groups: readonly { readonly order: number; readonly message: string }[];
}

/** Parts of other emoji are none themselves. */
const COMPONENTS_GROUP = 2;

const TONES: readonly Exclude<SkinTone, "none">[] = [
  "light",
  "medium-light",
  "medium",
  "medium-dark",
  "dark",
];

/** One emoji of each edition: whoever draws it has those of the editions before as well. */
const PROBES: readonly (readonly [version: number, emoji: string])[] = [
  [17, "🫪"],
  [16, "🫩"],
  [15, "🫨"],
  [14, "🫠"],
  [13, "🥲"],
];
const OLDEST = 12;

export async function loadEmoji(): Promise<EmojiData> {
  const [emojis, words] = await Promise.all([read<readonly KnownEmoji[]>(dataUrl), read<Words>(messagesUrl)]);
  return asPicked(emojis, words, newestDrawn());
}

async function read<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the emoji do not come: HTTP ${response.status}`);
  return (await response.json()) as T;
}

export function asPicked(emojis: readonly KnownEmoji[], words: Words, newest: number): EmojiData {
  const shown = emojis
    .filter(({ group, version }) => group !== undefined && group !== COMPONENTS_GROUP && version <= newest)
    .toSorted((one, other) => (one.order ?? 0) - (other.order ?? 0));
  return {
    locale: "en",
    emojis: shown.map(({ emoji, label, version, group, tags, skins }) => ({
      emoji,
      label,
      version,
      category: group ?? 0,
      tags: [...(tags ?? [])],
      ...(skins === undefined ? {} : { skins: inOneTone(emoji, skins) }),
    })),
    categories: words.groups
      .filter(({ order }) => order !== COMPONENTS_GROUP)
      .map(({ order, message }) => ({ index: order, label: message })),
    skinTones: {
      light: "light skin tone",
      "medium-light": "medium-light skin tone",
      medium: "medium skin tone",
      "medium-dark": "medium-dark skin tone",
      dark: "dark skin tone",
    },
  };
}

/** Of emoji with several people those in which all have the same tone. */
function inOneTone(
  emoji: string,
  skins: NonNullable<KnownEmoji["skins"]>,
): Record<Exclude<SkinTone, "none">, string> {
  const of = (tone: number) => skins.find((skin) => skin.tone === tone)?.emoji ?? emoji;
  return Object.fromEntries(TONES.map((name, place) => [name, of(place + 1)])) as Record<
    Exclude<SkinTone, "none">,
    string
  >;
}

/** The newest edition that this machine's fonts have. */
function newestDrawn(): number {
  return PROBES.find(([, emoji]) => isDrawn(emoji))?.[0] ?? OLDEST;
}

const PROBE_PIXELS = 16;

/** A picture has its own colours; the box in place of one that is missing has that of the ink. */
function isDrawn(emoji: string): boolean {
  const [black, red] = ["#000000", "#ff0000"].map((ink) => pixelsOf(emoji, ink));
  return black !== undefined && /[1-9]/.test(black) && black === red;
}

function pixelsOf(emoji: string, ink: string): string {
  const canvas = document.createElement("canvas");
  canvas.width = PROBE_PIXELS;
  canvas.height = PROBE_PIXELS;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return "";
  context.font = `${PROBE_PIXELS - 4}px "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif`;
  context.textBaseline = "top";
  context.fillStyle = ink;
  context.fillText(emoji, 0, 0);
  return context.getImageData(0, 0, PROBE_PIXELS, PROBE_PIXELS).data.join();
}
