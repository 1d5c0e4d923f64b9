/** The messages, in their order: what was said, what is new, and how far others have read. */

import type { ChatSnapshot } from "@chronoscribe/client";
import { ArrowDown, ArrowUp } from "lucide-react";
import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";
import { Button } from "react-aria-components";
import { wordsOf } from "../ui/notes.tsx";
import { dayOf } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useRoom } from "../workspace/room.tsx";
import { useChatPanel } from "./context.ts";
import { MessageRow } from "./MessageRow.tsx";
import { deliveryOf, readersByMessage } from "./receipts.ts";
import { asMessage, firstUnreadOf, type Row, rowsOf } from "./rows.ts";
import { NO_LINE, nextLine, withoutLine } from "./unreadLine.ts";
import { useAttention } from "./useAttention.ts";
import { useScroll } from "./useScroll.ts";

/** A message that was jumped to is lit for this long. */
const LIT_MS = 2_000;

export interface LogHandle {
  /** Show a message in its place; loads what is around it. */
  jumpTo(message: string): Promise<void>;
  /** One says something: to the end, and nothing is new any more. */
  said(): void;
  focusLast(): void;
}

interface MessageLogProps {
  readonly snapshot: ChatSnapshot;
  readonly ref: Ref<LogHandle>;
}

export function MessageLog({ snapshot, ref }: MessageLogProps) {
  const { chat } = useRoom();
  const { me } = useChatPanel();
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { messages, pending, pointers, unread, hasOlder, isLoadingOlder } = snapshot;

  const loadOlder = useCallback(() => {
    const { hasOlder, isLoadingOlder, messages } = chat.getSnapshot();
    if (hasOlder && !isLoadingOlder && messages.length > 0)
      chat.loadOlder().catch((error) => tell(`Older messages do not come: ${wordsOf(error)}`));
  }, [chat]);
  const [line, setLine] = useState(NO_LINE);
  const rows = useMemo(() => {
    const now = Date.now() * 1_000;
    const said = messages.map((message) => ({ message, pending: null }));
    const waiting = pending.map((one) => ({ message: asMessage(one, me, now), pending: one }));
    return rowsOf([...said, ...waiting], line.above);
  }, [messages, pending, me, line.above]);
  const scroll = useScroll(scroller, content, rows, loadOlder);
  const { view } = scroll;

  // What is new.
  const isInFront = useAttention(scroller);
  // To who has never been here everything is new, and so nothing is.
  const hasRead = (pointers.get(me)?.read ?? 0) > 0;
  const firstUnread = useMemo(
    () => (hasRead ? firstUnreadOf(messages, unread, me) : null),
    [messages, unread, me, hasRead],
  );
  const hasBegun = messages.length > 0 && view.last !== null;
  const present = hasBegun ? nextLine(line, { isInFront, isAtEnd: view.isAtEnd, firstUnread }) : line;
  if (present !== line) setLine(present);
  // Whoever comes to a chat with more news than can be seen begins to read where they begin.
  const [hasCome, setCome] = useState(false);
  useEffect(() => {
    if (hasCome || !hasBegun) return;
    scroll.toEnd();
    if (line.above !== null && scroll.isAbove("[data-line]")) scroll.to("[data-line]", "start");
    setCome(true);
  }, [hasCome, hasBegun, line.above, scroll]);
  useEffect(() => {
    if (hasCome && isInFront && unread > 0 && view.last !== null) chat.read(view.last);
  }, [chat, hasCome, isInFront, unread, view.last]);

  const [lit, setLit] = useState<string | null>(null);
  useEffect(() => {
    if (lit === null) return;
    const timer = setTimeout(() => setLit(null), LIT_MS);
    return () => clearTimeout(timer);
  }, [lit]);
  useImperativeHandle(ref, () => ({
    jumpTo: async (message) => {
      await chat.loadAround(message);
      await painted();
      if (!scroll.to(selectorOf(message), "center")) return tell("This message is not there any more.");
      setLit(message);
      setTabStop(message);
    },
    said: () => {
      setLine(withoutLine);
      scroll.toEnd();
    },
    focusLast: () => rowsIn(content.current).at(-1)?.focus(),
  }));

  const readers = useMemo(() => readersByMessage(messages, pointers, me), [messages, pointers, me]);
  const lastOwn = useMemo(
    () => messages.findLast(({ author, deleted }) => author === me && deleted === null) ?? null,
    [messages, me],
  );

  const [active, setActive] = useState<string | null>(null);
  const [tabStop, setTabStop] = useState<string | null>(null);
  const lastKey = rows.at(-1)?.key ?? null;
  const onKeyDown = (event: KeyboardEvent) => move(event, content.current);
  const messageOf = (target: EventTarget) =>
    (target as Element).closest<HTMLElement>("[data-message]")?.dataset.message ?? null;

  return (
    <div className="log-place">
      <div
        ref={scroller}
        className="log"
        role="log"
        aria-label="Messages"
        aria-live="off"
        aria-busy={isLoadingOlder}
        onKeyDown={onKeyDown}
        onFocus={({ target }) => {
          const message = messageOf(target);
          if (message === null) return;
          setTabStop(message);
          setActive(message);
        }}
        onBlur={({ relatedTarget, currentTarget }) => {
          if (relatedTarget !== null && !currentTarget.contains(relatedTarget as Node)) setActive(null);
        }}
        onPointerOver={({ pointerType, target }) => {
          if (pointerType === "mouse") setActive(messageOf(target));
        }}
        onPointerLeave={({ pointerType }) => {
          if (pointerType === "mouse") setActive(null);
        }}
      >
        <div ref={content} className="log-content">
          <Beginning hasOlder={hasOlder} isLoading={isLoadingOlder} isEmpty={rows.length === 0} />
          {rows.map((row) =>
            row.kind === "message" ? (
              <MessageRow
                key={row.key}
                message={row.said.message}
                pending={row.said.pending}
                isFirstOfGroup={row.isFirstOfGroup}
                isActive={active === row.key}
                isTabStop={(tabStop ?? lastKey) === row.key}
                isLit={lit === row.key}
                readers={readers.get(row.key)}
                delivery={row.key === lastOwn?.message ? deliveryOf(lastOwn, pointers, me) : null}
              />
            ) : (
              <Separator key={row.key} row={row} />
            ),
          )}
        </div>
      </div>
      {line.above !== null && view.isLineAbove ? (
        <Button
          className="react-aria-Button log-jump is-up"
          onPress={() => scroll.to("[data-line]", "center")}
        >
          <ArrowUp aria-hidden="true" /> New messages
        </Button>
      ) : null}
      {view.isAtEnd || rows.length === 0 ? null : (
        <Button className="react-aria-Button log-jump is-down" onPress={() => scroll.toEnd()}>
          <ArrowDown aria-hidden="true" /> {unread > 0 ? `${unread} new` : "Latest"}
        </Button>
      )}
      <Announcements snapshot={snapshot} />
    </div>
  );
}

