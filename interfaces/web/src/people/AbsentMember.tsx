/** A member of the room who is not here now. */

import type { Looks, Role } from "@chronoscribe/client";
import type { CSSProperties } from "react";
import { Picture } from "./Picture.tsx";

interface AbsentMemberProps extends Looks {
  readonly user: string;
  readonly role: Role;
  readonly showsId: boolean;
}

export function AbsentMember({ user, role, showsId, ...looks }: AbsentMemberProps) {
  return (
    <li className="person is-offline" style={{ "--person": looks.colour } as CSSProperties}>
      <span className="person-picture">
        <Picture looks={looks} initials={[...looks.name][0]?.toLocaleUpperCase() ?? ""} />
      </span>
      <span className="person-words">
        <span className="person-name">
          <bdi>{looks.name}</bdi>
          {showsId ? <span className="person-id">{user}</span> : null}
          <span className={`person-role is-${role}`}>{role}</span>
        </span>
      </span>
    </li>
  );
}
