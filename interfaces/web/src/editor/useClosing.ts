/** A document whose tab is closed is closed in the room as well: nobody waits for what nobody looks at. */

import type { DocumentHandle } from "@chronoscribe/client";
import { useEffect } from "react";
import { useWorkspace } from "../workspace/store.ts";

/** Handles that an editor has shown, by document. */
const shown = new Map<string, DocumentHandle>();

export function useClosing(handle: DocumentHandle): void {
  useEffect(() => {
    shown.set(handle.document, handle);
    // Whichever editor is mounted hears of every tab that is closed, its own among them.
    return useWorkspace.subscribe(({ tabs }, before) => {
      for (const document of before.tabs) {
        if (tabs.includes(document)) continue;
        const closed = shown.get(document);
        shown.delete(document);
        // First what shows it goes.
        setTimeout(() => closed?.close());
      }
    });
  }, [handle]);
}
