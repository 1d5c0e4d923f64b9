/** Why this text is not like others: it cannot be written in, or one goes along with somebody. */

import type { DocumentSnapshot, Looks, RoomSnapshot } from "@chronoscribe/client";
import { Eye, Lock, TriangleAlert } from "lucide-react";
import type { CSSProperties } from "react";
import { Button } from "react-aria-components";
import { useWorkspace } from "../workspace/store.ts";

/** Null when it can be written in. */
export function whyReadOnly(
  status: DocumentSnapshot["status"],
  whyNot: string,
  room: RoomSnapshot,
): string | null {
  if (status === "stranded")
    return `${sentence(whyNot || "This text cannot be brought together with the others'")} What you wrote is kept: copy it before you go.`;
  if (status === "closed") return "This document was closed.";
  if (room.isClosed) return "This room is closed: everything can be read, nothing changed.";
  if (room.me?.role === "viewer") return "You may read here. Ask an owner of the room if you want to write.";
  if (room.me?.role === "commenter")
    return "You may read and write in the chat. Ask an owner of the room if you want to edit.";
  return null;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function ReadOnlyBanner({ why, isDanger }: { readonly why: string; readonly isDanger: boolean }) {
  return (
    <p className={`editor-banner ${isDanger ? "is-danger" : ""}`} role={isDanger ? "alert" : "status"}>
      {isDanger ? <TriangleAlert aria-hidden="true" /> : <Lock aria-hidden="true" />}
      {why}
    </p>
  );
}

export function FollowBanner({ person }: { readonly person: Looks }) {
  return (
    <div
      className="editor-banner is-following"
      style={{ "--person": person.colour } as CSSProperties}
      role="status"
    >
      <Eye aria-hidden="true" />
      <span>
        Following <bdi>{person.name}</bdi>
      </span>
      <Button className="react-aria-Button link-button" onPress={() => useWorkspace.getState().follow(null)}>
        Stop <kbd>Esc</kbd>
      </Button>
    </div>
  );
}
