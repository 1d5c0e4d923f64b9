/** Where in the past one is, through which replay, and what the history panel shows. */

import type { Replay, Room } from "@chronoscribe/client";
import { create } from "zustand";
import { wordsOf } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { isPhone } from "../workspace/useIsPhone.ts";

export type View = "timeline" | "blame" | "compare" | "versions" | "search" | "bisect";

/** A character of a document's text, or with no position the edit that made a revision. */
export interface MomentAsked {
  readonly document: string;
  readonly revision: number;
  readonly position: number | null;
}

/** What is to be compared, as moments in the words of the server: a revision, `now`, `name:NAME`, a time. */
export interface Comparison {
  readonly document: string;
  readonly from: string;
  readonly to: string;
}

interface HistoryState {
  readonly isInPast: boolean;
  readonly replay: Replay | null;
  /** The document of the stage that is shown; null: the first one. */
  readonly document: string | null;
  readonly view: View;
  readonly moment: MomentAsked | null;
  readonly comparison: Comparison | null;
  setView(view: View): void;
  show(document: string): void;
  ask(moment: MomentAsked | null): void;
  compare(comparison: Comparison): void;
  /** Look at the room as it was: at a moment, in microseconds, or at its end when nothing is said. */
  enter(room: Room, at?: number, document?: string | null): Promise<void>;
  leave(): void;
}

export const useHistory = create<HistoryState>()((set, get) => ({
  isInPast: false,
  replay: null,
  document: null,
  view: "timeline",
  moment: null,
  comparison: null,
  setView: (view) => set({ view }),
  show: (document) => set({ document }),
  ask: (moment) => set({ moment }),
  compare: (comparison) => set({ comparison, view: "compare" }),
  enter: async (room, at, document) => {
    try {
      const replay = get().replay ?? (await room.replay());
      if (isPhone()) useWorkspace.getState().showPanel(null); // it would cover what one wants to see
      set({ isInPast: true, replay, ...(document === undefined ? {} : { document }) });
      await replay.pause();
      await replay.seek(at ?? replay.getSnapshot().until);
    } catch (error) {
      get().leave();
      tell({ text: `The past could not be opened. ${wordsOf(error)}`, tone: "bad" });
    }
  },
  leave: () => {
    get().replay?.close();
    set({ isInPast: false, replay: null });
  },
}));
