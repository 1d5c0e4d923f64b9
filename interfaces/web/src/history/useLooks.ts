/** How people look, by their ids; told anew when it is known of somebody else. */

import type { Looks } from "@chronoscribe/client";
import { useCallback } from "react";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";

export function useLooks(): (user: string) => Looks {
  const { presence } = useRoom();
  const known = useSelected(presence, ({ looks }) => looks);
  return useCallback((user) => known.get(user) ?? presence.looksOf(user), [known, presence]);
}
