/** A room, joined for as long as its page is shown; and what the page's life means for the connection. */

import { joinRoom, openApi, type Room, webLocks } from "@chronoscribe/client";
import { useEffect, useMemo, useState } from "react";
import { Waiting } from "../ui/notes.tsx";
import { CollaborativePage } from "../workspace/CollaborativePage.tsx";
import { Editor } from "../workspace/editor.ts";
import { RoomProvider } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { credentialsOf, type Identity, storageOf } from "./identity.ts";
import type { PassageAddress } from "./route.ts";

interface RoomPageProps {
  readonly me: Identity;
  readonly room: string;
  readonly document: string | null;
  readonly passage: PassageAddress | null;
  onSignOut(): void;
}

export function RoomPage({ me, room: name, document, passage, onSignOut }: RoomPageProps) {
  useEffect(Editor.ask, []);
  const url = window.location.origin;
  const credentials = useMemo(() => credentialsOf(me, onSignOut), [me, onSignOut]);
  const api = useMemo(() => openApi({ url, credentials }), [url, credentials]);
  const [room, setRoom] = useState<Room | null>(null);
  useEffect(() => {
    const web = webLocks();
    const locks = { acquire: (lock: string) => web.acquire(`${me.key} ${lock}`) };
    const joined = joinRoom({ url, room: name, credentials, storage: storageOf(me), locks });
    const end = followPage(joined);
    setRoom(joined);
    window.chronoscribe = { ...window.chronoscribe, room: joined };
    return () => {
      end();
      useWorkspace.getState().reset();
      void joined.leave();
    };
  }, [url, name, credentials, me]);
  if (room === null) return <Waiting>Coming in…</Waiting>;
  return (
    <RoomProvider room={room} api={api}>
      <CollaborativePage document={document} passage={passage} onSignOut={onSignOut} />
    </RoomProvider>
  );
}

/** A page that is frozen or without a network rests; one that is back in front does not wait for its next try. */
function followPage(room: Room): () => void {
  const wake = () => {
    if (window.document.visibilityState === "visible" && navigator.onLine) room.wake();
  };
  const rest = () => room.rest();
  const pairs: [EventTarget, string, () => void][] = [
    [window, "online", wake],
    [window, "offline", rest],
    [window, "pageshow", wake],
    [window, "pagehide", rest],
    [window.document, "visibilitychange", wake],
    [window.document, "resume", wake],
    [window.document, "freeze", rest],
  ];
  for (const [target, name, listener] of pairs) target.addEventListener(name, listener);
  return () => {
    for (const [target, name, listener] of pairs) target.removeEventListener(name, listener);
  };
}
