/** Every edit that touched the line of a character: from how it began to now. */

import type { components } from "@chronoscribe/client/http";
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Pieces } from "./Pieces.tsx";
import { Progress } from "./Progress.tsx";
import { type MomentAsked, useHistory } from "./store.ts";
import { pathOf, useLines } from "./useLines.ts";
import { useLooks } from "./useLooks.ts";
import { burstsOf, type TouchingEdit } from "./watched.ts";

/** In each direction; more nobody reads here. */
const SHOWN = 100;

type Moment = components["schemas"]["MomentAnswer"];

type Line =
  | TouchingEdit
  | { readonly type: "passage"; readonly text: string }
  | { readonly type: "end"; readonly direction: string; readonly why: string };

interface WatchPassageProps {
  readonly moment: MomentAsked;
  readonly written: Moment;
}

export function WatchPassage({ moment, written }: WatchPassageProps) {
  const room = useRoom();
  const api = useApi();
  const looksOf = useLooks();
  const ask = useHistory((state) => state.ask);
  const [edits, setEdits] = useState<readonly TouchingEdit[]>([]);
  const [fault, setFault] = useState<unknown>(null);
  const lines = useLines<Line>();
  // As it was asked for, or, for an edit, as that edit left it.
  const { document } = written;
  const inText = moment.position !== null && moment.document === document;
  const revision = inText ? moment.revision : written.revision;
  const position = inText ? moment.position! : (written.written?.position ?? placeOf(written));
  // biome-ignore lint/correctness/useExhaustiveDependencies: one question for each place
  useEffect(() => {
    setEdits([]);
    setFault(null);
    const found: TouchingEdit[] = [];
    const look = async () => {
      const line = await lineAround();
      if (line === null) return;
      const query = { ...line, revision, direction: "both", limit: SHOWN };
      await lines.ask("GET", pathOf(room.room, document, "watch"), { query }, (told) => {
        if (told.type !== "edit") return;
        if (told.direction === "back") found.unshift(told);
        else found.push(told);
        setEdits([...found]);
      });
    };
    look().catch(setFault);
    return lines.stop;
  }, [room, document, revision, position]);
  async function lineAround(): Promise<{ start: number; end: number } | null> {
    const params = {
      path: { room: room.room, document },
      query: { revision, start: position, end: position + 1, lines: true } as const,
    };
    const blamed = await api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/blame", { params }));
    const line = blamed.lines?.[0];
    return line === undefined ? null : { start: line.start, end: line.end };
  }
  return (
    <section className="watched" aria-label="Every edit of this line">
      {lines.progress !== null ? (
        <Progress value={lines.progress} label="Reading the edits of this line" onStop={lines.stop} />
      ) : null}
      {fault !== null || lines.fault !== null ? <ErrorNote error={fault ?? lines.fault} /> : null}
      {edits.length === 0 && lines.progress === null ? <p className="hint">No edit has touched it.</p> : null}
      <ol>
        {burstsOf(edits).map((burst) => (
          <li
            key={burst.last}
            data-shown={(burst.first <= written.revision && written.revision <= burst.last) || undefined}
          >
            <Button
              className="react-aria-Button quiet"
              onPress={() => ask({ document, revision: burst.last, position: null })}
            >
              <span className="swatch" style={{ background: looksOf(burst.user).colour }} />
              <strong>{looksOf(burst.user).name}</strong>
              <small>
                {dayAndTime(burst.at)}
                {burst.edits > 1 ? `, ${burst.edits} edits` : ""}
              </small>
            </Button>
            <Pieces pieces={burst.pieces} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where an edit changed something first. What was left out before it counts as well. */
function placeOf({ pieces }: Moment): number {
  let position = 0;
  for (const { kind, length } of pieces) {
    if (kind === "inserted" || kind === "deleted") break;
    position += length;
  }
  return position;
}
