/** Who wrote which part of the text; a click on it leads to the moment it was written. */

import { useStore } from "@chronoscribe/client/react";
import { RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";
import { ToggleButton } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote, Nothing, Waiting } from "../ui/notes.tsx";
import { ago, dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Cutter } from "./points.ts";
import { useHistory } from "./store.ts";
import { useAnswer } from "./useAnswer.ts";

/** More would be slow to draw, and nobody reads it here. */
const SPANS_SHOWN = 4_000;

export function Blame({ document }: { readonly document: string }) {
  const room = useRoom();
  const api = useApi();
  const { revision: present } = useStore(room.open(document));
  const [byAge, setByAge] = useState(false);
  const { answer, fault, again } = useAnswer(() => {
    const params = { path: { room: room.room, document }, query: { text: true } as const };
    return api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/blame", { params }));
  }, [room, api, document]);
  const parts = useMemo(() => {
    const cutter = new Cutter(answer?.text ?? "");
    return (answer?.spans ?? [])
      .slice(0, SPANS_SHOWN)
      .map((span) => ({ ...span, text: cutter.upTo(span.end) }));
  }, [answer]);
  const shares = useMemo(() => sharesOf(parts), [parts]);
  const [oldest, newest] = useMemo(() => {
    const times = parts.map(({ at }) => at);
    return [Math.min(...times), Math.max(...times)];
  }, [parts]);
  if (fault !== null) return <ErrorNote error={fault} onRetry={again} />;
  if (answer === null) return <Waiting>Asking who wrote what…</Waiting>;
  if (parts.length === 0) return <Nothing>There is no text.</Nothing>;
  const background = ({ author, at }: { author: string; at: number }) =>
    byAge
      ? `color-mix(in oklab, var(--accent) ${Math.round(6 + (34 * (at - oldest)) / Math.max(1, newest - oldest))}%, transparent)`
      : `color-mix(in oklab, ${room.presence.looksOf(author).colour} 24%, transparent)`;
  const askAt = (target: EventTarget) => {
    const start = target instanceof HTMLElement ? target.dataset.start : undefined;
    if (start === undefined) return;
    useHistory.getState().ask({ document, revision: answer.revision, position: Number(start) });
  };
  return (
    <div className="blame">
      <p className="blame-head">
        <span>Revision {answer.revision}</span>
        {present > answer.revision ? (
          <ToolButton label="It has been edited since: look again" onPress={again}>
            <RefreshCw aria-hidden="true" />
          </ToolButton>
        ) : null}
        <ToggleButton isSelected={byAge} onChange={setByAge}>
          By age
        </ToggleButton>
      </p>
      <ul className="blame-shares" aria-label="Shares of the text">
        {shares.map(({ author, share }) => (
          <li key={author}>
            <span className="swatch" style={{ background: room.presence.looksOf(author).colour }} />
            {answer.people[author] ?? author} <small>{share} %</small>
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the same by keyboard in the text itself, with Mod-Alt-H */}
      <pre className="blame-text" dir="auto" onClick={(event) => askAt(event.target)}>
        {parts.map((part) => (
          <span
            key={part.start}
            className="blame-span"
            data-start={part.start}
            style={{ background: background(part) }}
            title={`${answer.people[part.author] ?? part.author}, ${dayAndTime(part.at)} (${ago(part.at)})`}
          >
            {part.text}
          </span>
        ))}
      </pre>
      {(answer.spans?.length ?? 0) > SPANS_SHOWN ? <p className="hint">The rest is not shown here.</p> : null}
    </div>
  );
}

function sharesOf(parts: readonly { author: string; start: number; end: number }[]) {
  const counts = new Map<string, number>();
  let all = 0;
  for (const { author, start, end } of parts) {
    counts.set(author, (counts.get(author) ?? 0) + end - start);
    all += end - start;
  }
  return [...counts]
    .sort((one, other) => other[1] - one[1])
    .map(([author, count]) => ({ author, share: Math.round((100 * count) / Math.max(1, all)) }));
}
