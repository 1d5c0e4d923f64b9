/** How a replay is steered by a person: what goes wrong is told, and of many wishes the last counts. */

import type { Replay } from "@chronoscribe/client";
import { useMemo } from "react";
import { wordsOf } from "../../ui/notes.tsx";
import { tell } from "../../ui/toasts.tsx";
import { useHistory } from "../store.ts";

export interface Steering {
  seek(at: number): void;
  step(by: number): void;
  toggle(): void;
  toBeginning(): void;
  toEnd(): void;
  setSpeed(speed: number): void;
  setSkipIdle(skips: boolean): void;
}

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] as const;

export function useSteering(replay: Replay): Steering {
  return useMemo(() => steer(replay), [replay]);
}

function steer(replay: Replay): Steering {
  const run = (work: Promise<void>) =>
    void work.catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }));
  const seek = lastOf((at: number) => replay.seek(at));
  const play = async () => {
    const { at, from, until } = replay.getSnapshot();
    useHistory.getState().follow(true);
    if (at >= until) await replay.seek(from); // at the end there is nothing more: once again
    await replay.play();
  };
  return {
    seek,
    step: (by) => run(replay.step(by)),
    toggle: () => run(replay.getSnapshot().isPlaying ? replay.pause() : play()),
    toBeginning: () => seek(replay.getSnapshot().from),
    toEnd: () => seek(replay.getSnapshot().until),
    setSpeed: (speed) => run(replay.setSpeed(speed)),
    setSkipIdle: (skips) => run(replay.setSkipIdle(skips)),
  };
}

/** Of what a dragged playhead asks for, the last is done; one question is on its way at a time. */
function lastOf(ask: (at: number) => Promise<void>): (at: number) => void {
  let wanted: number | null = null;
  let isBusy = false;
  return (at) => {
    wanted = at;
    if (isBusy) return;
    isBusy = true;
    const next = async (): Promise<void> => {
      while (wanted !== null) {
        const moment = wanted;
        wanted = null;
        await ask(moment).catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }));
      }
      isBusy = false;
    };
    void next();
  };
}
