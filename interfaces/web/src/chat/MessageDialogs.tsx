/** What is asked or told about one message: who has read it, what it said before, whether it is to go. */

import type { ChatMessage } from "@chronoscribe/client";
import { useEffect, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { wordsOf } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useChatPanel } from "./context.ts";
import { Face, Name } from "./Face.tsx";
import { Floating } from "./Floating.tsx";
import { MessageText } from "./MessageText.tsx";
import { When } from "./When.tsx";

interface AboutMessage {
  readonly message: ChatMessage;
  onClose(): void;
}

/** An answer of the server, or why there is none; null until it has come. */
type Asked<T> = { readonly found: T } | { readonly why: string } | null;

function useAsked<T>(ask: () => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>(null);
  const [first] = useState(() => ask); // asked once, when it is opened
  useEffect(() => {
    let isWanted = true;
    first()
      .then((found) => isWanted && setAsked({ found }))
      .catch((error: unknown) => isWanted && setAsked({ why: wordsOf(error) }));
    return () => {
      isWanted = false;
    };
  }, [first]);
  return asked;
}

export function ReadersDialog({ message, anchor, onClose }: AboutMessage & { readonly anchor: HTMLElement }) {
  const { room } = useRoom();
  const api = useApi();
  const path = { room, message: message.message };
  const asked = useAsked(() =>
    api.data(api.raw.GET("/api/rooms/{room}/messages/{message}/readers", { params: { path } })),
  );
  return (
    <Floating anchor={anchor} label="Who has read it" onClose={onClose}>
      <div className="readers-dialog">
        <Heading slot="title">Read by</Heading>
        {asked === null ? <p>…</p> : null}
        {asked !== null && "why" in asked ? <p role="alert">{asked.why}</p> : null}
        {asked !== null && "found" in asked ? (
          <>
            <People users={asked.found.read} nobody="Nobody has read it yet." />
            <Delivered {...asked.found} />
          </>
        ) : null}
      </div>
    </Floating>
  );
}

function Delivered({
  delivered,
  read,
}: {
  readonly delivered: readonly string[];
  readonly read: readonly string[];
}) {
  const left = delivered.filter((user) => !read.includes(user));
  if (left.length === 0) return null;
  return (
    <>
      <h4>Delivered to</h4>
      <People users={left} nobody="" />
    </>
  );
}

function People({ users, nobody }: { readonly users: readonly string[]; readonly nobody: string }) {
  const { me } = useChatPanel();
  if (users.length === 0) return <p className="nobody">{nobody}</p>;
  return (
    <ul className="readers-list">
      {users.map((user) => (
        <li key={user}>
          <Face user={user} /> <Name user={user} />
          {user === me ? <span className="message-you">you</span> : null}
        </li>
      ))}
    </ul>
  );
}

export function HistoryDialog({ message, onClose }: AboutMessage) {
  const { room } = useRoom();
  const { me } = useChatPanel();
  const api = useApi();
  const path = { room, message: message.message };
  const asked = useAsked(() =>
    api.data(api.raw.GET("/api/rooms/{room}/messages/{message}/history", { params: { path } })),
  );
  return (
    <InFront label="What the message has said" onClose={onClose}>
      {asked === null ? <p>…</p> : null}
      {asked !== null && "why" in asked ? <p role="alert">{asked.why}</p> : null}
      {asked !== null && "found" in asked ? (
        <ol className="history">
          {asked.found.texts.map(({ text, by, at }) => (
            <li key={at}>
              <p className="history-head">
                <Name user={by} /> <When at={at} />
              </p>
              <MessageText text={text} mentions={[]} me={me} />
            </li>
          ))}
          {asked.found.deleted === null ? null : (
            <li className="history-head">
              deleted by <Name user={asked.found.deleted_by ?? ""} /> <When at={asked.found.deleted} />
            </li>
          )}
        </ol>
      ) : null}
      <div className="dialog-do">
        <Button onPress={onClose} autoFocus>
          Close
        </Button>
      </div>
    </InFront>
  );
}

export function DeleteDialog({ message, onClose }: AboutMessage) {
  const { chat } = useRoom();
  const { me } = useChatPanel();
  const remove = () => {
    onClose();
    chat.delete(message.message).catch((error) => tell(`Not deleted: ${wordsOf(error)}`));
  };
  return (
    <InFront label="Delete this message?" role="alertdialog" onClose={onClose}>
      <div className="dialog-quote">
        <MessageText text={message.text} mentions={message.mentions} me={me} />
      </div>
      <p>Its place stays, its text goes. Its author and the room's owners can still look up what it said.</p>
      <div className="dialog-do">
        <Button onPress={onClose}>Keep it</Button>
        <Button className="react-aria-Button bad" onPress={remove} autoFocus>
          Delete
        </Button>
      </div>
    </InFront>
  );
}

interface InFrontProps {
  readonly label: string;
  readonly role?: "dialog" | "alertdialog";
  readonly children: React.ReactNode;
  onClose(): void;
}

function InFront({ label, role = "dialog", children, onClose }: InFrontProps) {
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(isOpen) => isOpen || onClose()}>
      <Modal className="react-aria-Modal dialog">
        <Dialog role={role}>
          <div className="dialog-head">
            <Heading slot="title">{label}</Heading>
          </div>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
