/** Why this room is not there (any more) for this window, and what one can do. */

import { DoorClosed, Unplug } from "lucide-react";
import { Button, Link } from "react-aria-components";
import { sentence } from "../ui/notes.tsx";

interface StoppedNoteProps {
  readonly code: number | string;
  readonly why: string;
  /** There is nothing else on the page. */
  readonly isAlone?: boolean;
  onSignOut(): void;
}

const SIGNED_OUT: readonly (number | string)[] = [4501, "E_AUTH"];
/** The same whether there is no such room, or one is not let in. */
const NO_ROOM: readonly (number | string)[] = [4503, "E_NOT_FOUND", "E_FORBIDDEN"];

export function StoppedNote({ code, why, isAlone = false, onSignOut }: StoppedNoteProps) {
  const isSignedOut = SIGNED_OUT.includes(code);
  const hasNoRoom = isAlone && NO_ROOM.includes(code);
  const note = (
    <div className={isAlone ? "stopped is-alone" : "stopped"} role="alert">
      {hasNoRoom ? <DoorClosed aria-hidden="true" /> : <Unplug aria-hidden="true" />}
      <div>
        <h2>{hasNoRoom ? "There is no such room for you" : "You are not connected any more"}</h2>
        <p>
          {hasNoRoom
            ? "It may be closed, be called something else, or be open to members only. Ask somebody in it for an invitation."
            : sentence(why)}{" "}
          <code>{code}</code>
        </p>
        <p className="stopped-do">
          <Link href="#/" className="react-aria-Button">
            To the rooms
          </Link>
          <Button onPress={() => window.location.reload()}>Try again</Button>
          {isSignedOut || hasNoRoom ? <Button onPress={onSignOut}>Come in as somebody else</Button> : null}
        </p>
      </div>
    </div>
  );
  return isAlone ? <main className="entrance">{note}</main> : note;
}
