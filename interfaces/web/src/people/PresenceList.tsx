/** Who is here, what they do and where; who is away; and the members who are not here now. */

import type { Person, PersonStatus, Role } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useMemo, useState } from "react";
import { Input, SearchField } from "react-aria-components";
import { lookAlikes } from "../ui/lookalikes.ts";
import { useCalm } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { AbsentMember } from "./AbsentMember.tsx";
import { OwnStatus } from "./OwnStatus.tsx";
import { PersonRow } from "./PersonRow.tsx";
import { useMoves } from "./useMoves.ts";
import { whereaboutsOf } from "./whereabouts.ts";
import "./people.css";

/** People move many times in a second; a list that is read changes no more often. */
const CALM_MS = 400;
/** Fewer are found at a glance. */
const FILTERED_ABOVE = 12;

export function PresenceList() {
  const room = useRoom();
  const { people, members, looks } = useCalm(room.presence, CALM_MS);
  const { me } = useStore(room.state);
  const tabs = useWorkspace((workspace) => workspace.tabs);
  const following = useWorkspace((workspace) => workspace.following);
  const [sought, setSought] = useState("");
  const [declared, setDeclared] = useState<PersonStatus | null>(null);

  const absent = useMemo(() => {
    const present = new Set(people.map(({ user }) => user));
    return [...members]
      .filter(([user]) => !present.has(user) && !user.startsWith("@")) // nor the server itself
      .map(([user, role]) => ({ user, role, ...(looks.get(user) ?? room.presence.looksOf(user)) }))
      .sort((one, other) => one.name.localeCompare(other.name));
  }, [people, members, looks, room]);
  const alike = useMemo(() => lookAlikes([...people, ...absent]), [people, absent]);
  const open = useMemo(() => new Set(tabs), [tabs]);
  useMoves(room, open, CALM_MS);

  const matches = (name: string) => name.toLocaleLowerCase().includes(sought.trim().toLocaleLowerCase());
  const here = people.filter(({ status, name }) => status !== "away" && matches(name));
  const away = people.filter(({ status, name }) => status === "away" && matches(name));
  const offline = absent.filter(({ name }) => matches(name));
  const isEmpty = here.length + away.length + offline.length === 0;

  const row = (person: Person) => (
    <PersonRow
      key={person.user}
      person={person}
      showsId={alike.has(person.user)}
      whereabouts={whereaboutsOf(room, person, open)}
      isFollowed={following === person.user}
    />
  );
  return (
    <section className="people" aria-label="People">
      <header className="people-head">
        <OwnStatus
          declared={declared}
          declare={(status) => {
            setDeclared(status);
            room.presence.declare(status);
          }}
        />
        {people.length + absent.length > FILTERED_ABOVE ? (
          <SearchField aria-label="Find somebody" value={sought} onChange={setSought}>
            <Input placeholder="Find somebody" />
          </SearchField>
        ) : null}
      </header>
      <div className="people-lists">
        <Group title="Here now" count={here.length}>
          {here.map(row)}
        </Group>
        <Group title="Away" count={away.length}>
          {away.map(row)}
        </Group>
        <Group title="Members who are offline" count={offline.length}>
          {offline.map((member) => (
            <AbsentMember key={member.user} {...member} showsId={alike.has(member.user)} />
          ))}
        </Group>
        {here.length === 1 && away.length === 0 && sought === "" ? <Alone role={me?.role ?? null} /> : null}
        {isEmpty && sought !== "" ? <p className="people-none">Nobody of this name is here.</p> : null}
      </div>
    </section>
  );
}

function Group({ title, count, children }: { title: string; count: number; children: React.ReactNode }) {
  if (count === 0) return null;
  return (
    <section>
      <h3>
        {title} <span>{count}</span>
      </h3>
      <ul>{children}</ul>
    </section>
  );
}

function Alone({ role }: { readonly role: Role | null }) {
  return (
    <p className="people-none">
      You are alone here.{" "}
      {role === "owner"
        ? "Invite others from the room's settings."
        : "Send somebody the address of this page."}
    </p>
  );
}
