/** Somebody who is in the room: how they look, what they do and where, and how to come to them. */

import type { Person } from "@chronoscribe/client";
import { AtSign, Eye, EyeOff } from "lucide-react";
import { type CSSProperties, memo } from "react";
import { Button } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { Picture } from "./Picture.tsx";
import { STATUS, typingIn } from "./status.ts";
import { documentOf, type Whereabouts } from "./whereabouts.ts";

interface PersonRowProps {
  readonly person: Person;
  /** Somebody else here has a name that looks the same. */
  readonly showsId: boolean;
  readonly whereabouts: Whereabouts | null;
  readonly isFollowed: boolean;
}

/** The list is rendered whenever anybody moves; a row when what it says is another. */
export const PersonRow = memo(Row, (before, after) => saidBy(before) === saidBy(after));

function saidBy({ person, whereabouts, showsId, isFollowed }: PersonRowProps): string {
  const { places, ...looks } = person;
  const where = [whereabouts?.document, whereabouts?.place?.line];
  return JSON.stringify([looks, places.length, typingIn(person) ?? "nowhere", where, showsId, isFollowed]);
}

function Row({ person, showsId, whereabouts, isFollowed }: PersonRowProps) {
  const { user, name, isMe, role, status, places } = person;
  const { Icon } = STATUS[status];
  return (
    <li className="person" style={{ "--person": person.colour } as CSSProperties} data-user={user}>
      <span className={`person-picture is-${status}`}>
        <Picture looks={person} initials={person.initials} />
        <Icon aria-hidden="true" className="person-status-icon" />
      </span>
      <span className="person-words">
        <span className="person-name">
          <bdi>{name}</bdi>
          {isMe ? <span className="person-you">you</span> : null}
          {showsId ? <span className="person-id">{user}</span> : null}
          {role === null ? null : <span className={`person-role is-${role}`}>{role}</span>}
        </span>
        <span className="person-does">
          <Doing person={person} whereabouts={whereabouts} />
          {places.length > 1 ? <span className="person-places"> · {places.length} windows</span> : null}
        </span>
      </span>
      {isMe ? null : <Actions user={user} name={name} isFollowed={isFollowed} />}
    </li>
  );
}

function Doing({ person, whereabouts }: Pick<PersonRowProps, "person" | "whereabouts">) {
  const typing = typingIn(person);
  if (typing === null) return <span className="is-typing">Writing a message</span>;
  const word = typing === undefined ? STATUS[person.status].word : "Typing";
  if (whereabouts === null) return <span>{word}</span>;
  const { document, place } = whereabouts;
  const where = place === null ? document : `${document}, line ${place.line}`;
  return (
    <>
      <span className={typing === undefined ? "" : "is-typing"}>{word}</span>
      {" in "}
      {person.isMe ? (
        <bdi>{where}</bdi>
      ) : (
        <Button className="react-aria-Button person-where" onPress={() => goTo(whereabouts)}>
          <bdi>{where}</bdi>
        </Button>
      )}
    </>
  );
}

function goTo({ document, place }: Whereabouts): void {
  const workspace = useWorkspace.getState();
  if (place === null) workspace.openDocument(document);
  else workspace.jumpTo(document, place.position, place.position);
}

interface ActionsProps {
  readonly user: string;
  readonly name: string;
  readonly isFollowed: boolean;
}

/** The same wherever somebody is. */
const Actions = memo(function Actions({ user, name, isFollowed }: ActionsProps) {
  const { presence } = useRoom();
  const followOrNot = () => {
    const workspace = useWorkspace.getState();
    workspace.follow(isFollowed ? null : user);
    // Without an open document there is no editor yet that could go along.
    const person = presence.getSnapshot().people.find((one) => one.user === user);
    const document = person === undefined ? null : documentOf(person);
    if (!isFollowed && document !== null) workspace.openDocument(document);
  };
  return (
    <span className="person-actions">
      <ToolButton label={`Mention ${name} in the chat`} onPress={() => useWorkspace.getState().mention(name)}>
        <AtSign />
      </ToolButton>
      <ToolButton
        label={isFollowed ? `Stop following ${name}` : `Follow ${name}`}
        isPressed={isFollowed}
        onPress={followOrNot}
      >
        {isFollowed ? <EyeOff /> : <Eye />}
      </ToolButton>
    </span>
  );
});
