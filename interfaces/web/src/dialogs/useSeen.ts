/**
 * Change the room only as one has seen it: what others have changed meanwhile is looked at first. The tag of what is
 * shown is asked for whenever that changes; until it has come a change goes without.
 */

import { ApiError } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useCallback, useEffect, useRef } from "react";
import { useSelected } from "../ui/stores.ts";
import { useApi, useRoom } from "../workspace/room.tsx";

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly response: Response;
}

/** Give it what asks the server with these headers. Rejects with `ApiError`. */
export type ChangeSeen = (ask: (headers: Headers) => Promise<Answer>) => Promise<void>;

export function useSeen(): ChangeSeen {
  const room = useRoom();
  const api = useApi();
  const { title, everyone } = useStore(room.state);
  const members = useSelected(room.presence, (presence) => presence.members);
  const tag = useRef<string | null>(null);
  const look = useCallback(async () => {
    const params = { path: { room: room.room } };
    const { response } = await api.raw.GET("/api/rooms/{room}", { params });
    tag.current = response.headers.get("ETag");
  }, [api, room]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever of it is another, the tag is another
  useEffect(() => {
    look().catch(() => {
      tag.current = null;
    });
  }, [look, title, everyone, members]);
  return useCallback(
    async (ask) => {
      try {
        const answered = ask(tag.current === null ? {} : { "If-Match": tag.current });
        tag.current = null; // ours has changed it
        await api.data(answered);
      } catch (error) {
        if (error instanceof ApiError && error.status !== 0) void look().catch(() => undefined);
        throw error;
      }
    },
    [api, look],
  );
}
