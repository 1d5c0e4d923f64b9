/** Goes to a passage of a document, in the text as it is now. */

import type { DocumentHandle, Room } from "@chronoscribe/client";
import { useWorkspace } from "../workspace/store.ts";

/** As `GET …/messages/{message}/link` tells it: code points of the text of `revision`, the present one. */
export interface Passage {
  readonly document: string;
  readonly revision: number;
  readonly start: number;
  readonly end: number;
  readonly is_gone: boolean;
  readonly text: string;
}

/** A document that takes longer to open is not worth waiting for. */
const OPENING_MS = 15_000;

const HAS_TEXT: ReadonlySet<string> = new Set(["open", "offline", "stranded"]);

export async function showPassage(room: Room, passage: Passage): Promise<void> {
  const { document, revision, start, end } = passage;
  useWorkspace.getState().openDocument(document);
  const handle = room.open(document);
  await textOf(handle, revision);
  useWorkspace.getState().jumpTo(document, handle.toUtf16(start), handle.toUtf16(end));
  uncoverText();
}

/** On a phone a panel lies over the text. */
export function uncoverText(): void {
  if (window.matchMedia("(max-width: 760px)").matches) useWorkspace.getState().showPanel(null);
}

/** Waits for a text that is as new as what was told about it. */
function textOf(handle: DocumentHandle, revision: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = handle.subscribe(look);
    const timer = setTimeout(() => done(() => reject(new Error("the document does not open"))), OPENING_MS);
    function done(settle: () => void): void {
      clearTimeout(timer);
      end();
      settle();
    }
    function look(): void {
      const { status, why, revision: present } = handle.getSnapshot();
      if (status === "refused" || status === "closed") done(() => reject(new Error(why || "it is closed")));
      else if (HAS_TEXT.has(status) && (present >= revision || status !== "open")) done(resolve);
    }
    look();
  });
}
