/** What is done in the room, by whom and when: charts of a span of time, of everybody or of one person. */

import type { Statistics } from "@chronoscribe/client";
import { ChartColumn, Download } from "lucide-react";
import { useState } from "react";
import {
  Button,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  ToggleButton,
  ToggleButtonGroup,
} from "react-aria-components";
import { useCandidates } from "../chat/useCandidates.ts";
import { Choice } from "../ui/Choice.tsx";
import { ErrorNote, Nothing, Waiting, wordsOf } from "../ui/notes.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Charts } from "./Charts.tsx";
import { MEASURES, type Measure, SPANS, type Span } from "./figures.ts";
import { figuresQuery, useFigures } from "./useFigures.ts";
import "./statistics.css";

export function StatisticsPanel() {
  const people = useCandidates();
  const [span, setSpan] = useState<Span>("7");
  const [measure, setMeasure] = useState<Measure>("messages");
  const [user, setUser] = useState<string | null>(null);
  const { figures, error, ask } = useFigures(span, user);
  return (
    <section className="statistics" aria-label="Statistics">
      <div className="statistics-head">
        <OneOf label="Span of time" options={SPANS} value={span} onChange={setSpan} />
        <OneOf label="What is counted" options={MEASURES} value={measure} onChange={setMeasure} />
        <div className="statistics-who">
          <Choice
            label="By"
            isLabelShown={false}
            any="By everybody"
            value={user}
            options={people.map((person) => [person.user, person.name])}
            onChange={setUser}
          />
          <DownloadMenu span={span} user={user} />
        </div>
      </div>
      {error === null ? null : <ErrorNote error={error} onRetry={ask} />}
      {figures === null && error === null ? <Waiting>Counting…</Waiting> : null}
      {figures === null ? null : isEmpty(figures) ? (
        <Nothing icon={<ChartColumn />}>
          {span === "all" ? "Nothing has been done here yet." : "Nothing was done in this time."}
        </Nothing>
      ) : (
        <Charts figures={figures} measure={measure} span={span} />
      )}
    </section>
  );
}

function isEmpty({ totals }: Statistics): boolean {
  return totals.messages + totals.document_edits + totals.reactions_added + totals.message_edits === 0;
}

interface OneOfProps<T extends string> {
  readonly label: string;
  readonly options: Readonly<Record<T, string>>;
  readonly value: T;
  onChange(value: T): void;
}

function OneOf<T extends string>({ label, options, value, onChange }: OneOfProps<T>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      className="react-aria-ToggleButtonGroup one-of"
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const [key] = keys;
        if (key !== undefined) onChange(key as T);
      }}
    >
      {Object.entries<string>(options).map(([key, words]) => (
        <ToggleButton key={key} id={key}>
          {words}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

/** The charts as a picture, and all that went on in that span of time as a page. */
function DownloadMenu({ span, user }: { readonly span: Span; readonly user: string | null }) {
  const { room } = useRoom();
  const api = useApi();
  const fetchFile = async (kind: string) => {
    const { from, offset } = figuresQuery(span, user);
    try {
      const [path, query, name] =
        kind === "report"
          ? ["report", from === undefined ? { offset } : { from, offset }, "report.html"]
          : [`statistics/plot.${kind}`, { ...figuresQuery(span, user) }, `statistics.${kind}`];
      const { blob } = await api.file(`/api/rooms/${encodeURIComponent(room)}/${path}`, query);
      saveFile({ blob, name: `${room}-${name}` });
    } catch (error) {
      tell(`The file does not come: ${wordsOf(error)}`);
    }
  };
  return (
    <MenuTrigger>
      <Button className="react-aria-Button tool-button" aria-label="Download">
        <Download aria-hidden="true" />
      </Button>
      <Popover placement="bottom end">
        <Menu aria-label="Download" onAction={(key) => void fetchFile(String(key))}>
          <MenuItem id="svg">The charts as SVG</MenuItem>
          <MenuItem id="png">The charts as PNG</MenuItem>
          <MenuItem id="report">Report of the room, a page to read and print</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
