/** The room's name, its open documents, how the connection is, and who is here. */

import { Command, Hourglass, Menu as MenuIcon, Settings } from "lucide-react";
import { useMemo } from "react";
import { Button, Link, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { goTo } from "../app/route.ts";
import { useDialogs } from "../dialogs/store.ts";
import { keysOf, ToolButton } from "../editor/ToolButton.tsx";
import { Picture } from "../people/Picture.tsx";
import { useAnnouncements } from "../people/useAnnouncements.ts";
import { lookAlikes } from "../ui/lookalikes.ts";
import { useCalm, useSelected } from "../ui/stores.ts";
import { nextTheme, ThemeSwitch } from "../ui/theme.tsx";
import { ConnectionState } from "./ConnectionState.tsx";
import { DocumentTabs } from "./DocumentTabs.tsx";
import { usePalette } from "./palette.ts";
import { useRoom } from "./room.tsx";
import { useWorkspace } from "./store.ts";

/** More faces than fit beside the rest are counted. */
const FACES = 4;

/** People move many times in a second; faces only come and go. */
const CALM_MS = 500;

export function TopBar({ onSignOut }: { onSignOut(): void }) {
  const room = useRoom();
  const title = useSelected(room.state, (state) => state.title);
  const openPalette = usePalette((state) => state.open);
  const openDialog = useDialogs((state) => state.open);
  return (
    <header className="top">
      <Link href="#/" className="react-aria-Link top-home" aria-label="All rooms">
        <Hourglass aria-hidden="true" />
      </Link>
      <h1 className="top-title">
        <Button className="react-aria-Button quiet" onPress={() => openDialog({ kind: "room" })}>
          {title}
        </Button>
      </h1>
      <DocumentTabs />
      <ConnectionState />
      <Faces />
      <div className="top-tools">
        <ToolButton label="Do something" keys={keysOf("Mod-K")} onPress={openPalette}>
          <Command aria-hidden="true" />
        </ToolButton>
        <ToolButton label="Room" onPress={() => openDialog({ kind: "room" })}>
          <Settings aria-hidden="true" />
        </ToolButton>
        <ThemeSwitch />
      </div>
      <MenuTrigger>
        <Button className="react-aria-Button quiet top-more" aria-label="More">
          <MenuIcon aria-hidden="true" />
        </Button>
        <Popover placement="bottom end">
          <Menu>
            <MenuItem onAction={openPalette}>Do something…</MenuItem>
            <MenuItem onAction={() => goTo("#/")}>All rooms</MenuItem>
            <MenuItem onAction={() => openDialog({ kind: "profile" })}>Your profile…</MenuItem>
            <MenuItem onAction={() => openDialog({ kind: "room" })}>Room and members…</MenuItem>
            <MenuItem onAction={nextTheme}>Other colours</MenuItem>
            <MenuItem onAction={() => openDialog({ kind: "shortcuts" })}>Keys…</MenuItem>
            <MenuItem onAction={onSignOut}>Be somebody else</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
    </header>
  );
}

function Faces() {
  const room = useRoom();
  const { people } = useCalm(room.presence, CALM_MS);
  const showPanel = useWorkspace((state) => state.showPanel);
  const openDialog = useDialogs((state) => state.open);
  const [me, ...others] = people;
  const alike = useMemo(() => lookAlikes(people), [people]);
  const words = useAnnouncements(people);
  return (
    <div className="faces">
      <p role="status" className="for-ears people-said">
        {words}
      </p>
      {others.slice(0, FACES).map((person) => (
        <ToolButton
          key={person.user}
          label={`${person.name} (${alike.has(person.user) ? `${person.user}, ` : ""}${person.status})`}
          className="face"
          onPress={() => showPanel("people")}
        >
          <Picture looks={person} initials={person.initials} />
        </ToolButton>
      ))}
      {others.length > FACES ? (
        <ToolButton label={`${others.length - FACES} more people`} onPress={() => showPanel("people")}>
          +{others.length - FACES}
        </ToolButton>
      ) : null}
      {me?.isMe ? (
        <ToolButton
          label={`${me.name} (you): your profile`}
          className="face is-me"
          onPress={() => openDialog({ kind: "profile" })}
        >
          <Picture looks={me} initials={me.initials} />
        </ToolButton>
      ) : null}
    </div>
  );
}
