/** The whole session on one line: who did something when, what was named; and where in it one is. */

import type { ActivityLine, Mark, Replay } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { ChevronFirst, ChevronLast, Pause, Play, SkipForward, StepBack, StepForward } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import {
  Button,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Slider,
  SliderThumb,
  SliderTrack,
  ToggleButton,
} from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { dayAndTime, timeWithSeconds } from "../ui/time.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";
import { TimeLine } from "./timeLine.ts";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] as const;

/** Lines of activity that the strip is drawn from; a session has a few hundred. */
const LINES = 1_000;
const PAGE = 200;
/** People with a row of their own; the rest share the last one. */
const ROWS = 6;
/** The thumb goes in steps that are finer than a screen shows. */
const STEPS = 10_000;
/** Narrower is not seen, in percent of the strip. */
const LEAST_WIDTH = 0.4;

export function TimeStrip() {
  const replay = useHistory((state) => state.replay);
  return replay === null ? null : <Strip replay={replay} />;
}

function Strip({ replay }: { readonly replay: Replay }) {
  const { from, until, at, isPlaying, marks, speed, skipIdle } = useStore(replay);
  const [dragged, setDragged] = useState<number | null>(null);
  const seek = useSeeking(replay);
  const lines = useLines();
  const line = useMemo(() => new TimeLine(from, until, lines), [from, until, lines]);
  const shown = dragged ?? at;
  const run = (work: Promise<void>) =>
    void work.catch((error: unknown) => tell({ text: wordsOf(error), tone: "bad" }));
  const onKey = (event: KeyboardEvent) => {
    const by = event.shiftKey ? 10 : 1;
    const acts: Record<string, () => Promise<void>> = {
      ArrowLeft: () => replay.step(-by),
      ArrowRight: () => replay.step(by),
      Home: () => replay.seek(from),
      End: () => replay.seek(until),
      " ": () => (isPlaying ? replay.pause() : replay.play()),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    run(act());
  };
  return (
    <section className="strip" aria-label="Time">
      <div className="strip-buttons">
        <ToolButton label="To the beginning" keys="Home" onPress={() => run(replay.seek(from))}>
          <ChevronFirst aria-hidden="true" />
        </ToolButton>
        <ToolButton label="One step back" keys="←" onPress={() => run(replay.step(-1))}>
          <StepBack aria-hidden="true" />
        </ToolButton>
        <ToolButton
          label={isPlaying ? "Pause" : "Play"}
          keys="Space"
          className="strip-play"
          onPress={() => run(isPlaying ? replay.pause() : replay.play())}
        >
          {isPlaying ? <Pause aria-hidden="true" /> : <Play aria-hidden="true" />}
        </ToolButton>
        <ToolButton label="One step on" keys="→" onPress={() => run(replay.step(1))}>
          <StepForward aria-hidden="true" />
        </ToolButton>
        <ToolButton label="To the end" keys="End" onPress={() => run(replay.seek(until))}>
          <ChevronLast aria-hidden="true" />
        </ToolButton>
        <output className="strip-clock">{timeWithSeconds(shown)}</output>
        <Speed speed={speed} onChange={(next) => run(replay.setSpeed(next))} />
        <ToggleButton
          isSelected={skipIdle}
          onChange={(skip) => run(replay.setSkipIdle(skip))}
          aria-label="Pass over what lies idle"
        >
          <SkipForward aria-hidden="true" />
        </ToggleButton>
      </div>
      <div className="strip-time" onKeyDownCapture={onKey}>
        <Doings lines={lines} line={line} />
        <Slider
          aria-label="Moment"
          minValue={0}
          maxValue={line.length}
          step={line.length / STEPS}
          value={line.placeOf(shown)}
          onChange={(value) => {
            const time = line.timeOf(value as number);
            setDragged(time);
            seek(time);
          }}
          onChangeEnd={() => setDragged(null)}
        >
          <SliderTrack>
            <SliderThumb aria-label="Moment" />
          </SliderTrack>
        </Slider>
        <Marks marks={marks} line={line} onChoose={(moment) => run(replay.seek(moment))} />
      </div>
      <div className="strip-ends" aria-hidden="true">
        <span>{dayAndTime(from)}</span>
        <span>{dayAndTime(until)}</span>
      </div>
    </section>
  );
}

/** Of what a dragged thumb asks for, the last is done; one question is on its way at a time. */
function useSeeking(replay: Replay): (at: number) => void {
  const wanted = useRef<number | null>(null);
  const isBusy = useRef(false);
  return (at) => {
    wanted.current = at;
    if (isBusy.current) return;
    isBusy.current = true;
    const next = async (): Promise<void> => {
      while (wanted.current !== null) {
        const moment = wanted.current;
        wanted.current = null;
        await replay.seek(moment).catch(() => {});
      }
      isBusy.current = false;
    };
    void next();
  };
}

function Speed({ speed, onChange }: { readonly speed: number; onChange(speed: number): void }) {
  return (
    <Select aria-label="Speed" selectedKey={String(speed)} onSelectionChange={(key) => onChange(Number(key))}>
      <Button>
        <SelectValue>{() => `${speed}×`}</SelectValue>
      </Button>
      <Popover>
        <ListBox>
          {SPEEDS.map((each) => (
            <ListBoxItem key={each} id={String(each)} textValue={`${each} times`}>
              {each}×
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** What went on in the room, newest first. */
function useLines(): readonly ActivityLine[] {
  const room = useRoom();
  const api = useApi();
  const [lines, setLines] = useState<readonly ActivityLine[]>([]);
  useEffect(() => {
    let isHere = true;
    const load = async () => {
      let found: ActivityLine[] = [];
      let before: number | undefined;
      while (found.length < LINES) {
        const query = before === undefined ? { limit: PAGE } : { limit: PAGE, before };
        const params = { path: { room: room.room }, query };
        const page = await api.data(api.raw.GET("/api/rooms/{room}/activity", { params }));
        found = [...found, ...(page.lines as readonly ActivityLine[])];
        if (page.next === null) break;
        before = page.next;
      }
      if (isHere) setLines(found);
    };
    load().catch(() => {}); // the strip is bare then
    return () => {
      isHere = false;
    };
  }, [room, api]);
  return lines;
}

/** A row for each person, with a bar where they did something. */
function Doings({ lines, line }: { readonly lines: readonly ActivityLine[]; readonly line: TimeLine }) {
  const room = useRoom();
  const rows = useMemo(() => {
    const users = [...new Set(lines.map(({ user }) => user))].filter((user) => !user.startsWith("@"));
    const rowOf = new Map(users.map((user, index) => [user, Math.min(index, ROWS - 1)]));
    return lines.flatMap((done) => {
      const row = rowOf.get(done.user);
      return row === undefined ? [] : [{ ...done, row }];
    });
  }, [lines]);
  const height = Math.max(1, ...rows.map(({ row }) => row + 1));
  return (
    <svg
      className="strip-doings"
      viewBox={`0 0 100 ${height * 5}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {line.folds.map((place) => (
        <rect
          key={place}
          className="strip-fold"
          x={(100 * place) / line.length - 0.2}
          y={0}
          width={0.4}
          height={height * 5}
        />
      ))}
      {rows.map(({ id, row, at, until: end, user }) => (
        <rect
          key={id}
          x={line.shareOf(at)}
          y={row * 5 + 0.75}
          width={Math.max(LEAST_WIDTH, line.shareOf(end) - line.shareOf(at))}
          height={3.5}
          rx={0.3}
          fill={room.presence.looksOf(user).colour}
        />
      ))}
    </svg>
  );
}

/** What one may want to go to: saves and names, runs, what was restored or taken back, who came. */
function Marks({
  marks,
  line,
  onChoose,
}: {
  readonly marks: readonly Mark[];
  readonly line: TimeLine;
  onChoose(at: number): void;
}) {
  const room = useRoom();
  const named = marks.filter(({ kind }) => kind !== "joined");
  return (
    <ul className="strip-marks" aria-label="Marks">
      {named.map((mark) => (
        <li key={mark.position} style={{ insetInlineStart: `${line.shareOf(mark.at)}%` }}>
          <ToolButton
            label={`${timeWithSeconds(mark.at)} ${room.presence.looksOf(mark.user).name}: ${mark.text}`}
            className={`strip-mark ${mark.kind}`}
            onPress={() => onChoose(mark.at)}
          >
            <span aria-hidden="true" />
          </ToolButton>
        </li>
      ))}
    </ul>
  );
}
