/** Links to a place in a text, that others can open. */

import type { DocumentHandle, TextLink } from "@chronoscribe/client";
import type { EditorView } from "@codemirror/view";

/** Of a longer selection the first part is quoted. */
const QUOTED_CHARACTERS = 2_000;

export function selectedPassage(
  view: EditorView,
  handle: DocumentHandle,
): TextLink & { readonly text: string } {
  const { from, to } = view.state.selection.main;
  const text = view.state.sliceDoc(from, Math.min(to, from + QUOTED_CHARACTERS));
  return { ...handle.link(from, to), text };
}

/** Opens this document at that passage, wherever it has moved since. */
export function addressOf(room: string, { document, revision, start, end }: TextLink): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname}#/room/${encodeURIComponent(room)}/${encodeURIComponent(document)}?passage=${revision},${start},${end}`;
}

/** False when the browser does not allow it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
