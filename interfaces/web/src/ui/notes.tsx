/** Small things that are said in place: that something is awaited, is missing, or has gone wrong. */

import { ChronoscribeError } from "@chronoscribe/client";
import { CircleAlert, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "react-aria-components";

export function Waiting({ children }: { readonly children?: ReactNode }) {
  return (
    <p className="waiting" role="status">
      <LoaderCircle className="is-turning" aria-hidden="true" /> {children}
    </p>
  );
}

export function Nothing({ icon, children }: { readonly icon?: ReactNode; readonly children: ReactNode }) {
  return (
    <div className="nothing">
      {icon ? <span aria-hidden="true">{icon}</span> : null}
      <p>{children}</p>
    </div>
  );
}

interface ErrorNoteProps {
  readonly error: unknown;
  onRetry?: (() => void) | undefined;
  onClose?: (() => void) | undefined;
}

/** What went wrong, in words, with its code for whoever asks somebody else. */
export function ErrorNote({ error, onRetry, onClose }: ErrorNoteProps) {
  const code = error instanceof ChronoscribeError ? error.code : null;
  return (
    <p className="error-note" role="alert">
      <CircleAlert aria-hidden="true" /> {wordsOf(error)} {code ? <code>{code}</code> : null}
      {onRetry ? <Button onPress={onRetry}>Try again</Button> : null}
      {onClose ? <Button onPress={onClose}>Close</Button> : null}
    </p>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  E_NETWORK: "The server cannot be reached. Are you online?",
  E_FORBIDDEN: "Your role in this room does not allow that.",
  E_NOT_FOUND: "That is not there, or not for you.",
  E_BUSY: "The server is busy. Try again in a moment.",
  E_RATE: "That was too much at once. Try again in a moment.",
  E_PRECONDITION: "Somebody has changed it meanwhile. Look again.",
  E_LAST_OWNER: "A room keeps at least one owner.",
};

export function wordsOf(error: unknown): string {
  if (error instanceof ChronoscribeError) return WORDS[error.code] ?? sentence(error.message);
  return error instanceof Error ? sentence(error.message) : String(error);
}

export function sentence(text: string): string {
  return text === "" ? text : `${text[0]!.toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}
