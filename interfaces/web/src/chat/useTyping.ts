/** Tells others that one writes, until one stops. */

import { useEffect, useMemo, useRef } from "react";
import { useRoom } from "../workspace/room.tsx";

/** Whoever has pressed no key for so long thinks, or is gone. */
const STOPPED_MS = 5_000;

export function useTyping(): { writes(): void; stops(): void } {
  const { chat } = useRoom();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const typing = useMemo(() => {
    const stops = () => {
      clearTimeout(timer.current);
      chat.setTyping(false);
    };
    const writes = () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(stops, STOPPED_MS);
      chat.setTyping(true);
    };
    return { writes, stops };
  }, [chat]);
  useEffect(() => typing.stops, [typing]);
  return typing;
}
