/** What happens in the room that one is told of wherever one looks: mentions, roles, text that was not taken. */

import type { Notice } from "@chronoscribe/client";
import { useEffect } from "react";
import { addressOfRoom, goTo } from "../app/route.ts";
import { useDialogs } from "../dialogs/store.ts";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "./room.tsx";
import { useWorkspace } from "./store.ts";

export function RoomNotices() {
  const room = useRoom();
  useEffect(() => {
    const onNotice = (notice: Notice) => {
      switch (notice.kind) {
        case "mention": {
          const { name } = room.presence.looksOf(notice.actor);
          const isHere = notice.room === room.room;
          if (isHere && useWorkspace.getState().panel === "chat") return;
          const run = isHere
            ? () => useWorkspace.getState().showPanel("chat")
            : () => goTo(addressOfRoom(notice.room));
          tell({
            text: `${name} has mentioned you${isHere ? "" : ` in ${notice.room}`}.`,
            action: { label: "Look", run },
          });
          break;
        }
        case "role":
          tell(
            notice.role === null
              ? "You are no member of this room any more."
              : `You are ${notice.role} in this room now.`,
          );
          break;
        case "unsent":
          useDialogs.getState().open({ kind: "unsent", unsent: notice.unsent });
          break;
        case "other-history":
          tell({
            text: "The server was restored from a backup. What was written after it is not here any more; where you had more of a text, you can copy it.",
            tone: "bad",
            stays: true,
          });
          break;
        case "refused":
          tell({ text: notice.message, tone: "bad" });
          break;
        case "other-version":
          tell({
            text: "The server is newer than this page.",
            tone: "bad",
            stays: true,
            action: { label: "Load it again", run: () => window.location.reload() },
          });
          break;
      }
    };
    return room.onNotice(onNotice);
  }, [room]);
  return null;
}
