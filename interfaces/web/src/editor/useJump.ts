/** Goes where the page has been asked to go in this document, and lights the place up. */

import type { EditorView } from "@codemirror/view";
import { EditorView as View } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useWorkspace } from "../workspace/store.ts";
import { flash } from "./flash.ts";

export function useJump(view: EditorView | null, document: string): void {
  const jump = useWorkspace((workspace) => workspace.jump);
  const done = useRef(0);

  useEffect(() => {
    if (view === null || jump === null || jump.document !== document || jump.number === done.current) return;
    done.current = jump.number;
    const { length } = view.state.doc;
    const from = Math.max(0, Math.min(jump.from, length));
    const to = Math.max(from, Math.min(jump.to, length));
    view.dispatch({
      selection: { anchor: from },
      effects: View.scrollIntoView(from, { y: "center" }),
    });
    flash(view, [{ from, to, kind: "jump" }]);
    view.focus();
  }, [view, jump, document]);
}
