/** How the connection is, and whether everything that was typed is safe. Always in view. */

import type { ConnectionSnapshot } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { CloudOff, CloudUpload, LoaderCircle, ShieldCheck, Unplug } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { useRoom } from "./room.tsx";

/** What takes no longer is nothing that somebody wants to see flicker. */
const SHOWN_AFTER_MS = 400;

export function ConnectionState() {
  const room = useRoom();
  const connection = useStore(room.connection);
  const { unsaved } = useStore(room.state);
  const isSaving = useSettled(unsaved > 0);
  const { icon, words, tone } = describe(connection, unsaved, isSaving);
  return (
    <div className="connection" data-tone={tone}>
      <span data-testid="connection" role="status" title={connection.why || undefined}>
        {icon}
        <span className="connection-words">{words}</span>
      </span>
      {connection.status === "offline" ? (
        <Button className="react-aria-Button quiet" onPress={() => room.wake()}>
          Try now
        </Button>
      ) : null}
    </div>
  );
}

function describe({ status }: ConnectionSnapshot, unsaved: number, isSaving: boolean) {
  const edits = `${unsaved} ${unsaved === 1 ? "edit" : "edits"} kept on this device`;
  switch (status) {
    case "online":
      return isSaving
        ? { icon: <CloudUpload aria-hidden="true" />, words: "Saving…", tone: "busy" }
        : { icon: <ShieldCheck aria-hidden="true" />, words: "Saved", tone: "good" };
    case "connecting":
      return {
        icon: <LoaderCircle className="is-turning" aria-hidden="true" />,
        words: unsaved > 0 ? `Connecting… ${edits}` : "Connecting…",
        tone: "busy",
      };
    case "offline":
      return {
        icon: <CloudOff aria-hidden="true" />,
        words: unsaved > 0 ? `Offline: ${edits}` : "Offline",
        tone: "warn",
      };
    case "stopped":
      return {
        icon: <Unplug aria-hidden="true" />,
        words: unsaved > 0 ? `Stopped: ${edits}` : "Stopped",
        tone: "bad",
      };
  }
}

/** True only when it has been so for a while. */
function useSettled(isSo: boolean): boolean {
  const [hasSettled, setHasSettled] = useState(false);
  useEffect(() => {
    if (!isSo) {
      setHasSettled(false);
      return;
    }
    const timer = setTimeout(() => setHasSettled(true), SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isSo]);
  return hasSettled;
}
