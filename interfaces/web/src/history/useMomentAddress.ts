/** An address may lead to a moment of the room: `…/#/room/beads/main.md?at=1795852926918174`. */

import { useStore } from "@chronoscribe/client/react";
import { useEffect, useState } from "react";
import { momentOfAddress, replaceAddress, useHash } from "../app/route.ts";
import { useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";

export function useMomentAddress(): void {
  const room = useRoom();
  const hash = useHash();
  const isOnline = useStore(room.connection).status === "online";
  const [wanted, setWanted] = useState<number | null>(null);
  useEffect(() => {
    const at = momentOfAddress(hash);
    if (at === null) return;
    setWanted(at);
    // One who comes back to the present, and loads the page again, stays there.
    replaceAddress(hash.split("?", 1)[0]!);
  }, [hash]);
  useEffect(() => {
    if (wanted === null || !isOnline) return;
    setWanted(null);
    void useHistory.getState().enter(room, wanted, null);
  }, [wanted, isOnline, room]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was open was of the room before
  useEffect(() => () => useHistory.getState().reset(), [room]);
}
