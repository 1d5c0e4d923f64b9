/** Who is a member, as what; owners change it, everybody may leave. */

import type { Role } from "@chronoscribe/client";
import { initialsOf } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { UserMinus } from "lucide-react";
import { useMemo, useState } from "react";
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover, Text } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { Picture } from "../people/Picture.tsx";
import { ErrorNote } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { RoleSelect } from "./RoleSelect.tsx";
import { useSeen } from "./useSeen.ts";

const ROLES: readonly Role[] = ["viewer", "commenter", "editor", "owner"];

export function Members({ isOwner }: { readonly isOwner: boolean }) {
  const room = useRoom();
  const api = useApi();
  const { members, looks } = useStore(room.presence);
  const { me } = useStore(room.state);
  const [fault, setFault] = useState<unknown>(null);
  const changeSeen = useSeen();
  const people = useMemo(
    () =>
      [...members]
        .filter(([user]) => !user.startsWith("@")) // the server itself owns rooms that nobody has made
        .map(([user, role]) => ({ user, role, ...(looks.get(user) ?? room.presence.looksOf(user)) }))
        .sort((one, other) => one.name.localeCompare(other.name)),
    [members, looks, room],
  );
  const setRole = (user: string, role: Role) => {
    const params = { path: { room: room.room, user } };
    setFault(null);
    return changeSeen((headers) =>
      api.raw.PUT("/api/rooms/{room}/members/{user}", { params, body: { role }, headers }),
    ).catch(setFault);
  };
  const remove = (user: string) => {
    const params = { path: { room: room.room, user } };
    setFault(null);
    return changeSeen((headers) =>
      api.raw.DELETE("/api/rooms/{room}/members/{user}", { params, headers }),
    ).catch(setFault);
  };
  return (
    <div className="members">
      {people.length === 0 ? <p>This room has no members: it is open to everybody.</p> : null}
      <ul>
        {people.map(({ user, role, ...who }) => {
          const isMe = user === me?.user;
          return (
            <li key={user}>
              <Picture looks={who} initials={initialsOf(who.name)} />
              <span className="member-name">
                {who.name} {isMe ? "(you)" : ""}
                <code>{user}</code>
              </span>
              <RoleSelect
                label={`Role of ${who.name}`}
                hidesLabel
                value={role}
                roles={ROLES}
                isDisabled={!isOwner}
                onChange={(picked) => void setRole(user, picked!)}
              />
              {isOwner || isMe ? (
                <ToolButton
                  label={isMe ? "Leave the room" : `Remove ${who.name}`}
                  onPress={() => void remove(user)}
                >
                  <UserMinus aria-hidden="true" />
                </ToolButton>
              ) : null}
            </li>
          );
        })}
      </ul>
      {isOwner ? <AddMember onAdd={(user, role) => void setRole(user, role)} /> : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </div>
  );
}

interface Found {
  readonly user: string;
  readonly name: string;
}

function AddMember({ onAdd }: { onAdd(user: string, role: Role): void }) {
  const api = useApi();
  const { people } = useStore(useRoom().presence);
  const [words, setWords] = useState("");
  const [found, setFound] = useState<readonly Found[]>([]);
  const [role, setRole] = useState<Role>("editor");
  const [picked, setPicked] = useState<string | null>(null);
  const seek = async (prefix: string) => {
    setWords(prefix);
    if (prefix === "") return setFound([]);
    const query = { prefix, limit: 10 };
    const { profiles } = await api.data(api.raw.GET("/api/profiles", { params: { query } }));
    return setFound(profiles);
  };
  const items = words === "" ? people.map(({ user, name }) => ({ user, name })) : found;
  return (
    <div className="add-member">
      <ComboBox
        items={items.map((person) => ({ ...person, id: person.user }))}
        inputValue={words}
        onInputChange={(text) => void seek(text).catch(() => setFound([]))}
        onSelectionChange={(key) => setPicked(key === null ? null : String(key))}
        allowsEmptyCollection
        menuTrigger="focus"
      >
        <Label>Add somebody</Label>
        <Input placeholder="Name or id" />
        <Popover>
          <ListBox renderEmptyState={() => "Nobody of this name is known"}>
            {(person: Found & { id: string }) => (
              <ListBoxItem id={person.id} textValue={person.name}>
                <Text slot="label">{person.name}</Text>
                <Text slot="description">{person.user}</Text>
              </ListBoxItem>
            )}
          </ListBox>
        </Popover>
      </ComboBox>
      <RoleSelect label="As" value={role} roles={ROLES} onChange={(next) => setRole(next!)} />
      <Button
        className="react-aria-Button primary"
        isDisabled={picked === null}
        onPress={() => {
          onAdd(picked!, role);
          setWords("");
          setPicked(null);
        }}
      >
        Add
      </Button>
    </div>
  );
}
