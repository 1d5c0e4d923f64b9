/** One message among the others. */

import type { ChatMessage, PendingMessage } from "@chronoscribe/client";
import { Pin } from "lucide-react";
import { memo, useRef } from "react";
import { Button } from "react-aria-components";
import { dayAndTime, timeOfDay } from "../ui/time.ts";
import { useChatPanel } from "./context.ts";
import { DeliveryMark, PendingMark } from "./Delivery.tsx";
import { Face, Name } from "./Face.tsx";
import { LinkedPassage } from "./LinkedPassage.tsx";
import { useLooks, useNames } from "./looks.ts";
import { MessageText } from "./MessageText.tsx";
import { MessageToolbar } from "./MessageToolbar.tsx";
import { Quote } from "./Quote.tsx";
import { Reactions } from "./Reactions.tsx";
import type { Delivery } from "./receipts.ts";
import { listed } from "./sentences.ts";
import { useLongPress } from "./useLongPress.ts";
import { When } from "./When.tsx";

interface MessageRowProps {
  readonly message: ChatMessage;
  readonly pending: PendingMessage | null;
  readonly isFirstOfGroup: boolean;
  /** Pointed at, or with the focus: what one can do with it is shown. */
  readonly isActive: boolean;
  /** The one that Tab leads to. */
  readonly isTabStop: boolean;
  readonly isLit: boolean;
  readonly readers: readonly string[] | undefined;
  readonly delivery: Delivery | null;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, pending, isFirstOfGroup, isActive, isTabStop, isLit, readers, delivery } = props;
  const { me, act, openMenu } = useChatPanel();
  const { name } = useLooks(message.author);
  const article = useRef<HTMLElement>(null);
  const longPress = useLongPress(() => {
    if (pending === null && article.current !== null) openMenu(message, article.current);
  });
  const isOwn = message.author === me;
  const classes = [
    "message",
    isFirstOfGroup ? "is-first" : "",
    isOwn ? "is-own" : "",
    message.mentions.includes(me) ? "mentions-me" : "",
    pending === null ? "" : `is-${pending.state}`,
    isActive ? "is-active" : "",
    isLit ? "is-lit" : "",
  ];
  return (
    <article
      ref={article}
      className={classes.filter(Boolean).join(" ")}
      data-message={message.message}
      tabIndex={isTabStop ? 0 : -1}
      aria-label={`${name}, ${timeOfDay(message.posted)}`}
      {...longPress}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget || pending !== null) return;
        if (event.key !== "Enter" && event.key !== "ContextMenu") return;
        event.preventDefault();
        openMenu(message, event.currentTarget);
      }}
    >
      <div className="message-side">
        {isFirstOfGroup ? (
          <Face user={message.author} />
        ) : (
          <time title={dayAndTime(message.posted)}>{timeOfDay(message.posted)}</time>
        )}
      </div>
      <div className="message-body">
        {isFirstOfGroup ? <Head message={message} isOwn={isOwn} /> : null}
        {message.reply_to === null ? null : <Quote of={message.reply_to} />}
        {message.deleted === null ? (
          <>
            <MessageText text={message.text} mentions={message.mentions} me={me} />
            {message.link === null ? null : <LinkedPassage message={message} />}
            <Notes message={message} act={act} />
            {Object.keys(message.reactions).length > 0 ? <Reactions message={message} /> : null}
          </>
        ) : (
          <p className="message-deleted">This message was deleted.</p>
        )}
        {pending === null ? null : <PendingMark pending={pending} />}
      </div>
      <div className="message-end">
        {delivery === null ? null : <DeliveryMark delivery={delivery} />}
        {readers === undefined ? null : <Readers message={message} readers={readers} />}
      </div>
      {isActive && pending === null ? <MessageToolbar message={message} /> : null}
    </article>
  );
});

function Head({ message, isOwn }: { readonly message: ChatMessage; readonly isOwn: boolean }) {
  const { imported, author, posted } = message;
  return (
    <header className="message-head">
      <b className="message-author">
        <Name user={author} />
      </b>
      {isOwn ? <span className="message-you">you</span> : null}
      <When at={posted} />
      {imported === null ? null : <span title={dayAndTime(imported.at)}>from {imported.room}</span>}
    </header>
  );
}

interface NotesProps {
  readonly message: ChatMessage;
  act: ReturnType<typeof useChatPanel>["act"];
}

function Notes({ message, act }: NotesProps) {
  const edited = useRef<HTMLButtonElement>(null);
  if (message.edits === 0 && message.pinned === null) return null;
  return (
    <div className="message-notes">
      {message.pinned === null ? null : (
        <span title={dayAndTime(message.pinned)}>
          <Pin aria-hidden="true" /> pinned
        </span>
      )}
      {message.edits === 0 ? null : (
        <Button
          ref={edited}
          className="react-aria-Button edited"
          onPress={() => edited.current && act("history", message, edited.current)}
        >
          edited
        </Button>
      )}
    </div>
  );
}

/** More would crowd out the message. */
const FACES_SHOWN = 4;

interface ReadersProps {
  readonly message: ChatMessage;
  readonly readers: readonly string[];
}

/** Those who have read up to here and no further. */
function Readers({ message, readers }: ReadersProps) {
  const { act } = useChatPanel();
  const button = useRef<HTMLButtonElement>(null);
  const names = useNames(readers);
  const shown = readers.length > FACES_SHOWN ? readers.slice(0, FACES_SHOWN - 1) : readers;
  const words = `Read by ${listed(names, 5)}`;
  return (
    <span title={words} className="readers-place">
      <Button
        ref={button}
        className="react-aria-Button readers"
        aria-label={words}
        onPress={() => button.current && act("readers", message, button.current)}
      >
        {shown.map((user) => (
          <Face key={user} user={user} />
        ))}
        {readers.length > shown.length ? <span>+{readers.length - shown.length}</span> : null}
      </Button>
    </span>
  );
}
