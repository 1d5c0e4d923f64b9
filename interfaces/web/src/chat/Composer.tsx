/** Where one writes: several lines, mentions, an answer, a passage of a document, a change of what one has said. */

import type { ChatMessage, Refused } from "@chronoscribe/client";
import { FileText, SendHorizontal, SmilePlus, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button, TextArea, TextField } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";
import { keepDraft, loadDraft, NO_DRAFT } from "./draft.ts";
import { EmojiPopover } from "./EmojiPopover.tsx";
import { Name } from "./Face.tsx";
import { nameOf } from "./looks.ts";
import { MentionList } from "./MentionList.tsx";
import { asSent, asWritten, matching, type Picked, queryAt, withPicked } from "./mentions.ts";
import { QuotedText, useMessage } from "./Quote.tsx";
import { bytesLeft } from "./size.ts";
import { type KnownPerson, useCandidates } from "./useCandidates.ts";
import { useTyping } from "./useTyping.ts";

/** What is chosen from with the arrow keys must be seen at a glance. */
const CANDIDATES_SHOWN = 6;

interface ComposerProps {
  readonly replyTo: string | null;
  readonly editing: ChatMessage | null;
  setReplyTo(message: string | null): void;
  setEditing(message: ChatMessage | null): void;
  /** The last message of one's own that may be changed. */
  lastOwn(): ChatMessage | null;
  onSaid(): void;
}

