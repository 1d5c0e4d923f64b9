/** Whether one may change documents here. */

import { useStore } from "@chronoscribe/client/react";
import { useRoom } from "../workspace/room.tsx";

export function useMayEdit(): boolean {
  const { me, isClosed } = useStore(useRoom().state);
  return !isClosed && (me?.role === "editor" || me?.role === "owner");
}
