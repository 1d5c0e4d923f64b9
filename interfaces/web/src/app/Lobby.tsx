/** The first page: what this is, one step into the demo room, and the rooms one may enter. */

import { type Api, openApi } from "@chronoscribe/client";
import { ArrowRight, DoorOpen, History, Hourglass, MessageCircle, Plus, Users } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Button, Form, Input, Label, Link, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { ThemeSwitch } from "../ui/theme.tsx";
import { whenIdle } from "../ui/useIdle.ts";
import { Editor } from "../workspace/editor.ts";
import { WhoAreYou } from "./Entrance.tsx";
import { credentialsOf, type Identity } from "./identity.ts";
import { addressOfRoom, goTo } from "./route.ts";

const DEMO = "demo";

interface LobbyProps {
  readonly me: Identity | null;
  onEnter(identity: Identity): void;
  onSignOut(): void;
}

export function Lobby({ me, onEnter, onSignOut }: LobbyProps) {
  // Whoever reads this goes into a room next.
  useEffect(() => whenIdle(() => Editor.ask()), []);
  return (
    <main className="lobby">
      <div className="lobby-corner">
        <ThemeSwitch />
      </div>
      <header>
        <Hourglass className="entrance-mark" aria-hidden="true" />
        <h1>Chronoscribe</h1>
        <p className="lobby-lead">Write together, and travel back to any moment of it.</p>
      </header>
      {me === null ? (
        <WhoAreYou
          verb="Open the demo room"
          onEnter={(identity) => {
            onEnter(identity);
            if (identity.token === null) goTo(addressOfRoom(DEMO)); // a server with accounts may have none
          }}
        />
      ) : (
        <Rooms me={me} onSignOut={onSignOut} />
      )}
      <ul className="lobby-points">
        <Point icon={<Users />} title="Together">
          Everybody's cursor, every letter the moment it is safely stored.
        </Point>
        <Point icon={<History />} title="Every moment kept">
          Slide back, ask who wrote a word and when, undo one change and keep the rest.
        </Point>
        <Point icon={<MessageCircle />} title="Said where it matters">
          Chat that points into the text and finds the place again.
        </Point>
      </ul>
      <footer>
        <Link href="/api/docs">The HTTP interface</Link>
      </footer>
    </main>
  );
}

function Point({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <li>
      <span aria-hidden="true">{icon}</span>
      <h2>{title}</h2>
      <p>{children}</p>
    </li>
  );
}

interface ListedRoom {
  readonly room: string;
  readonly title: string;
}

function Rooms({ me, onSignOut }: { readonly me: Identity; onSignOut(): void }) {
  const api = useMemo(
    () => openApi({ url: window.location.origin, credentials: credentialsOf(me, onSignOut) }),
    [me, onSignOut],
  );
  const [rooms, setRooms] = useState<readonly ListedRoom[] | null>(null);
  const [unread, setUnread] = useState<ReadonlyMap<string, number>>(new Map());
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    let isHere = true;
    loadRooms(api)
      .then(([found, counts]) => {
        if (!isHere) return;
        setRooms(found);
        setUnread(counts);
      })
      .catch((error: unknown) => isHere && setFault(error));
    return () => {
      isHere = false;
    };
  }, [api]);
  return (
    <section className="lobby-rooms" aria-label="Rooms">
      <p>
        You are <strong>{me.name || "signed in"}</strong>.{" "}
        <Button className="react-aria-Button quiet" onPress={onSignOut}>
          Be somebody else
        </Button>
      </p>
      {rooms === null || rooms.some(({ room }) => room === DEMO) ? (
        <Button className="react-aria-Button primary" onPress={() => goTo(addressOfRoom(DEMO))}>
          Open the demo room <ArrowRight aria-hidden="true" />
        </Button>
      ) : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
      <ul>
        {(rooms ?? [])
          .filter(({ room }) => room !== DEMO)
          .map(({ room, title }) => (
            <li key={room}>
              <Link href={addressOfRoom(room)}>
                <DoorOpen aria-hidden="true" /> {title}
                {unread.get(room) ? <span className="badge">{unread.get(room)} new</span> : null}
              </Link>
            </li>
          ))}
      </ul>
      <NewRoom api={api} />
    </section>
  );
}

async function loadRooms(api: Api): Promise<[ListedRoom[], Map<string, number>]> {
  const { rooms } = await api.data(api.raw.GET("/api/rooms", { params: { query: { limit: 200 } } }));
  const { rooms: counts } = await api.data(api.raw.GET("/api/unread", { params: { query: { limit: 200 } } }));
  return [rooms, new Map(counts.map(({ room, unread }) => [room, unread]))];
}

function NewRoom({ api }: { readonly api: Api }) {
  const [title, setTitle] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const make = async () => {
    const body = { title: title.trim() || "New room" };
    const made = await api.data(api.raw.POST("/api/rooms", { body }));
    const params = { path: { room: made.room } };
    await api.data(api.raw.POST("/api/rooms/{room}/documents", { params, body: { document: "notes.md" } }));
    goTo(addressOfRoom(made.room));
  };
  return (
    <Form
      className="react-aria-Form inline"
      onSubmit={(event) => {
        event.preventDefault();
        make().catch(setFault);
      }}
    >
      <TextField value={title} onChange={setTitle} maxLength={64}>
        <Label>A room of your own</Label>
        <Input placeholder="What is it about?" />
      </TextField>
      <Button type="submit">
        <Plus aria-hidden="true" /> Make it
      </Button>
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </Form>
  );
}
