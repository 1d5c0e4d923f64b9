/** The figures of a span of time, of everybody or of one person, on this machine's clock; live. */

import type { Statistics } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useApi, useRoom } from "../workspace/room.tsx";
import { beginOf, type Span } from "./figures.ts";

/** While much goes on the figures are asked for no more often. */
const CALM_MS = 2_000;

export interface FiguresQuery {
  readonly from?: string;
  readonly user?: string;
  readonly offset: number;
}

export function figuresQuery(span: Span, user: string | null): FiguresQuery {
  const begin = beginOf(span, new Date());
  return {
    offset: -new Date().getTimezoneOffset(),
    ...(begin === null ? {} : { from: begin.toISOString() }),
    ...(user === null ? {} : { user }),
  };
}

interface Figures {
  readonly figures: Statistics | null;
  readonly error: unknown;
  ask(): void;
}

export function useFigures(span: Span, user: string | null): Figures {
  const room = useRoom();
  const api = useApi();
  const changed = useStore(room.statistics);
  const [figures, setFigures] = useState<Statistics | null>(null);
  const [error, setError] = useState<unknown>(null);
  const asked = useRef({ number: 0, at: 0 });

  const ask = useCallback(() => {
    const number = asked.current.number + 1;
    asked.current = { number, at: performance.now() };
    const params = { path: { room: room.room }, query: figuresQuery(span, user) };
    api
      .data(api.raw.GET("/api/rooms/{room}/statistics", { params }))
      .then((found) => {
        // What was asked for last is shown, whichever answer comes last.
        if (number !== asked.current.number) return;
        setFigures(found);
        setError(null);
      })
      .catch((failed: unknown) => number === asked.current.number && setError(failed));
  }, [api, room, span, user]);

  useEffect(ask, [ask]);
  useEffect(() => {
    if (changed === null) return;
    const timer = setTimeout(ask, Math.max(0, asked.current.at + CALM_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [changed, ask]);

  return { figures, error, ask };
}