function Separator({ row }: { readonly row: Exclude<Row, { kind: "message" }> }) {
  if (row.kind === "new")
    return (
      <div className="log-line" data-line="">
        <span>New</span>
      </div>
    );
  return (
    <h3 className="log-day">
      <span>{dayOf(row.at)}</span>
    </h3>
  );
}

interface BeginningProps {
  readonly hasOlder: boolean;
  readonly isLoading: boolean;
  readonly isEmpty: boolean;
}

function Beginning({ hasOlder, isLoading, isEmpty }: BeginningProps) {
  const { mayPost } = useChatPanel();
  if (isLoading) return <p className="log-note">Older messages are coming…</p>;
  if (hasOlder && !isEmpty) return <p className="log-note">&nbsp;</p>;
  if (!isEmpty) return <p className="log-note">This is where the conversation begins.</p>;
  return (
    <div className="log-empty">
      <p>Nobody has said anything yet.</p>
      {mayPost ? <p>Say hello, or select something in a document and write about it.</p> : null}
    </div>
  );
}

/** More at once is not read out but counted. */
const READ_OUT = 3;

/** Reads out what others say while one is here; not what is loaded of the past. */
function Announcements({ snapshot }: { readonly snapshot: ChatSnapshot }) {
  const { presence } = useRoom();
  const { me } = useChatPanel();
  const last = useRef<number | null>(null);
  const [words, setWords] = useState("");
  const { messages } = snapshot;

  useEffect(() => {
    const newest = messages.at(-1)?.position ?? 0;
    const before = last.current;
    last.current = newest;
    if (before === null || before === 0) return;
    const news = messages.filter(({ position, author }) => position > before && author !== me);
    if (news.length === 0) return;
    const told = news.map(({ author, text }) => `${presence.looksOf(author).name}: ${text}`);
    setWords(news.length > READ_OUT ? `${news.length} new messages` : told.join("\n"));
  }, [messages, me, presence]);

  return (
    <div className="for-ears" aria-live="polite">
      {words}
    </div>
  );
}

function move(event: KeyboardEvent, content: HTMLElement | null): void {
  const row = event.target as HTMLElement;
  if (row.dataset.message === undefined) {
    // From what is within a message Escape leads back to it.
    if (event.key === "Escape") row.closest<HTMLElement>("[data-message]")?.focus();
    return;
  }
  const rows = rowsIn(content);
  const place = rows.indexOf(row);
  const next: Readonly<Record<string, HTMLElement | undefined>> = {
    ArrowUp: rows[place - 1],
    ArrowDown: rows[place + 1],
    Home: rows[0],
    End: rows.at(-1),
  };
  if (!(event.key in next)) return;
  event.preventDefault();
  const there = next[event.key];
  there?.focus({ preventScroll: true });
  there?.scrollIntoView({ block: "nearest" });
}

function rowsIn(content: HTMLElement | null): HTMLElement[] {
  return [...(content?.querySelectorAll<HTMLElement>("[data-message]") ?? [])];
}

function selectorOf(message: string): string {
  return `[data-message="${CSS.escape(message)}"]`;
}

/** What was loaded is there to be scrolled to. */
function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
