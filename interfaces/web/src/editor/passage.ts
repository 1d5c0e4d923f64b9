/** Links to a place in a text, that others can open. */

import type { DocumentHandle, TextLink } from "@chronoscribe/client";
import type { EditorView } from "@codemirror/view";

/** Of a longer selection the first part is quoted. */
const QUOTED_CHARACTERS = 2_000;
/** A link names a revision: what was typed last has to be in the log. Without a network nobody waits longer. */
const SAVED_WITHIN_MS = 5_000;

export async function selectedPassage(
  view: EditorView,
  handle: DocumentHandle,
): Promise<TextLink & { readonly text: string }> {
  await Promise.race([handle.saved(), tooLate()]);
  const { from, to } = view.state.selection.main;
  const text = view.state.sliceDoc(from, Math.min(to, from + QUOTED_CHARACTERS));
  return { ...handle.link(from, to), text };
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error("what was typed last is not saved yet")), SAVED_WITHIN_MS);
  });
}

/** Opens this document at that passage, wherever it has moved since. */
function addressOf(room: string, { document, revision, start, end }: TextLink): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname}#/room/${encodeURIComponent(room)}/${encodeURIComponent(document)}?passage=${revision},${start},${end}`;
}

/** False when there is nothing to link to yet, or the browser does not allow it. */
export async function copyLink(room: string, view: EditorView, handle: DocumentHandle): Promise<boolean> {
  try {
    return await copyText(addressOf(room, await selectedPassage(view, handle)));
  } catch {
    return false;
  }
}

/** False when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
