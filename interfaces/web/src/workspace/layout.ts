/** How the page is laid out on this machine; remembered in the browser. */

import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Panel } from "./store.ts";

/** In CSS pixels, with the tabs beside it. */
export const NARROWEST = 340;
export const WIDEST = 760;
const FIRST = 404;

interface Layout {
  readonly panelWidth: number;
  /** The panel that stood beside the text last. */
  readonly panel: Panel | null;
  setPanelWidth(width: number): void;
  setPanel(panel: Panel | null): void;
}

export const useLayout = create<Layout>()(
  persist(
    (set) => ({
      panelWidth: FIRST,
      panel: null,
      setPanel: (panel) => set({ panel }),
      setPanelWidth: (width) => set({ panelWidth: Math.round(Math.max(NARROWEST, Math.min(WIDEST, width))) }),
    }),
    { name: "chronoscribe.layout" },
  ),
);
