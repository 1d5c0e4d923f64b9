/** The room's chat: what is said, by whom, who has read it, and where one says something oneself. */

import type { ChatMessage } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { Pin, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useDialogs } from "../dialogs/store.ts";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { useSelected } from "../ui/stores.ts";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { type Action, actionsFor } from "./actions.ts";
import { ChatFiles } from "./ChatFiles.tsx";
import { Composer } from "./Composer.tsx";
import { ChatPanelContext, type ChatPanelValue, type Overlay, useChatPanel } from "./context.ts";
import { loadDraft } from "./draft.ts";
import { EmojiPopover } from "./EmojiPopover.tsx";
import { nameOf } from "./looks.ts";
import { DeleteDialog, HistoryDialog, ReadersDialog } from "./MessageDialogs.tsx";
import { type LogHandle, MessageLog } from "./MessageLog.tsx";
import { MessageMenu } from "./MessageMenu.tsx";
import { asWritten } from "./mentions.ts";
import { PinnedMessages } from "./PinnedMessages.tsx";
import { rememberEmoji } from "./recentEmoji.ts";
import { SearchMessages } from "./SearchMessages.tsx";
import { TypingLine } from "./TypingLine.tsx";
import "./chat.css";
import "./messages.css";
import "./attachments.css";
import "./writing.css";
import "./finding.css";
import "./over.css";

export function ChatPanel() {
  const room = useRoom();
  const snapshot = useStore(room.chat);
  const me = useSelected(room.state, (state) => state.me?.user ?? "");
  const role = useSelected(room.state, (state) => (state.isClosed ? null : (state.me?.role ?? null)));
  const log = useRef<LogHandle>(null);
  const [replyTo, setReplyTo] = useState(() => loadDraft(room.room).replyTo);
  const [editing, setEditing] = useState<ChatMessage | null>(null);
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  const [inFront, setInFront] = useState<"search" | "pinned" | null>(null);
  const mayPost = role !== null && role !== "viewer";

  const panel = useMemo((): ChatPanelValue => {
    const reply = (message: ChatMessage) => {
      setEditing(null);
      setReplyTo(message.message);
    };
    const pin = (message: ChatMessage, pinned: boolean) =>
      room.chat.pin(message.message, pinned).catch((error) => tell(`Not done: ${wordsOf(error)}`));
    const copy = ({ text, mentions }: ChatMessage) =>
      navigator.clipboard
        .writeText(asWritten(text, mentions, (user) => nameOf(room, user)).text)
        .then(() => tell("The text is copied."))
        .catch(() => tell("The browser does not let the text be copied."));
    const moment = ({ message, posted }: ChatMessage) =>
      useWorkspace.getState().showHistory({ kind: "message", message, at: posted });
    const does: Readonly<Record<Action, (message: ChatMessage, anchor: HTMLElement) => unknown>> = {
      react: (message, anchor) => setOverlay({ kind: "emoji", message, anchor }),
      reply,
      edit: setEditing,
      copy,
      pin: (message) => pin(message, true),
      unpin: (message) => pin(message, false),
      readers: (message, anchor) => setOverlay({ kind: "readers", message, anchor }),
      history: (message, anchor) => setOverlay({ kind: "history", message, anchor }),
      moment,
      delete: (message, anchor) => setOverlay({ kind: "delete", message, anchor }),
      redact: ({ message, text }) => useDialogs.getState().open({ kind: "redact", what: { message, text } }),
    };
    return {
      me,
      role,
      mayPost,
      act: (action, message, anchor) => {
        if (actionsFor(message, me, role).includes(action)) does[action](message, anchor);
      },
      openMenu: (message, anchor) => setOverlay({ kind: "menu", message, anchor }),
      react: async (message, emoji, reacted) => {
        if (reacted) rememberEmoji(emoji);
        await room.chat
          .react(message.message, emoji, reacted)
          .catch((error) => tell(`No reaction: ${wordsOf(error)}`));
      },
      jumpTo: (message) => {
        setInFront(null);
        log.current?.jumpTo(message).catch((error) => tell(`The message cannot be shown: ${wordsOf(error)}`));
      },
    };
  }, [room, me, role, mayPost]);

  const wanted = useWorkspace((workspace) => workspace.messageRequest);
  const hasMessages = snapshot.messages.length > 0;
  useEffect(() => {
    if (wanted === null || !hasMessages) return;
    useWorkspace.getState().showMessage(null);
    panel.jumpTo(wanted);
  }, [wanted, hasMessages, panel]);

  const isSearchAsked = useWorkspace((workspace) => workspace.isSearchAsked);
  useEffect(() => {
    if (!isSearchAsked) return;
    useWorkspace.getState().searchMessages(false);
    setInFront("search");
  }, [isSearchAsked]);

  const lastOwn = () =>
    snapshot.messages.findLast(({ author, deleted }) => author === me && deleted === null) ?? null;
  const close = () => setOverlay(null);

  return (
    <ChatPanelContext value={panel}>
      <section className="chat" aria-label="Chat">
        {inFront === null ? (
          <header className="chat-head">
            <Button className="react-aria-Button quiet chat-find" onPress={() => setInFront("search")}>
              <Search aria-hidden="true" /> Search messages
            </Button>
            {snapshot.unread > 0 ? (
              <span className="chat-unread" role="status">
                {snapshot.unread} unread
              </span>
            ) : null}
            <span className="chat-tools">
              <ToolButton label="Pinned messages" onPress={() => setInFront("pinned")}>
                <Pin aria-hidden="true" />
              </ToolButton>
              <ChatFiles />
            </span>
          </header>
        ) : null}
        <div className="chat-main">
          <div className="chat-log" inert={inFront !== null}>
            <MessageLog ref={log} snapshot={snapshot} />
            <TypingLine />
          </div>
          {inFront === "search" ? <SearchMessages onClose={() => setInFront(null)} /> : null}
          {inFront === "pinned" ? <PinnedMessages onClose={() => setInFront(null)} /> : null}
        </div>
        {mayPost ? (
          <Composer
            replyTo={replyTo}
            editing={editing}
            setReplyTo={setReplyTo}
            setEditing={setEditing}
            lastOwn={lastOwn}
            onSaid={() => log.current?.said()}
          />
        ) : (
          <p className="chat-reads-only">{role === null ? "" : "You may read here, and not write."}</p>
        )}
        <Over overlay={overlay} onClose={close} />
      </section>
    </ChatPanelContext>
  );
}

function Over({ overlay, onClose }: { readonly overlay: Overlay | null; onClose(): void }) {
  const { react } = useChatPanel();
  if (overlay === null) return null;
  const { kind, message, anchor } = overlay;
  switch (kind) {
    case "menu":
      return <MessageMenu message={message} anchor={anchor} onClose={onClose} />;
    case "emoji":
      return (
        <EmojiPopover
          anchor={anchor}
          onClose={onClose}
          onPick={(emoji) => void react(message, emoji, true)}
        />
      );
    case "readers":
      return <ReadersDialog message={message} anchor={anchor} onClose={onClose} />;
    case "history":
      return <HistoryDialog message={message} onClose={onClose} />;
    case "delete":
      return <DeleteDialog message={message} onClose={onClose} />;
  }
}
