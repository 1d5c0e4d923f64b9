/** How people look, by their ids; renders again only when what is asked about has changed. */

import { initialsOf, type Looks, type Room } from "@chronoscribe/client";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";

export function useLooks(user: string): Looks & { readonly initials: string } {
  const { presence } = useRoom();
  const known = useSelected(presence, ({ looks }) => looks.get(user) ?? null);
  const looks = known ?? presence.looksOf(user);
  return { ...looks, initials: initialsOf(looks.name) };
}

/** No name has this in it. */
const BETWEEN = "\u0000";

/** Names of users, in their order; oneself is `you`, unless it is not wanted. */
export function useNames(users: readonly string[], me: string | null = null): readonly string[] {
  const room = useRoom();
  const joined = useSelected(room.presence, () =>
    users.map((user) => (user === me ? "you" : nameOf(room, user))).join(BETWEEN),
  );
  return joined === "" ? [] : joined.split(BETWEEN);
}

export function nameOf({ presence }: Room, user: string): string {
  return (presence.getSnapshot().looks.get(user) ?? presence.looksOf(user)).name;
}
