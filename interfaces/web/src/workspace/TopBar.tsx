/** The room's name, its open documents, how the connection is, and who is here. */

import { Command, Hourglass, Menu as MenuIcon, Settings, X } from "lucide-react";
import { Button, Link, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useDialogs } from "../dialogs/store.ts";
import { keysOf, ToolButton } from "../editor/ToolButton.tsx";
import { Picture } from "../people/Picture.tsx";
import { useCalm, useSelected } from "../ui/stores.ts";
import { ThemeSwitch } from "../ui/theme.tsx";
import { ConnectionState } from "./ConnectionState.tsx";
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
            <MenuItem onAction={() => openDialog({ kind: "profile" })}>Your profile…</MenuItem>
            <MenuItem onAction={() => openDialog({ kind: "room" })}>Room and members…</MenuItem>
            <MenuItem onAction={() => openDialog({ kind: "shortcuts" })}>Keys…</MenuItem>
            <MenuItem onAction={onSignOut}>Be somebody else</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
    </header>
  );
}

function DocumentTabs() {
  const { tabs, active, openDocument, closeTab } = useWorkspace();
  return (
    <nav className="tabs" aria-label="Open documents">
      <ul>
        {tabs.map((document) => (
          <li key={document} data-active={document === active || undefined}>
            <Button
              className="react-aria-Button tab-name"
              aria-current={document === active ? "page" : false}
              onPress={() => openDocument(document)}
            >
              {document}
              <UnsavedMark document={document} />
            </Button>
            {tabs.length > 1 ? (
              <Button
                className="react-aria-Button tab-close"
                aria-label={`Close ${document}`}
                onPress={() => closeTab(document)}
              >
                <X aria-hidden="true" />
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </nav>
  );
}

function UnsavedMark({ document }: { readonly document: string }) {
  const isUnsaved = useSelected(useRoom().open(document), ({ sent, local }) => sent + local > 0);
  return isUnsaved ? <span className="tab-unsaved" role="img" aria-label="not saved yet" /> : null;
}

function Faces() {
  const room = useRoom();
  const { people } = useCalm(room.presence, CALM_MS);
  const showPanel = useWorkspace((state) => state.showPanel);
  const openDialog = useDialogs((state) => state.open);
  const [me, ...others] = people;
  return (
    <div className="faces">
      {others.slice(0, FACES).map((person) => (
        <ToolButton
          key={person.user}
          label={`${person.name} (${person.status})`}
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
