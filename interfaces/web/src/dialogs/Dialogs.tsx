/** The dialog that is open. */

import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { NewDocument } from "./NewDocument.tsx";
import { ProfileDialog } from "./ProfileDialog.tsx";
import { Redact } from "./Redact.tsx";
import { RoomDialog } from "./RoomDialog.tsx";
import { SaveRevision } from "./SaveRevision.tsx";
import { Shortcuts } from "./Shortcuts.tsx";
import { type OpenDialog, useDialogs } from "./store.ts";
import { Unsent } from "./Unsent.tsx";

export function Dialogs() {
  const { dialog, close } = useDialogs();
  return (
    <ModalOverlay
      isOpen={dialog !== null}
      onOpenChange={(isOpen) => {
        if (!isOpen) close();
      }}
      isDismissable
    >
      <Modal className="react-aria-Modal dialog">
        <Dialog>
          {dialog === null ? null : (
            <>
              <header className="dialog-head">
                <Heading slot="title">{titleOf(dialog)}</Heading>
                <Button className="react-aria-Button quiet" aria-label="Close" onPress={close}>
                  <X aria-hidden="true" />
                </Button>
              </header>
              {contentOf(dialog, close)}
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function titleOf(dialog: OpenDialog): string {
  switch (dialog.kind) {
    case "profile":
      return "Your profile";
    case "room":
      return "Room";
    case "shortcuts":
      return "Keys";
    case "new-document":
      return "New document";
    case "save-revision":
      return `Name this version of ${dialog.document}`;
    case "redact":
      return "Remove this for good?";
    case "unsent":
      return "Text that was not taken";
  }
}

function contentOf(dialog: OpenDialog, close: () => void): ReactNode {
  switch (dialog.kind) {
    case "profile":
      return <ProfileDialog onDone={close} />;
    case "room":
      return <RoomDialog />;
    case "shortcuts":
      return <Shortcuts />;
    case "new-document":
      return <NewDocument onDone={close} />;
    case "save-revision":
      return <SaveRevision document={dialog.document} onDone={close} />;
    case "redact":
      return <Redact what={dialog.what} onDone={close} />;
    case "unsent":
      return <Unsent unsent={dialog.unsent} onDone={close} />;
  }
}
