/** The lines that one looks for: live ones, and older ones as far back as was asked for. */

import type { ActivityLine } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useApi, useRoom } from "../workspace/room.tsx";
import { GROUPS, isEverything, type LineFilter, merged, narrowed } from "./lines.ts";

const PAGE = 50;

interface Pages {
  readonly filter: LineFilter;
  readonly lines: readonly ActivityLine[];
  /** The `before` of the next page; null: that was all. */
  readonly next: number | null;
}

interface FilteredLines {
  readonly lines: readonly ActivityLine[];
  readonly hasOlder: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  loadOlder(): void;
}

export function useFilteredLines(filter: LineFilter): FilteredLines {
  const room = useRoom();
  const api = useApi();
  const live = useStore(room.activity);
  const isAll = isEverything(filter);
  const [pages, setPages] = useState<Pages | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const found = pages?.filter === filter ? pages : null;

  const ask = useCallback(
    async (before: number | null): Promise<Pages> => {
      const { user, group, document } = filter;
      const query = {
        limit: PAGE,
        ...(before === null ? {} : { before }),
        ...(user === null ? {} : { user }),
        ...(group === null ? {} : { kind: [...GROUPS[group]] }),
        ...(document === null ? {} : { document }),
      };
      const answer = await api.data(
        api.raw.GET("/api/rooms/{room}/activity", { params: { path: { room: room.room }, query } }),
      );
      return { filter, lines: answer.lines as unknown as readonly ActivityLine[], next: answer.next };
    },
    [api, room, filter],
  );

  useEffect(() => {
    if (isAll) return;
    let isWanted = true;
    setAsking(true);
    ask(null)
      .then((page) => isWanted && setPages(page))
      .catch((failed: unknown) => isWanted && setError(failed))
      .finally(() => isWanted && setAsking(false));
    return () => {
      isWanted = false;
    };
  }, [ask, isAll]);

  const loadOlder = useCallback(() => {
    setError(null);
    if (isAll) {
      room.activity.loadOlder().catch(setError);
      return;
    }
    if (found === null || found.next === null || isAsking) return;
    setAsking(true);
    ask(found.next)
      .then((page) => setPages({ ...page, lines: merged(found.lines, page.lines) }))
      .catch(setError)
      .finally(() => setAsking(false));
  }, [room, isAll, found, isAsking, ask]);

  const lines = useMemo(
    () => (isAll ? live.lines : merged(found?.lines ?? [], narrowed(live.lines, filter))),
    [isAll, live.lines, filter, found],
  );
  return {
    lines,
    hasOlder: isAll ? live.hasOlder : found !== null && found.next !== null,
    isLoading: isAll ? live.isLoading : isAsking,
    error,
    loadOlder,
  };
}
