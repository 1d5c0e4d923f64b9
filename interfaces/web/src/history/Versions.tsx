/** The versions of a document: look, compare, restore, branch off. Named ones, and each piece of work. */

import { useStore } from "@chronoscribe/client/react";
import { GitBranch, GitCompareArrows, History, RotateCcw, Star } from "lucide-react";
import { useState } from "react";
import { Button, ToggleButton } from "react-aria-components";
import { useDialogs } from "../dialogs/store.ts";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote, Nothing, Waiting } from "../ui/notes.tsx";
import { dayOf, timeOfDay } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { BranchOf } from "./BranchOf.tsx";
import { NewBranch } from "./NewBranch.tsx";
import { Restore } from "./Restore.tsx";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";
import { useLooks } from "./useLooks.ts";
import { useMayEdit } from "./useMayEdit.ts";
import { type SavedVersion, type Version, versionsOf, type Work } from "./versions.ts";

export function Versions({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const mayEdit = useMayEdit();
  const openDialog = useDialogs((state) => state.open);
  const dialog = useDialogs((state) => state.dialog);
  const { revision } = useStore(room.open(document));
  const [onlyNamed, setOnlyNamed] = useState(false);
  const [made, setMade] = useState(0);
  const { answer, fault, again } = useAnswer(
    () => versionsOf(api, room, document),
    [room, api, document, dialog === null, made],
  );
  const shown = (answer ?? []).filter(({ kind }) => !onlyNamed || kind === "saved");
  return (
    <div className="versions">
      <BranchOf document={document} />
      <p className="versions-now">
        <span>
          Now: revision <strong>{revision}</strong>
        </span>
        <ToggleButton isSelected={onlyNamed} onChange={setOnlyNamed}>
          Only named
        </ToggleButton>
        {mayEdit ? (
          <Button onPress={() => openDialog({ kind: "save-revision", document })}>
            <Star aria-hidden="true" /> Name this version…
          </Button>
        ) : null}
      </p>
      {fault !== null ? <ErrorNote error={fault} onRetry={again} /> : null}
      {answer === null && fault === null ? <Waiting /> : null}
      {answer !== null && shown.length === 0 ? (
        <Nothing icon={<Star />}>
          {onlyNamed
            ? "No version has a name yet. Every one is kept all the same."
            : "Nothing is written yet."}
        </Nothing>
      ) : null}
      <Days versions={shown} document={document} onMade={() => setMade(made + 1)} />
    </div>
  );
}

interface DaysProps {
  readonly versions: readonly Version[];
  readonly document: string;
  onMade(): void;
}

function Days({ versions, document, onMade }: DaysProps) {
  const days = new Map<string, Version[]>();
  for (const version of versions) {
    const day = dayOf(version.kind === "work" ? version.until : version.at);
    days.set(day, [...(days.get(day) ?? []), version]);
  }
  return [...days].map(([day, those]) => (
    <section key={day} className="versions-day">
      <h3>{day}</h3>
      <ol>
        {those.map((version) => (
          <li key={`${version.kind} ${version.at} ${version.revision}`} data-kind={version.kind}>
            <VersionItem document={document} version={version} onMade={onMade} />
          </li>
        ))}
      </ol>
    </section>
  ));
}

interface VersionItemProps {
  readonly document: string;
  readonly version: Version;
  onMade(): void;
}

function VersionItem({ document, version, onMade }: VersionItemProps) {
  const room = useRoom();
  const mayEdit = useMayEdit();
  const { enter, compare } = useHistory();
  const [open, setOpen] = useState<"restore" | "branch" | null>(null);
  const { revision } = version;
  const toggle = (what: "restore" | "branch") => setOpen(open === what ? null : what);
  return (
    <>
      {version.kind === "saved" ? <Saved {...version} /> : <Worked {...version} />}
      <p className="version-do">
        <Button
          onPress={() => void enter(room, version.kind === "work" ? version.until : version.at, document)}
        >
          <History aria-hidden="true" /> Look
        </Button>
        {version.kind === "work" ? (
          <ToolButton
            label="What was changed then"
            onPress={() => compare({ document, from: String(version.before), to: String(revision) })}
          >
            <GitCompareArrows aria-hidden="true" />
          </ToolButton>
        ) : (
          <ToolButton
            label="Compare with now"
            onPress={() => compare({ document, from: String(revision), to: "now" })}
          >
            <GitCompareArrows aria-hidden="true" />
          </ToolButton>
        )}
        {mayEdit ? (
          <>
            <ToolButton label="Restore…" isPressed={open === "restore"} onPress={() => toggle("restore")}>
              <RotateCcw aria-hidden="true" />
            </ToolButton>
            <ToolButton label="Branch…" isPressed={open === "branch"} onPress={() => toggle("branch")}>
              <GitBranch aria-hidden="true" />
            </ToolButton>
          </>
        ) : null}
      </p>
      {open === "restore" ? (
        <Restore
          document={document}
          revision={revision}
          onDone={(isRestored) => {
            setOpen(null);
            if (isRestored) onMade();
          }}
        />
      ) : null}
      {open === "branch" ? (
        <NewBranch document={document} revision={revision} onDone={() => setOpen(null)} />
      ) : null}
    </>
  );
}

function Saved({ name, at, revision, user }: SavedVersion) {
  const looksOf = useLooks();
  return (
    <p className="version-told">
      <span>
        <Star aria-hidden="true" /> <strong>{name ?? "Saved"}</strong>
      </span>
      <small>
        {timeOfDay(at)} by {looksOf(user).name} · revision {revision}
      </small>
    </p>
  );
}

function Worked({ at, until, users, edits, inserted, deleted, revision }: Work) {
  const looksOf = useLooks();
  const [begin, end] = [timeOfDay(at), timeOfDay(until)];
  return (
    <p className="version-told">
      <span>
        <strong>{begin === end ? begin : `${begin} – ${end}`}</strong>
        {users.map((user) => (
          <span key={user} className="version-person">
            <span className="swatch" style={{ background: looksOf(user).colour }} />
            {looksOf(user).name}
          </span>
        ))}
      </span>
      <small>
        {edits} {edits === 1 ? "edit" : "edits"}, <span className="plus">+{inserted}</span>{" "}
        <span className="minus">−{deleted}</span> · revision {revision}
      </small>
    </p>
  );
}