export function Composer(props: ComposerProps) {
  const { replyTo, editing, setReplyTo, setEditing, lastOwn, onSaid } = props;
  const room = useRoom();

  const link = useWorkspace((workspace) => workspace.linkDraft);
  const mention = useWorkspace((workspace) => workspace.mentionDraft);
  const candidates = useCandidates();
  const typing = useTyping();
  const area = useRef<HTMLTextAreaElement>(null);
  const emojiButton = useRef<HTMLSpanElement>(null);
  const [text, setText] = useState(() => loadDraft(room.room).text);
  const [picked, setPicked] = useState<Picked>(() => loadDraft(room.room).picked);
  const [caret, setCaret] = useState(0);
  const [isClosed, setClosed] = useState(false); // the list of people, by Escape
  const [chosen, setChosen] = useState(0);
  const [picksEmoji, setPicksEmoji] = useState(false);

  const query = isClosed ? null : queryAt(text, caret);
  const matches = query === null ? [] : matching(candidates, query.query, CANDIDATES_SHOWN);
  const active = matches[Math.min(chosen, matches.length - 1)] ?? null;
  const said = asSent(text.trim(), picked, candidates);
  const left = bytesLeft(said);
  const maySend = said !== "" && (left === null || left >= 0);

  // A draft is of what is new; what one changes is in the log already.
  useEffect(() => {
    if (editing === null) keepDraft(room.room, { text, picked, replyTo });
  }, [room, text, picked, replyTo, editing]);

  const editingId = editing?.message ?? null;
  const shownEditing = useRef<string | null>(null);
  useEffect(() => {
    if (editingId === shownEditing.current) return;
    shownEditing.current = editingId;
    const written =
      editing === null
        ? loadDraft(room.room)
        : asWritten(editing.text, editing.mentions, (user) => nameOf(room, user));
    setText(written.text);
    setPicked(written.picked);
    focusAtEnd(area.current, written.text.length);
    setCaret(written.text.length);
  }, [editing, editingId, room]);

  useEffect(() => {
    if (replyTo !== null || link !== null) area.current?.focus();
  }, [replyTo, link]);

  useEffect(() => {
    if (mention === null) return;
    useWorkspace.getState().mention(null);
    setText((before) => `${before}${before === "" || /\s$/.test(before) ? "" : " "}@${mention} `);
    area.current?.focus();
  }, [mention]);

  const insert = (inserted: string) => {
    const at = area.current?.selectionStart ?? text.length;
    const end = area.current?.selectionEnd ?? at;
    setText(text.slice(0, at) + inserted + text.slice(end));
    focusAtEnd(area.current, at + inserted.length);
  };
  const pick = (person: KnownPerson) => {
    if (query === null) return;
    const done = withPicked(text, { at: query.at, caret, candidate: person, picked });
    setText(done.text);
    setPicked(done.picked);
    setCaret(done.caret);
    setChosen(0);
    focusAtEnd(area.current, done.caret);
  };
  const clear = () => {
    setText("");
    setPicked({});
    setCaret(0);
    typing.stops();
  };
  const send = () => {
    if (!maySend) return;
    if (editing !== null) {
      const isSame = said === editing.text;
      setEditing(null);
      if (!isSame)
        room.chat
          .edit(editing.message, said)
          .catch((error: Refused) => tell(`Not changed: ${wordsOf(error)}`));
      typing.stops();
      return;
    }
    const passage = link === null ? {} : { link: withoutText(link) };
    const answer = replyTo === null ? {} : { replyTo };
    // One that is refused stands among the messages, to be tried again.
    room.chat.post(said, { ...answer, ...passage }).catch(() => {});
    clear();
    setReplyTo(null);
    useWorkspace.getState().draftLink(null);
    keepDraft(room.room, NO_DRAFT);
    onSaid();
    area.current?.focus();
  };
  const cancel = (): boolean => {
    if (editing !== null) setEditing(null);
    else if (replyTo !== null) setReplyTo(null);
    else if (link !== null) useWorkspace.getState().draftLink(null);
    else return false;
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Enter ends a word of an input method before it ends a message.
    if (event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229) return;
    if (active !== null && onListKey(event.key)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouched()) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && cancel()) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" && text === "" && editing === null) {
      const last = lastOwn();
      if (last === null) return;
      event.preventDefault();
      setEditing(last);
    }
  };
  /** The keys of the list of people, while it is there; false: this is none of them. */
  const onListKey = (key: string): boolean => {
    const place = Math.min(chosen, matches.length - 1);
    if (key === "ArrowDown") setChosen((place + 1) % matches.length);
    else if (key === "ArrowUp") setChosen((place - 1 + matches.length) % matches.length);
    else if (key === "Enter" || key === "Tab") pick(active as KnownPerson);
    else if (key === "Escape") setClosed(true);
    else return false;
    return true;
  };

  return (
    <div className="composer">
      {matches.length > 0 ? (
        <MentionList people={matches} active={active?.user ?? null} area={area} onPick={pick} />
      ) : null}
      {editing !== null ? (
        <Attached label="Stop changing it" onDrop={() => setEditing(null)}>
          Changing what you said
        </Attached>
      ) : null}
      {editing === null && replyTo !== null ? (
        <Answered message={replyTo} onDrop={() => setReplyTo(null)} />
      ) : null}
      {editing === null && link !== null ? (
        <Attached label="Leave the passage out" onDrop={() => useWorkspace.getState().draftLink(null)}>
          <FileText aria-hidden="true" />
          <bdi>{link.document}</bdi>
          <code className="quoted">{link.text.replace(/\s+/g, " ")}</code>
        </Attached>
      ) : null}
      <div className="composer-row">
        <TextField
          className="composer-field"
          aria-label={editing === null ? "Message" : "Change your message"}
          value={text}
          onChange={(value) => {
            setText(value);
            setCaret(area.current?.selectionStart ?? value.length);
            setClosed(false);
            setChosen(0);
            if (value.trim() === "") typing.stops();
            else typing.writes();
          }}
        >
          <TextArea
            ref={area}
            dir="auto"
            rows={1}
            placeholder="Write to everybody here"
            enterKeyHint={isTouched() ? "enter" : "send"}
            onKeyDown={onKeyDown}
            onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart)}
            onBlur={typing.stops}
          />
        </TextField>
        <span ref={emojiButton}>
          <ToolButton label="Insert an emoji" onPress={() => setPicksEmoji(true)}>
            <SmilePlus aria-hidden="true" />
          </ToolButton>
        </span>
        <ToolButton
          className="composer-send"
          label={editing === null ? "Send" : "Change it"}
          isDisabled={!maySend}
          onPress={send}
        >
          <SendHorizontal aria-hidden="true" />
        </ToolButton>
      </div>
      {left === null ? null : (
        <p className={`composer-left ${left < 0 ? "is-over" : ""}`} role="status">
          {left < 0 ? `${-left} bytes too long: a message has at most 8 KiB` : `${left} bytes left`}
        </p>
      )}
      {picksEmoji ? (
        <EmojiPopover anchor={emojiButton.current} onClose={() => setPicksEmoji(false)} onPick={insert} />
      ) : null}
    </div>
  );
}

function Answered({ message, onDrop }: { readonly message: string; onDrop(): void }) {
  const found = useMessage(message);
  return (
    <Attached label="Do not answer" onDrop={onDrop}>
      Answer to{" "}
      {found === null ? null : (
        <>
          <b>
            <Name user={found.author} />
          </b>{" "}
          <QuotedText message={found} />
        </>
      )}
    </Attached>
  );
}

interface AttachedProps {
  readonly label: string;
  readonly children: ReactNode;
  onDrop(): void;
}

function Attached({ label, children, onDrop }: AttachedProps) {
  return (
    <div className="attached">
      <div className="attached-words">{children}</div>
      <Button className="react-aria-Button tool-button" aria-label={label} onPress={onDrop}>
        <X aria-hidden="true" />
      </Button>
    </div>
  );
}

function withoutText<T extends { readonly text: string }>({ text: _, ...link }: T): Omit<T, "text"> {
  return link;
}

/** After React has put the new text there. */
function focusAtEnd(area: HTMLTextAreaElement | null, caret: number): void {
  if (area === null) return;
  requestAnimationFrame(() => {
    area.focus();
    area.setSelectionRange(caret, caret);
  });
}

/** On a phone Enter is a new line, as everywhere there, and a button sends. */
function isTouched(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}
