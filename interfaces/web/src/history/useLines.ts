/** A question whose answer comes line by line, says how far it is, and can be stopped. */

import { useCallback, useEffect, useRef, useState } from "react";
import { useApi } from "../workspace/room.tsx";

interface Progress {
  readonly type: "progress";
  readonly done: number;
  readonly all: number;
}

interface Question {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

export interface Lines<T> {
  /** How much of it is done, in percent; null when nothing is being asked. */
  readonly progress: number | null;
  readonly fault: unknown;
  /** It was stopped before it was done. */
  readonly isStopped: boolean;
  ask(method: "GET" | "POST", path: string, question: Question, onLine: (line: T) => void): Promise<void>;
  stop(): void;
}

export function useLines<T extends { readonly type: string }>(): Lines<T> {
  const api = useApi();
  const [progress, setProgress] = useState<number | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [isStopped, setIsStopped] = useState(false);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const ask: Lines<T>["ask"] = useCallback(
    async (method, path, question, onLine) => {
      running.current?.abort();
      const control = new AbortController();
      running.current = control;
      const { signal } = control;
      setFault(null);
      setIsStopped(false);
      setProgress(0);
      try {
        for await (const line of api.lines<T | Progress>(method, path, { ...question, signal })) {
          if (signal.aborted) return;
          if (line.type === "progress") {
            const { done, all } = line as Progress;
            setProgress(Math.min(100, (100 * done) / Math.max(1, all)));
          }
          onLine(line as T);
        }
      } catch (error) {
        if (!signal.aborted) setFault(error);
      } finally {
        if (running.current === control) setProgress(null);
      }
    },
    [api],
  );
  const stop = useCallback(() => {
    running.current?.abort();
    setIsStopped(true);
    setProgress(null);
  }, []);
  return { progress, fault, isStopped, ask, stop };
}

/** Of a document: `…/documents/{document}/{what}`. */
export function pathOf(room: string, document: string, what: string): string {
  return `/api/rooms/${encodeURIComponent(room)}/documents/${encodeURIComponent(document)}/${what}`;
}
