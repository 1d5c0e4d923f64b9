/** The room that a page is in, for everything below it. */

import type { Api, Room } from "@chronoscribe/client";
import { createContext, type ReactNode, useContext } from "react";

interface RoomValue {
  readonly room: Room;
  readonly api: Api;
}

const RoomContext = createContext<RoomValue | null>(null);

export function RoomProvider({ room, api, children }: RoomValue & { children: ReactNode }) {
  return <RoomContext value={{ room, api }}>{children}</RoomContext>;
}

function useValue(): RoomValue {
  const value = useContext(RoomContext);
  if (value === null) throw new Error("there is no room around this component");
  return value;
}

export function useRoom(): Room {
  return useValue().room;
}

export function useApi(): Api {
  return useValue().api;
}
