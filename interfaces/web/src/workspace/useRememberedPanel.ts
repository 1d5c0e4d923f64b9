/** On a screen with room for it, the panel that stood beside the text last stands there again. */

import { useEffect } from "react";
import { useLayout } from "./layout.ts";
import { useWorkspace } from "./store.ts";

export function useRememberedPanel(isPhone: boolean): void {
  useEffect(() => {
    if (isPhone) return;
    const { panel, showPanel } = useWorkspace.getState();
    const { panel: last, setPanel } = useLayout.getState();
    if (panel === null && last !== null) showPanel(last);
    return useWorkspace.subscribe((now, before) => {
      // Whoever leaves the room has closed nothing.
      if (now.panel !== before.panel && now.active !== null) setPanel(now.panel);
    });
  }, [isPhone]);
}
