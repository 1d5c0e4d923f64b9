/** Everything one can do, found by typing: Ctrl+K, or F1. */

import {
  Autocomplete,
  Dialog,
  Input,
  Menu,
  MenuItem,
  Modal,
  ModalOverlay,
  SearchField,
  Text,
  useFilter,
} from "react-aria-components";
import { addressOfRoom } from "../app/route.ts";
import { useDialogs } from "../dialogs/store.ts";
import { keysOf } from "../editor/ToolButton.tsx";
import { useHistory } from "../history/store.ts";
import { wordsOf } from "../ui/notes.tsx";
import { useCalm, useSelected } from "../ui/stores.ts";
import { nextTheme } from "../ui/theme.tsx";
import { tell } from "../ui/toasts.tsx";
import { usePalette } from "./palette.ts";
import { useRoom } from "./room.tsx";
import { type Panel, useWorkspace } from "./store.ts";

/** People move many times in a second; who may be followed changes with those who come and go. */
const CALM_MS = 500;

interface Command {
  readonly id: string;
  readonly title: string;
  readonly keys?: string;
  run(): void;
}

export function Palette({ onSignOut }: { onSignOut(): void }) {
  const { isOpen, setIsOpen } = usePalette();
  const { contains } = useFilter({ sensitivity: "base" });
  const commands = useCommands(onSignOut);
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={setIsOpen}
      isDismissable
      className="react-aria-ModalOverlay palette-overlay"
    >
      <Modal className="react-aria-Modal palette">
        <Dialog aria-label="Do something">
          <Autocomplete filter={contains}>
            <SearchField aria-label="What?" autoFocus>
              <Input placeholder="Type what you want to do…" />
            </SearchField>
            <Menu
              items={commands}
              onAction={(id) => {
                setIsOpen(false);
                commands.find((command) => command.id === id)?.run();
              }}
              renderEmptyState={() => "Nothing of this name"}
            >
              {(command) => (
                <MenuItem id={command.id} textValue={command.title}>
                  <Text slot="label">
                    {command.title} {command.keys ? <kbd>{keysOf(command.keys)}</kbd> : null}
                  </Text>
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

const PANELS: readonly [Panel, string, string][] = [
  ["people", "Show who is here", "Alt-1"],
  ["chat", "Show the chat", "Alt-2"],
  ["activity", "Show what went on", "Alt-3"],
  ["statistics", "Show the figures", "Alt-4"],
  ["history", "Show the history", "Alt-5"],
];

function useCommands(onSignOut: () => void): Command[] {
  const room = useRoom();
  const documents = useSelected(room.state, (state) => state.documents);
  const { people } = useCalm(room.presence, CALM_MS);
  const { active, openDocument, showPanel, follow, following, searchMessages } = useWorkspace();
  const openDialog = useDialogs((state) => state.open);
  const complain = (error: unknown) => tell({ text: wordsOf(error), tone: "bad" });
  const takeBack = (kind: "undo" | "redo") => {
    if (active === null) return;
    room
      .open(active)
      [kind]()
      .then((revision) => {
        if (revision === null)
          tell(kind === "undo" ? "There is nothing of yours to undo." : "There is nothing to redo.");
      })
      .catch(complain);
  };
  const { enter } = useHistory.getState();
  const replay = async () => {
    await enter(room);
    const opened = useHistory.getState().replay;
    await opened?.seek(opened.getSnapshot().from);
    await opened?.play();
  };
  const copyAddress = () => {
    const address = `${window.location.origin}/${addressOfRoom(room.room, active)}`;
    navigator.clipboard.writeText(address).then(() => tell("The link is copied."), complain);
  };
  return [
    ...documents.map((name) => ({
      id: `open ${name}`,
      title: `Open ${name}`,
      run: () => openDocument(name),
    })),
    { id: "new", title: "New document…", run: () => openDialog({ kind: "new-document" }) },
    ...(active === null
      ? []
      : [
          {
            id: "name",
            title: `Name this version of ${active}…`,
            keys: "Mod-S",
            run: () => openDialog({ kind: "save-revision", document: active }),
          },
          { id: "undo", title: "Undo what I did last", keys: "Mod-Z", run: () => takeBack("undo") },
          { id: "redo", title: "Redo it", keys: "Mod-Shift-Z", run: () => takeBack("redo") },
        ]),
    { id: "travel", title: "Travel back in time", run: () => void enter(room) },
    { id: "replay", title: "Replay the session from the beginning", run: () => void replay() },
    { id: "search", title: "Search the messages", run: () => searchMessages(true) },
    ...PANELS.map(([panel, title, keys]) => ({ id: panel, title, keys, run: () => showPanel(panel) })),
    { id: "link", title: "Copy a link to this document", run: copyAddress },
    ...people
      .filter((person) => !person.isMe)
      .map(({ user, name }) => ({ id: `follow ${user}`, title: `Follow ${name}`, run: () => follow(user) })),
    ...(following === null
      ? []
      : [{ id: "unfollow", title: "Follow nobody", keys: "Escape", run: () => follow(null) }]),
    { id: "room", title: "Room, members and invitations…", run: () => openDialog({ kind: "room" }) },
    { id: "profile", title: "Your profile…", run: () => openDialog({ kind: "profile" }) },
    { id: "theme", title: "Change the colours: light, dark, as the machine", run: nextTheme },
    { id: "keys", title: "Keys…", keys: "?", run: () => openDialog({ kind: "shortcuts" }) },
    { id: "rooms", title: "All rooms", run: () => window.location.assign("#/") },
    { id: "somebody", title: "Be somebody else", run: onSignOut },
  ];
}
