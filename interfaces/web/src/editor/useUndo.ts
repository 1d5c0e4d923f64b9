/** Undo and redo of one's own steps, asked of the server: what is on its way, and what is said about it. */

import type { DocumentHandle } from "@chronoscribe/client";
import { useCallback, useEffect, useRef, useState } from "react";

/** An answer that comes sooner needs no sign that it is awaited. */
const SPINNER_AFTER_MS = 300;
const SAID_MS = 3_000;

export interface Undo {
  undo(): void;
  redo(): void;
  /** Whether the server has been asked and has not answered. */
  isTakingBack(): boolean;
  /** What has been asked for and takes its time. */
  readonly waiting: "undo" | "redo" | null;
  /** For the person, for a moment; "" for nothing. */
  readonly said: string;
}

const NOTHING = { undo: "Nothing of yours to undo", redo: "Nothing to redo" } as const;

export function useUndo(handle: DocumentHandle): Undo {
  const [waiting, setWaiting] = useState<"undo" | "redo" | null>(null);
  const [said, setSaid] = useState("");
  const asked = useRef(0);

  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const ask = useCallback(
    async (what: "undo" | "redo") => {
      asked.current += 1;
      const timer = setTimeout(() => setWaiting(what), SPINNER_AFTER_MS);
      try {
        const revision = await (what === "undo" ? handle.undo() : handle.redo());
        setSaid(revision === null ? NOTHING[what] : "");
      } catch (error) {
        setSaid(error instanceof Error ? error.message : String(error));
      } finally {
        clearTimeout(timer);
        asked.current -= 1;
        if (asked.current === 0) setWaiting(null);
      }
    },
    [handle],
  );

  return {
    undo: useCallback(() => void ask("undo"), [ask]),
    redo: useCallback(() => void ask("redo"), [ask]),
    isTakingBack: useCallback(() => asked.current > 0, []),
    waiting,
    said,
  };
}
