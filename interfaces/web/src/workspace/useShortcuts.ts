/** Keys that do something wherever one is on the page. */

import { useEffect } from "react";
import { useDialogs } from "../dialogs/store.ts";
import { usePalette } from "./palette.ts";
import { type Panel, useWorkspace } from "./store.ts";

const PANELS: readonly Panel[] = ["people", "chat", "activity", "statistics", "history"];

export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isHandled(event)) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function isHandled(event: KeyboardEvent): boolean {
  const isMod = event.ctrlKey || event.metaKey;
  const { active, panel, showPanel } = useWorkspace.getState();
  const openDialog = useDialogs.getState().open;
  if (event.key === "F1" || (isMod && event.key.toLowerCase() === "k")) {
    usePalette.getState().open();
    return true;
  }
  if (isMod && !event.shiftKey && event.key.toLowerCase() === "s") {
    if (active !== null) openDialog({ kind: "save-revision", document: active });
    return true;
  }
  if (event.altKey && !isMod && /^[1-5]$/.test(event.key)) {
    const wanted = PANELS[Number(event.key) - 1]!;
    showPanel(wanted === panel ? null : wanted);
    return true;
  }
  if (event.key === "?" && !isTyping(event.target)) {
    openDialog({ kind: "shortcuts" });
    return true;
  }
  return false;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
