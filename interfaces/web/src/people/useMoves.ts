/** Renders again when a cursor has moved in a document that is open here: who is where in it is another line then. */

import type { Room, Store } from "@chronoscribe/client";
import { useMemo } from "react";
import { useCalm } from "../ui/stores.ts";

export function useMoves(room: Room, documents: ReadonlySet<string>, ms: number): void {
  useCalm(
    useMemo(() => movesIn(room, documents), [room, documents]),
    ms,
  );
}

/** How many moves there were: a number that is another one after each. */
function movesIn(room: Room, documents: ReadonlySet<string>): Store<number> {
  let moves = 0;
  return {
    getSnapshot: () => moves,
    subscribe: (listener) => {
      const onMove = () => {
        moves += 1;
        listener();
      };
      const ends = [...documents].map((document) => room.open(document).cursors.subscribe(onMove));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
