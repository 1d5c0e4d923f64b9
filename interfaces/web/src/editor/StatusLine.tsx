/** The line below the text: where one is in it, what it is, and how far one's own edits have come. */

import type { DocumentHandle } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { Check, CloudOff, CloudUpload } from "lucide-react";
import { useCalm, useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { languageOf } from "./languages.ts";
import type { ViewInfoStore } from "./viewInfo.ts";

interface StatusLineProps {
  readonly handle: DocumentHandle;
  readonly info: ViewInfoStore;
  readonly lastEditor: string | null;
}

/** Numbers that change with every letter of others are read no sooner. */
const CALM_MS = 120;

const number = new Intl.NumberFormat();

function counted(count: number, what: string): string {
  return `${number.format(count)} ${what}${count === 1 ? "" : "s"}`;
}

export function StatusLine({ handle, info, lastEditor }: StatusLineProps) {
  const room = useRoom();
  const view = useStore(info);
  const { revision, length } = useCalm(handle, CALM_MS);
  const looks = useSelected(room.presence, ({ looks: all }) =>
    lastEditor === null ? null : all.get(lastEditor),
  );
  const me = useSelected(room.state, (state) => state.me?.user);
  return (
    <section className="editor-status" aria-label="About this text">
      <Saved handle={handle} />
      <span className="editor-status-place">
        Ln {number.format(view.line)}, Col {number.format(view.column)}
        {view.cursors > 1 ? ` · ${view.cursors} cursors` : ""}
      </span>
      {view.isSelecting ? (
        <span className="editor-status-selected">
          {counted(view.characters, "character")}
          {view.words === null ? null : <span className="is-minor">, {counted(view.words, "word")}</span>}
          {" selected"}
        </span>
      ) : (
        <span className="is-minor">{counted(length, "character")}</span>
      )}
      <span className="editor-status-gap" />
      {lastEditor === null ? null : (
        <span className="editor-status-last is-minor">
          Last edit by{" "}
          <bdi>{lastEditor === me ? "you" : (looks ?? room.presence.looksOf(lastEditor)).name}</bdi>
        </span>
      )}
      <span className="editor-status-revision" title="How many edits this document has had">
        Revision {number.format(revision)}
      </span>
      <span className="is-minor">{view.indentation}</span>
      <span className="is-minor">{languageOf(handle.document)?.name ?? "Plain text"}</span>
    </section>
  );
}

/** Never "saved" before it is in the log. */
function Saved({ handle }: { readonly handle: DocumentHandle }) {
  const { status, local, sent, savedAt } = useCalm(handle, CALM_MS);
  const unsaved = local + sent;
  if (status === "offline")
    return (
      <span className="editor-saved is-away" data-testid="document-saved">
        <CloudOff aria-hidden="true" />
        {unsaved === 0 ? "Offline" : `Offline, ${counted(unsaved, "edit")} kept here`}
      </span>
    );
  if (unsaved > 0)
    return (
      <span className="editor-saved is-on-its-way" data-testid="document-saved">
        <CloudUpload aria-hidden="true" />
        Saving{unsaved > 1 ? ` ${counted(unsaved, "edit")}` : "…"}
      </span>
    );
  return (
    <span
      className="editor-saved"
      data-testid="document-saved"
      title={
        savedAt === null ? undefined : `Your last edit was saved at ${new Date(savedAt).toLocaleTimeString()}`
      }
    >
      <Check aria-hidden="true" />
      Saved
    </span>
  );
}
