/** How the page is laid out on this machine; remembered in the browser. */

import { create } from "zustand";
import { persist } from "zustand/middleware";

/** In CSS pixels, with the tabs beside it. */
export const NARROWEST = 340;
export const WIDEST = 760;
const FIRST = 404;

interface Layout {
  readonly panelWidth: number;
  setPanelWidth(width: number): void;
}

export const useLayout = create<Layout>()(
  persist(
    (set) => ({
      panelWidth: FIRST,
      setPanelWidth: (width) => set({ panelWidth: Math.round(Math.max(NARROWEST, Math.min(WIDEST, width))) }),
    }),
    { name: "chronoscribe.layout" },
  ),
);
