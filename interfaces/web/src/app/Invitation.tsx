/** A link that lets somebody into a room. */

import { openApi } from "@chronoscribe/client";
import { useEffect, useMemo, useState } from "react";
import { Link } from "react-aria-components";
import { ErrorNote, Waiting } from "../ui/notes.tsx";
import { credentialsOf, type Identity } from "./identity.ts";
import { addressOfRoom, goTo } from "./route.ts";

interface InvitationProps {
  readonly me: Identity;
  readonly room: string;
  readonly invitation: string;
  readonly secret: string;
  onSignOut(): void;
}

export function Invitation({ me, room, invitation, secret, onSignOut }: InvitationProps) {
  const api = useMemo(
    () => openApi({ url: window.location.origin, credentials: credentialsOf(me, onSignOut) }),
    [me, onSignOut],
  );
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    const path = "/api/rooms/{room}/invitations/{invitation}/accept";
    api
      .data(api.raw.POST(path, { params: { path: { room, invitation } }, body: { secret } }))
      .then(() => goTo(addressOfRoom(room)))
      .catch(setFault);
  }, [api, room, invitation, secret]);
  if (fault === null) return <Waiting>Coming in…</Waiting>;
  return (
    <main className="entrance">
      <h1>This invitation does not let you in</h1>
      <p>It may have ended, have been used up or been taken back. Ask for another one.</p>
      <ErrorNote error={fault} />
      <Link href="#/">To the rooms</Link>
    </main>
  );
}
