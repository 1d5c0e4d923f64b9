/** How somebody likes to read and write on this machine. Kept in the browser; nobody else sees it. */

import { create } from "zustand";
import { persist } from "zustand/middleware";

export const SIZES = [12, 13, 14, 15, 16, 18, 20, 24] as const;

interface Preferences {
  readonly wraps: boolean;
  /** In CSS pixels; a touched screen never takes less than 16, or browsers zoom in when the text is tapped. */
  readonly size: number;
  setWraps(wraps: boolean): void;
  /** To the next larger (1) or smaller (-1) size. */
  resize(by: 1 | -1): void;
}

export const usePreferences = create<Preferences>()(
  persist(
    (set) => ({
      wraps: true,
      size: 14,
      setWraps: (wraps) => set({ wraps }),
      resize: (by) =>
        set(({ size }) => {
          const at = SIZES.findIndex((each) => each >= size);
          return { size: SIZES[Math.max(0, Math.min(SIZES.length - 1, at + by))]! };
        }),
    }),
    { name: "chronoscribe.editor" },
  ),
);
