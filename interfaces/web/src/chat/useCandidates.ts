/** Whom one may mention: those who are here, those who have spoken, and members. */

import { useMemo } from "react";
import { useCalm } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import type { Candidate } from "./mentions.ts";

/** People come and go; a list that one picks from stays still for a while. */
const CALM_MS = 1_000;

export interface KnownPerson extends Candidate {
  readonly isHere: boolean;
}

export function useCandidates(): readonly KnownPerson[] {
  const { presence } = useRoom();
  const { people, members, looks } = useCalm(presence, CALM_MS);
  return useMemo(() => {
    const here = people.map(({ user, name }) => ({ user, name, isHere: true }));
    const present = new Set(here.map(({ user }) => user));
    const others = [...new Set([...members.keys(), ...looks.keys()])]
      .filter((user) => !present.has(user) && !user.startsWith("@"))
      .map((user) => ({ user, name: looks.get(user)?.name ?? presence.looksOf(user).name, isHere: false }))
      .sort((one, other) => one.name.localeCompare(other.name));
    return [...here, ...others];
  }, [people, members, looks, presence]);
}
