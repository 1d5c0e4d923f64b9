/** One thing that happened, or several comings and goings in one. */

import type { ActivityLine } from "@chronoscribe/client";
import { ChevronDown, ChevronRight, Users } from "lucide-react";
import { memo, useState } from "react";
import { Button } from "react-aria-components";
import { Name } from "../chat/Face.tsx";
import { useLooks, useNames } from "../chat/looks.ts";
import { listed } from "../chat/sentences.ts";
import { dayAndTime, timeOfDay } from "../ui/time.ts";
import { useWorkspace } from "../workspace/store.ts";
import { iconOf } from "./icons.ts";
import { peopleIn } from "./lines.ts";
import { TARGET_WORDS, type Target, targetOf } from "./target.ts";

export const ActivityItem = memo(function ActivityItem({ line }: { readonly line: ActivityLine }) {
  const Icon = iconOf(line.kind);
  const { colour } = useLooks(line.user);
  const target = targetOf(line);
  return (
    <li>
      <Button className={`react-aria-Button activity-item is-${line.kind}`} onPress={() => show(target)}>
        <span className="activity-icon" style={{ borderColor: colour }}>
          <Icon aria-hidden="true" />
        </span>
        <span className="activity-words" title={TARGET_WORDS[target.kind]}>
          <b>{line.user.startsWith("@") ? "The server" : <Name user={line.user} />}</b>{" "}
          <span dir="auto">
            <Words line={line} />
          </span>
        </span>
        <time dateTime={new Date(line.until / 1_000).toISOString()} title={dayAndTime(line.at)}>
          {timeOfDay(line.until)}
        </time>
      </Button>
    </li>
  );
});

/** The server's words, with the name of a member in the place of their id. */
function Words({ line }: { readonly line: ActivityLine }) {
  const { member } = line.details;
  const [name] = useNames(typeof member === "string" ? [member] : []);
  if (typeof member !== "string" || name === undefined) return line.line;
  const at = line.line.indexOf(member);
  if (at === -1) return line.line;
  return (
    <>
      {line.line.slice(0, at)}
      <bdi>{name}</bdi>
      {line.line.slice(at + member.length)}
    </>
  );
}

export function FoldedItems({ lines }: { readonly lines: readonly ActivityLine[] }) {
  const [isOpen, setOpen] = useState(false);
  const names = useNames(peopleIn(lines));
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li>
      <Button
        className="react-aria-Button activity-item is-fold"
        aria-expanded={isOpen}
        onPress={() => setOpen(!isOpen)}
      >
        <span className="activity-icon">
          <Users aria-hidden="true" />
        </span>
        <span className="activity-words">
          <b dir="auto">{listed(names)}</b> came and went, {lines.length} times
        </span>
        <Chevron aria-hidden="true" />
      </Button>
      {isOpen ? (
        <ol className="activity-folded">
          {lines.map((line) => (
            <ActivityItem key={line.id} line={line} />
          ))}
        </ol>
      ) : null}
    </li>
  );
}

function show(target: Target): void {
  const workspace = useWorkspace.getState();
  if (target.kind === "message") workspace.showMessage(target.message);
  else if (target.kind === "document") workspace.openDocument(target.document);
  else workspace.showHistory(target);
}
