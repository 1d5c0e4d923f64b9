/** A person's picture, or their initials in their colour. */

import type { Looks } from "@chronoscribe/client";
import { useState } from "react";
import { inkOn } from "../editor/colours.ts";

export function Picture({ looks, initials }: { readonly looks: Looks; readonly initials: string }) {
  const [broken, setBroken] = useState("");
  const { avatar, colour } = looks;
  if (avatar.startsWith("https://") && avatar !== broken)
    return (
      <img
        className="person-avatar"
        src={avatar}
        alt=""
        referrerPolicy="no-referrer"
        onError={() => setBroken(avatar)}
      />
    );
  return (
    <span className="person-avatar" aria-hidden="true" style={{ background: colour, color: inkOn(colour) }}>
      {initials}
    </span>
  );
}
