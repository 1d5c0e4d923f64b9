/** What goes on in the room, newest first, as it happens: who came, what was edited, said, saved, run. */

import { Activity } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useCandidates } from "../chat/useCandidates.ts";
import { Choice } from "../ui/Choice.tsx";
import { ErrorNote, Nothing, Waiting } from "../ui/notes.tsx";
import { useSelected } from "../ui/stores.ts";
import { dayOf } from "../ui/time.ts";
import { useRoom } from "../workspace/room.tsx";
import { ActivityItem, FoldedItems } from "./ActivityItem.tsx";
import { keepFilter, loadFilter } from "./filter.ts";
import { daysOf, EVERYTHING, GROUP_WORDS, type Group, isEverything, type LineFilter } from "./lines.ts";
import { useFilteredLines } from "./useFilteredLines.ts";
import "./activity.css";

export function ActivityStream() {
  const { room, state } = useRoom();
  const documents = useSelected(state, (snapshot) => snapshot.documents);
  const people = useCandidates();
  const [filter, setFilter] = useState<LineFilter>(() => loadFilter(room));
  const { lines, hasOlder, isLoading, error, loadOlder } = useFilteredLines(filter);
  const days = useMemo(() => daysOf(lines), [lines]);
  const narrow = (part: Partial<LineFilter>) => {
    const next = { ...filter, ...part };
    setFilter(next);
    keepFilter(room, next);
  };
  return (
    <section className="activity" aria-label="Activity">
      <div className="choices">
        <Choice
          label="Who"
          isLabelShown={false}
          any="Everybody"
          value={filter.user}
          options={people.map(({ user, name }) => [user, name])}
          onChange={(user) => narrow({ user })}
        />
        <Choice
          label="What"
          isLabelShown={false}
          any="Everything"
          value={filter.group}
          options={Object.entries(GROUP_WORDS)}
          onChange={(group) => narrow({ group: group as Group | null })}
        />
        <Choice
          label="Where"
          isLabelShown={false}
          any="Any document"
          value={filter.document}
          options={documents.map((document) => [document, document])}
          onChange={(document) => narrow({ document })}
        />
      </div>
      <div className="activity-lines">
        {days.map((day) => (
          <section key={day.key} aria-label={dayOf(day.at)}>
            <h3 className="activity-day">{dayOf(day.at)}</h3>
            <ol>
              {day.rows.map((row) =>
                row.kind === "line" ? (
                  <ActivityItem key={row.key} line={row.line} />
                ) : (
                  <FoldedItems key={row.key} lines={row.lines} />
                ),
              )}
            </ol>
          </section>
        ))}
        {error === null ? null : <ErrorNote error={error} onRetry={loadOlder} />}
        {lines.length === 0 && !isLoading && error === null ? (
          <Nothing icon={<Activity />}>
            {isEverything(filter) ? "Nothing has happened here yet." : "Nothing like that has happened here."}
          </Nothing>
        ) : null}
        {isLoading ? <Waiting>Looking back…</Waiting> : null}
        {hasOlder && !isLoading ? <Older onSeen={loadOlder} /> : null}
        {isEverything(filter) || isLoading ? null : (
          <Button className="react-aria-Button quiet activity-all" onPress={() => narrow(EVERYTHING)}>
            Show everything
          </Button>
        )}
      </div>
    </section>
  );
}

/** Brings older lines when one comes to the end; also a button, for whoever does not scroll. */
function Older({ onSeen }: { onSeen(): void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) onSeen();
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [onSeen]);
  return (
    <div ref={place} className="activity-older">
      <Button className="react-aria-Button quiet" onPress={onSeen}>
        Older
      </Button>
    </div>
  );
}
