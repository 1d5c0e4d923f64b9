/** The page of a room: its documents, the editor, and beside it people, chat, activity, figures and history. */

import { useStore } from "@chronoscribe/client/react";
import { Suspense, useEffect, useState } from "react";
import { addressOfRoom, type PassageAddress, replaceAddress } from "../app/route.ts";
import { useDialogs } from "../dialogs/store.ts";
import { useHistory } from "../history/store.ts";
import { useMomentAddress } from "../history/useMomentAddress.ts";
import { Fence } from "../ui/Fence.tsx";
import { late } from "../ui/late.ts";
import { Nothing, Waiting } from "../ui/notes.tsx";
import { useSelected } from "../ui/stores.ts";
import { tell } from "../ui/toasts.tsx";
import { useIdle } from "../ui/useIdle.ts";
import { DocumentList } from "./DocumentList.tsx";
import { Editor } from "./editor.ts";
import { PanelArea } from "./PanelArea.tsx";
import { usePalette } from "./palette.ts";
import { RoomNotices } from "./RoomNotices.tsx";
import { useApi, useRoom } from "./room.tsx";
import { StoppedNote } from "./StoppedNote.tsx";
import { useWorkspace } from "./store.ts";
import { TopBar } from "./TopBar.tsx";
import { useSeenPage } from "./useSeenPage.ts";
import { useShortcuts } from "./useShortcuts.ts";
import "./workspace.css";

const PastView = late(() => import("../history/PastView.tsx").then((m) => m.PastView));
const TimeStrip = late(() => import("../history/strip/TimeStrip.tsx").then((m) => m.TimeStrip));
const Palette = late(() => import("./Palette.tsx").then((m) => m.Palette));
const Dialogs = late(() => import("../dialogs/Dialogs.tsx").then((m) => m.Dialogs));

interface CollaborativePageProps {
  readonly document: string | null;
  readonly passage: PassageAddress | null;
  onSignOut(): void;
}

export function CollaborativePage({ document, passage, onSignOut }: CollaborativePageProps) {
  const room = useRoom();
  const { status, code, why } = useStore(room.connection);
  const active = useWorkspace((state) => state.active);
  const isInPast = useHistory((state) => state.isInPast);
  useMomentAddress();
  const isIdle = useIdle();
  const isPaletteOpen = usePalette((state) => state.isOpen);
  const hasDialog = useDialogs((state) => state.dialog !== null);
  useFirstDocument(document);
  usePassage(document, passage);
  useAddress(room.room, active);
  useShortcuts();
  useSeenPage();
  useLeaveWarning();
  const title = useSelected(room.state, (state) => state.title);
  useEffect(() => {
    window.document.title = active === null ? title : `${active} · ${title}`;
  }, [title, active]);
  const hasSomething = useSelected(room.state, ({ me, unsaved }) => me !== null || unsaved > 0);
  if (status === "stopped" && code !== null && (active === null || !hasSomething))
    return <StoppedNote isAlone why={why} code={code} onSignOut={onSignOut} />;
  return (
    <div className="workspace" data-past={isInPast || undefined}>
      <a className="skip" href="#editor">
        To the text
      </a>
      <TopBar onSignOut={onSignOut} />
      <nav className="side" aria-label="Documents of the room">
        <DocumentList />
      </nav>
      <main className="stage" id="editor" tabIndex={-1}>
        {status === "stopped" && code !== null ? (
          <StoppedNote why={why} code={code} onSignOut={onSignOut} />
        ) : null}
        <Suspense fallback={<Waiting />}>
          <Fence key={active ?? ""}>
            {isInPast ? <PastView /> : null}
            <div className="stage-now" hidden={isInPast}>
              {active === null ? (
                <Nothing>Open a document, or make one.</Nothing>
              ) : (
                <Editor document={active} />
              )}
            </div>
          </Fence>
          {/* Waited for together: whoever sees the past may steer it by its keys. */}
          <Fence>{isInPast ? <TimeStrip /> : null}</Fence>
        </Suspense>
      </main>
      <PanelArea />
      <RoomNotices />
      <Fence isAside={!isPaletteOpen} onClose={() => usePalette.getState().setIsOpen(false)}>
        <Suspense>{isIdle || isPaletteOpen ? <Palette onSignOut={onSignOut} /> : null}</Suspense>
      </Fence>
      <Fence isAside={!hasDialog} onClose={() => useDialogs.getState().close()}>
        <Suspense>{isIdle || hasDialog ? <Dialogs /> : null}</Suspense>
      </Fence>
    </div>
  );
}

/** The document of the address, else the first of the room. */
function useFirstDocument(document: string | null): void {
  const room = useRoom();
  const first = useSelected(room.state, ({ documents }) => documents[0] ?? null);
  const wanted = document ?? first;
  useEffect(() => {
    const { active, openDocument } = useWorkspace.getState();
    if (wanted !== null && (document !== null || active === null)) openDocument(wanted);
  }, [wanted, document]);
}

/** A link to a passage leads to where it is by now. */
function usePassage(document: string | null, passage: PassageAddress | null): void {
  const room = useRoom();
  const api = useApi();
  useEffect(() => {
    if (document === null || passage === null) return;
    const params = { path: { room: room.room, document }, query: passage };
    api
      .data(api.raw.GET("/api/rooms/{room}/documents/{document}/passage", { params }))
      .then(async ({ now }) => {
        if (now.is_gone) tell({ text: "The passage of this link is not in the text any more." });
        const handle = room.open(document);
        await opened(handle);
        useWorkspace.getState().jumpTo(document, handle.toUtf16(now.start), handle.toUtf16(now.end));
      })
      .catch(() => tell({ text: "The passage of this link was not found.", tone: "bad" }));
  }, [room, api, document, passage]);
}

function opened(handle: { getSnapshot(): { status: string }; subscribe(listener: () => void): () => void }) {
  return new Promise<void>((resolve) => {
    const look = () => {
      if (handle.getSnapshot().status === "opening") return;
      end();
      resolve();
    };
    const end = handle.subscribe(look);
    look();
  });
}

function useAddress(room: string, active: string | null): void {
  useEffect(() => {
    if (active !== null) replaceAddress(addressOfRoom(room, active));
  }, [room, active]);
}

/** A browser asks before it closes a page with text that is on this device alone and might never leave it. */
function useLeaveWarning(): void {
  const room = useRoom();
  const { status } = useStore(room.connection);
  const hasUnsaved = useSelected(room.state, ({ unsaved }) => unsaved > 0);
  const [isAtRisk, setIsAtRisk] = useState(false);
  useEffect(() => setIsAtRisk(status === "stopped" && hasUnsaved), [status, hasUnsaved]);
  useEffect(() => {
    if (!isAtRisk) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isAtRisk]);
}
