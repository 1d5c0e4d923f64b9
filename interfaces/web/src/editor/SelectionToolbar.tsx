/** What one can do with the text that is selected. Stands beside it. */

import { Eraser, History, Link, MessageSquareText } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, Toolbar } from "react-aria-components";

/** How long a button says what it has done. */
const SAID_MS = 2_500;

interface SelectionToolbarProps {
  /** Rejects when the text has no revision yet that a link could name. */
  comment(): Promise<void>;
  askWhen(): void;
  /** Resolves with whether it is on the clipboard. */
  copyLink(): Promise<boolean>;
  /** For owners. Rejects as `comment` does. */
  readonly redact: (() => Promise<void>) | null;
}

export function SelectionToolbar({ comment, askWhen, copyLink, redact }: SelectionToolbarProps) {
  const [copied, setCopied] = useState<"yes" | "no" | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const [hasFailed, setFailed] = useState(false);
  return (
    <Toolbar aria-label="Selected text" className="react-aria-Toolbar selection-toolbar">
      <Button onPress={() => void comment().catch(() => setFailed(true))}>
        <MessageSquareText aria-hidden="true" />
        {hasFailed ? "Not saved yet" : "Comment in chat"}
      </Button>
      <Button onPress={() => void copyLink().then((isCopied) => setCopied(isCopied ? "yes" : "no"))}>
        <Link aria-hidden="true" />
        {copied === null ? "Copy link" : copied === "yes" ? "Link copied" : "Not copied"}
      </Button>
      <Button onPress={askWhen}>
        <History aria-hidden="true" />
        When was this written?
      </Button>
      {redact === null ? null : (
        <Button onPress={() => void redact().catch(() => setFailed(true))}>
          <Eraser aria-hidden="true" />
          Remove for good…
        </Button>
      )}
    </Toolbar>
  );
}
