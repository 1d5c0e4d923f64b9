/** One thing that happened, or several comings and goings in one. */

import type { ActivityLine } from "@chronoscribe/client";
import { ChevronDown, ChevronRight, Users } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { Button } from "react-aria-components";
import { Name } from "../chat/Face.tsx";
import { useLooks, useNames } from "../chat/looks.ts";
import { listed } from "../chat/sentences.ts";
import { uncoverText } from "../chat/showPassage.ts";
import { dayAndTime, timeOfDay } from "../ui/time.ts";
import { useWorkspace } from "../workspace/store.ts";
import { iconOf } from "./icons.ts";
import { peopleIn } from "./lines.ts";
import { TARGET_WORDS, type Target, targetOf } from "./target.ts";
import { usersIn, withNames } from "./words.ts";

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

/** The server's words, with people's names in the place of their ids. */
function Words({ line: { line, details } }: { readonly line: ActivityLine }) {
  const member = typeof details.member === "string" ? details.member : null;
  const users = useMemo(() => usersIn(line, member), [line, member]);
  const names = useNames(users);
  return withNames(line, member, (user) => names[users.indexOf(user)] ?? user);
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
  else if (target.kind === "document") {
    workspace.openDocument(target.document);
    uncoverText();
  } else workspace.showHistory(target);
}
