/** The page: the lobby, or a room, for whoever this window is. */

import { useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { Fence } from "../ui/Fence.tsx";
import { ToastRegion } from "../ui/toasts.tsx";
import { Entrance } from "./Entrance.tsx";
import { Invitation } from "./Invitation.tsx";
import { becomeMe, findMe, forgetMe, type Identity } from "./identity.ts";
import { Lobby } from "./Lobby.tsx";
import { RoomPage } from "./RoomPage.tsx";
import { goTo, parseRoute, useHash } from "./route.ts";

export function App() {
  const hash = useHash();
  const route = useMemo(() => parseRoute(hash), [hash]);
  const [me, setMe] = useState<Identity | null>(findMe);
  const enterAs = (identity: Identity) => {
    becomeMe(identity);
    setMe(identity);
  };
  const signOut = () => {
    forgetMe();
    setMe(null);
    goTo("#/");
  };
  return (
    <I18nProvider locale="en">
      <Fence key={route.kind === "lobby" ? "" : route.room}>
        {route.kind === "lobby" ? (
          <Lobby me={me} onEnter={enterAs} onSignOut={signOut} />
        ) : me === null ? (
          <Entrance title={route.room} onEnter={enterAs} />
        ) : route.kind === "join" ? (
          <Invitation me={me} {...route} onSignOut={signOut} />
        ) : (
          <RoomPage
            key={`${me.key} ${route.room}`}
            me={me}
            room={route.room}
            document={route.document}
            passage={route.passage}
            onSignOut={signOut}
          />
        )}
      </Fence>
      <ToastRegion />
    </I18nProvider>
  );
}
