/** The stage that the replay shows now. */

import type { ReplaySnapshot, Stage } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useHistory } from "./store.ts";

export interface Staged {
  /** Null before a replay is open. */
  readonly stage: Stage | null;
  readonly at: number;
  readonly status: ReplaySnapshot["status"];
  readonly isPlaying: boolean;
}

export function useStage(): Staged {
  const replay = useHistory((state) => state.replay);
  const snapshot = useStore(replay);
  if (snapshot === null || snapshot.status === "opening")
    return { stage: null, at: 0, status: "opening", isPlaying: false };
  const { stage, at, status, isPlaying } = snapshot;
  return { stage, at, status, isPlaying };
}
