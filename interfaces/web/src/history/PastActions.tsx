/** What can be done with a text of the past. */

import {
  Copy,
  EllipsisVertical,
  GitBranch,
  GitCompareArrows,
  Link2,
  RotateCcw,
  UsersRound,
} from "lucide-react";
import { useState } from "react";
import {
  Button,
  Dialog,
  Heading,
  Menu,
  MenuItem,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
  Text,
} from "react-aria-components";
import { addressOfMoment } from "../app/route.ts";
import { ToolButton } from "../editor/ToolButton.tsx";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { copyText } from "./copyText.ts";
import { NewBranch } from "./NewBranch.tsx";
import { Restore } from "./Restore.tsx";
import { useHistory } from "./store.ts";
import { useMayEdit } from "./useMayEdit.ts";

interface PastActionsProps {
  readonly document: string;
  readonly revision: number;
  readonly at: number;
}

interface Asked {
  readonly kind: "restore" | "branch";
  readonly revision: number;
}

export function PastActions({ document, revision, at }: PastActionsProps) {
  const room = useRoom();
  const mayEdit = useMayEdit();
  const [asked, setAsked] = useState<Asked | null>(null);
  const { compare, blameOf, replay } = useHistory();
  const showPanel = useWorkspace((state) => state.showPanel);
  const done = () => setAsked(null);
  const begin = (kind: Asked["kind"]) => {
    void replay?.pause().catch(() => {});
    setAsked({ kind, revision });
  };
  const copy = () => {
    const text = replay?.getSnapshot().stage.documents.get(document)?.text ?? "";
    copyText(text, `${document} of that moment is copied.`);
  };
  return (
    <>
      <MenuTrigger>
        <Button className="react-aria-Button tool-button" aria-label="With this text">
          <EllipsisVertical aria-hidden="true" />
        </Button>
        <Popover placement="bottom end">
          <Menu className="react-aria-Menu past-menu">
            {mayEdit ? (
              <MenuItem onAction={() => begin("restore")} textValue="Restore this text">
                <Text slot="label">
                  <RotateCcw aria-hidden="true" /> Restore this text…
                </Text>
              </MenuItem>
            ) : null}
            {mayEdit ? (
              <MenuItem onAction={() => begin("branch")} textValue="Branch from here">
                <Text slot="label">
                  <GitBranch aria-hidden="true" /> Branch from here…
                </Text>
              </MenuItem>
            ) : null}
            <MenuItem
              textValue="Compare with now"
              onAction={() => {
                showPanel("history");
                compare({ document, from: String(revision), to: "now" });
              }}
            >
              <Text slot="label">
                <GitCompareArrows aria-hidden="true" /> Compare with now
              </Text>
            </MenuItem>
            <MenuItem
              textValue="Who wrote this text"
              onAction={() => {
                showPanel("history");
                blameOf({ document, revision });
              }}
            >
              <Text slot="label">
                <UsersRound aria-hidden="true" /> Who wrote this text
              </Text>
            </MenuItem>
            <MenuItem textValue="Copy the text" onAction={copy}>
              <Text slot="label">
                <Copy aria-hidden="true" /> Copy the text
              </Text>
            </MenuItem>
            <MenuItem
              textValue="Copy a link to this moment"
              onAction={() =>
                copyText(addressOfMoment(room.room, document, at), "A link to this moment is copied.")
              }
            >
              <Text slot="label">
                <Link2 aria-hidden="true" /> Copy a link to this moment
              </Text>
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      {mayEdit ? (
        <ToolButton label="Restore this text…" className="past-restore" onPress={() => begin("restore")}>
          <RotateCcw aria-hidden="true" />
        </ToolButton>
      ) : null}
      <ModalOverlay isOpen={asked !== null} onOpenChange={(isOpen) => !isOpen && done()} isDismissable>
        <Modal className="react-aria-Modal dialog">
          <Dialog>
            <Heading slot="title">
              {asked?.kind === "branch" ? "Branch" : "Restore"} {document}, revision {asked?.revision}
            </Heading>
            {asked?.kind === "restore" ? (
              <Restore
                document={document}
                revision={asked.revision}
                onDone={(restored) => {
                  done();
                  if (restored) useHistory.getState().leave();
                }}
              />
            ) : null}
            {asked?.kind === "branch" ? (
              <NewBranch
                document={document}
                revision={asked.revision}
                onDone={(branch) => {
                  done();
                  if (branch === null) return;
                  useHistory.getState().leave();
                  tell({ text: `${branch} begins with this text.`, tone: "good" });
                }}
              />
            ) : null}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
