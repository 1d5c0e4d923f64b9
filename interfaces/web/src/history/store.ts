/** Where in the past one is, through which replay, and what the history panel and the main area show. */

import type { Replay, Room } from "@chronoscribe/client";
import { create } from "zustand";
import { wordsOf } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { isPhone } from "../workspace/useIsPhone.ts";

export type View = "timeline" | "versions" | "compare" | "blame" | "search" | "bisect";

/** What stands in the place of the text: the stage of the replay, or a comparison or blame at full width. */
export type Wide = "compare" | "blame";

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

/** A text whose authors are asked for; null: the present one. */
export interface BlameAsked {
  readonly document: string;
  readonly revision: number | null;
}

interface HistoryState {
  readonly isInPast: boolean;
  readonly replay: Replay | null;
  /** The document of the stage that is shown; null: the one that is written in. */
  readonly document: string | null;
  /** The one that is shown, as long as the replay rests. */
  readonly staged: string | null;
  /** Whose cursor is kept in sight. */
  readonly person: string | null;
  /** Whether what is written is kept in sight. */
  readonly follows: boolean;
  readonly view: View;
  readonly wide: Wide | null;
  readonly moment: MomentAsked | null;
  /** When that was, as soon as it is known: shown on the strip. */
  readonly momentAt: number | null;
  readonly comparison: Comparison | null;
  readonly blame: BlameAsked | null;
  setView(view: View): void;
  widen(wide: Wide | null): void;
  /** Stay with a document; null: go along with who writes. */
  show(document: string | null): void;
  stage(document: string | null): void;
  followPerson(user: string | null): void;
  follow(follows: boolean): void;
  ask(moment: MomentAsked | null): void;
  dated(at: number | null): void;
  compare(comparison: Comparison): void;
  blameOf(blame: BlameAsked): void;
  /** What was asked of another document is over. */
  turnTo(document: string | null): void;
  /** Look at the room as it was: at a moment, in microseconds, or at its end when nothing is said. */
  enter(room: Room, at?: number, document?: string | null): Promise<void>;
  leave(): void;
  /** Another room: nothing of this one is kept. */
  reset(): void;
}

export const useHistory = create<HistoryState>()((set, get) => ({
  isInPast: false,
  replay: null,
  document: null,
  staged: null,
  person: null,
  follows: true,
  view: "timeline",
  wide: null,
  moment: null,
  momentAt: null,
  comparison: null,
  blame: null,
  // Who comes by hand wants the present text.
  setView: (view) => set({ view, blame: null, moment: null, momentAt: null }),
  widen: (wide) => set(({ replay }) => ({ wide, isInPast: wide !== null || replay !== null })),
  show: (document) => set({ document, person: null, follows: true }),
  stage: (staged) => set({ staged }),
  followPerson: (person) => set({ person, follows: true }),
  follow: (follows) => set(follows ? { follows } : { follows, person: null }),
  ask: (moment) => set({ moment, momentAt: null }),
  dated: (momentAt) => set({ momentAt }),
  compare: (comparison) => set({ comparison, view: "compare", moment: null, momentAt: null }),
  blameOf: (blame) => set({ blame, view: "blame", moment: null, momentAt: null }),
  turnTo: (document) =>
    set(({ comparison, blame }) => ({
      comparison: comparison?.document === document ? comparison : null,
      blame: blame?.document === document ? blame : null,
    })),
  enter: async (room, at, document) => {
    try {
      const replay = await replayUntil(get().replay, room, at);
      const shown = document === undefined ? {} : { document, person: null };
      if (isPhone()) useWorkspace.getState().showPanel(null); // it would cover what one wants to see
      set({ isInPast: true, wide: null, follows: true, replay, ...shown });
      await replay.pause();
      await replay.seek(at ?? replay.getSnapshot().until);
    } catch (error) {
      get().leave();
      tell({ text: `The past could not be opened. ${wordsOf(error)}`, tone: "bad" });
    }
  },
  leave: () => {
    get().replay?.close();
    set({ isInPast: false, replay: null, wide: null, person: null, document: null, staged: null });
  },
  reset: () => {
    get().leave();
    set({ view: "timeline", moment: null, momentAt: null, comparison: null, blame: null });
  },
}));

/** The replay that is open, if it knows of that moment; else one that reaches up to now. */
async function replayUntil(open: Replay | null, room: Room, at: number | undefined): Promise<Replay> {
  if (open !== null) {
    const { status, until } = open.getSnapshot();
    if (status !== "closed" && (at ?? until) <= until) return open;
  }
  return room.replay();
}
