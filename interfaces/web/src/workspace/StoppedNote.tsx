/** Why this room is not there any more for this window, and what one can do. */

import { Unplug } from "lucide-react";
import { Button, Link } from "react-aria-components";

interface StoppedNoteProps {
  readonly code: number | string;
  readonly why: string;
  onSignOut(): void;
}

const SIGNED_OUT: readonly (number | string)[] = [4501, "E_AUTH"];

export function StoppedNote({ code, why, onSignOut }: StoppedNoteProps) {
  return (
    <div className="stopped" role="alert">
      <Unplug aria-hidden="true" />
      <div>
        <h2>You are not connected any more</h2>
        <p>
          {why} <code>{code}</code>
        </p>
        <p className="stopped-do">
          <Button onPress={() => window.location.reload()}>Load the page again</Button>
          {SIGNED_OUT.includes(code) ? <Button onPress={onSignOut}>Sign in again</Button> : null}
          <Link href="#/">To the rooms</Link>
        </p>
      </div>
    </div>
  );
}
