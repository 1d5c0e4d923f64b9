/** Whether one looks at the past, and through which replay. */

import type { Replay } from "@chronoscribe/client";
import { create } from "zustand";

interface HistoryState {
  readonly isInPast: boolean;
  readonly replay: Replay | null;
  /** The document of the stage that is shown. */
  readonly document: string | null;
  enter(replay: Replay, document: string | null): void;
  show(document: string): void;
  leave(): void;
}

export const useHistory = create<HistoryState>()((set, get) => ({
  isInPast: false,
  replay: null,
  document: null,
  enter: (replay, document) => set({ isInPast: true, replay, document }),
  show: (document) => set({ document }),
  leave: () => {
    get().replay?.close();
    set({ isInPast: false, replay: null });
  },
}));
