/** The documents of the room: open one, make one, take one off the list. */

import { EllipsisVertical, FileText, GitBranch, Plus } from "lucide-react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useDialogs } from "../dialogs/store.ts";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { useSelected } from "../ui/stores.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "./room.tsx";
import { useWorkspace } from "./store.ts";
import { useBranches } from "./useBranches.ts";

export function DocumentList() {
  const room = useRoom();
  const api = useApi();
  const documents = useSelected(room.state, (state) => state.documents);
  const role = useSelected(room.state, ({ me }) => me?.role);
  const { active, openDocument, closeTab, showPanel, panel } = useWorkspace();
  const openDialog = useDialogs((state) => state.open);
  const branches = useBranches(documents);
  const mayEdit = role === "editor" || role === "owner";
  const unlist = (document: string) =>
    api
      .data(
        api.raw.DELETE("/api/rooms/{room}/documents/{document}", {
          params: { path: { room: room.room, document } },
        }),
      )
      .then(() => closeTab(document))
      .then(() => tell(`${document} is off the list; its text and history stay.`))
      .catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }));
  return (
    <div className="documents">
      <header>
        <h2>Documents</h2>
        {mayEdit ? (
          <ToolButton label="New document" onPress={() => openDialog({ kind: "new-document" })}>
            <Plus aria-hidden="true" />
          </ToolButton>
        ) : null}
      </header>
      {documents.length === 0 ? <p className="documents-none">No documents yet.</p> : null}
      <ul>
        {documents.map((document) => (
          <li
            key={document}
            data-active={document === active || undefined}
            title={branches.has(document) ? `A branch of ${branches.get(document)}` : undefined}
          >
            <Button
              className="react-aria-Button quiet document"
              aria-current={document === active ? "page" : false}
              onPress={() => {
                openDocument(document);
                if (panel === "documents") showPanel(null);
              }}
            >
              {branches.has(document) ? <GitBranch aria-hidden="true" /> : <FileText aria-hidden="true" />}
              <span>{document}</span>
              {branches.has(document) ? (
                <span className="for-ears">, a branch of {branches.get(document)}</span>
              ) : null}
            </Button>
            <MenuTrigger>
              <Button className="react-aria-Button quiet more" aria-label={`More about ${document}`}>
                <EllipsisVertical aria-hidden="true" />
              </Button>
              <Popover placement="bottom end">
                <Menu>
                  <MenuItem
                    onAction={() => openDialog({ kind: "save-revision", document })}
                    isDisabled={!mayEdit}
                  >
                    Name this version…
                  </MenuItem>
                  <MenuItem onAction={() => void unlist(document)} isDisabled={!mayEdit}>
                    Take off the list
                  </MenuItem>
                </Menu>
              </Popover>
            </MenuTrigger>
          </li>
        ))}
      </ul>
    </div>
  );
}
