/** A message's text, as text: with addresses to open, people's names, code, and marks for what cannot be seen. */

import { Fragment, memo } from "react";
import { Name } from "./Face.tsx";
import { whereTo } from "./links.ts";
import { isOnlyEmoji, type Piece, piecesOf, withMarks } from "./pieces.ts";

interface MessageTextProps {
  readonly text: string;
  readonly mentions: readonly string[];
  readonly me: string;
}

export const MessageText = memo(function MessageText({ text, mentions, me }: MessageTextProps) {
  return (
    <div className={`message-text ${isOnlyEmoji(text) ? "is-large" : ""}`} dir="auto">
      {inOrder(piecesOf(text, mentions)).map(({ key, piece }) => (
        <ShownPiece key={key} piece={piece} me={me} />
      ))}
    </div>
  );
});

/** Pieces have no name but their place, and only change all together. */
function inOrder(pieces: readonly Piece[]): readonly { key: string; piece: Piece }[] {
  return pieces.map((piece, place) => ({ key: `${place} ${piece.kind}`, piece }));
}

function ShownPiece({ piece, me }: { readonly piece: Piece; readonly me: string }) {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "code":
      return (
        <code dir="ltr">
          <Marked text={piece.shown} />
        </code>
      );
    case "block":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        <pre dir="ltr" tabIndex={0} title={piece.language}>
          <code>
            <Marked text={piece.shown} />
          </code>
        </pre>
      );
    case "link":
      return (
        <a href={piece.href} title={whereTo(piece.href)} target="_blank" rel="noreferrer noopener">
          {piece.text}
        </a>
      );
    case "mention":
      return (
        <span className={`mention ${piece.user === me ? "is-me" : ""}`} title={piece.text}>
          @<Name user={piece.user} />
        </span>
      );
    case "unseen":
      return <Unseen code={piece.code} name={piece.name} />;
  }
}

function Marked({ text }: { readonly text: string }) {
  return inOrder(withMarks(text)).map(({ key, piece }) => (
    <Fragment key={key}>
      {piece.kind === "unseen" ? <Unseen code={piece.code} name={piece.name} /> : piece.text}
    </Fragment>
  ));
}

function Unseen({ code, name }: { readonly code: number; readonly name: string }) {
  return (
    <span className="unseen" title={name}>
      U+{code.toString(16).toUpperCase().padStart(4, "0")}
    </span>
  );
}
