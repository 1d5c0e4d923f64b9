/** Why this text is not like others: it cannot be written in, or one goes along with somebody. */

import type { DocumentHandle, DocumentSnapshot, Looks, Role } from "@chronoscribe/client";
import { Eye, Lock, TriangleAlert } from "lucide-react";
import { type CSSProperties, useState } from "react";
import { Button } from "react-aria-components";
import { useWorkspace } from "../workspace/store.ts";
import { copyText } from "./passage.ts";

/** Null when it can be written in. */
export function whyReadOnly(
  status: DocumentSnapshot["status"],
  whyNot: string,
  isRoomClosed: boolean,
  role: Role | null,
): string | null {
  if (status === "stranded")
    return sentence(whyNot || "What you wrote cannot be brought together with the room's text");
  if (status === "closed") return "This document was closed.";
  if (isRoomClosed) return "This room is closed: everything can be read, nothing changed.";
  if (role === "viewer") return "You may read here. Ask an owner of the room if you want to write.";
  if (role === "commenter")
    return "You may read and write in the chat. Ask an owner of the room if you want to edit.";
  return null;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function ReadOnlyBanner({ why }: { readonly why: string }) {
  return (
    <p className="editor-banner" role="status">
      <Lock aria-hidden="true" />
      {why}
    </p>
  );
}

/** The person must look: nothing is taken from them without a word. */
export function StrandedBanner({ why, handle }: { readonly why: string; readonly handle: DocumentHandle }) {
  const [isCopied, setCopied] = useState<boolean | null>(null);
  return (
    <div className="editor-banner is-danger" role="alert">
      <TriangleAlert aria-hidden="true" />
      <span>{why} Below is the text as you had it. Copy it, then take the room's.</span>
      <span className="editor-banner-actions">
        <Button onPress={() => void copyText(handle.text).then(setCopied)}>
          {isCopied === null ? "Copy my text" : isCopied ? "Copied" : "Could not copy: select it below"}
        </Button>
        <Button isDisabled={isCopied !== true} onPress={() => handle.openAfresh()}>
          Take the room's text
        </Button>
      </span>
    </div>
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
