/** What was said a moment before, over the text as in a film. The panel has all of the chat. */

import type { Stage } from "@chronoscribe/client";
import { useLooks } from "./useLooks.ts";

/** In the time of the replay: longer than one reads, shorter than until the next matter. */
const SHOWN_MICROSECONDS = 9_000_000;

export function Subtitle({ stage }: { readonly stage: Stage }) {
  const looksOf = useLooks();
  const last = stage.messages.at(-1);
  if (last === undefined || last.deleted !== null || stage.at - last.posted > SHOWN_MICROSECONDS) return null;
  const { name, colour } = looksOf(last.author);
  return (
    <p className="subtitle" aria-hidden="true" style={{ borderInlineStartColor: colour }}>
      <strong>{name}</strong> <span dir="auto">{last.text}</span>
    </p>
  );
}
