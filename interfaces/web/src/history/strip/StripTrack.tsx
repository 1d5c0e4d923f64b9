/**
 * The strip itself: one takes the playhead by pointer, finger or keyboard. It is drawn in pixels; a range input
 * lies under it for keyboards and screen readers.
 */

import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { dayAndTime, stretch, timeOfDay, timeWithSeconds } from "../../ui/time.ts";
import { useHistory } from "../store.ts";
import { useLooks } from "../useLooks.ts";
import type { Doings } from "./doings.ts";
import { type Lane, lanesOf, ruler } from "./lanes.ts";
import { heightOf, StripDrawing } from "./StripDrawing.tsx";
import type { Sign } from "./signs.ts";
import type { TimeScale } from "./timeScale.ts";
import { usePinch } from "./usePinch.ts";
import { useWidth } from "./useWidth.ts";
import type { Zoom } from "./useZoom.ts";

/** So near to a sign one means the sign. */
const SNAP_PX = 7;
/** A label below the strip takes about this. */
const LABEL_PX = 96;
/** Closer together than this (microseconds of the whole strip), moments need their seconds. */
const SECONDS_BELOW = 3_600_000_000;

interface StripTrackProps {
  readonly scale: TimeScale;
  readonly zoom: Zoom;
  readonly doings: Doings;
  readonly signs: readonly Sign[];
  readonly shown: number;
  readonly isPlaying: boolean;
  /** Null: it was let go. */
  onDrag(at: number | null): void;
  onSeek(at: number): void;
}

export function StripTrack(props: StripTrackProps) {
  const { scale, zoom, doings, signs, shown, isPlaying, onDrag, onSeek } = props;
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const looksOf = useLooks();
  const momentAt = useHistory((state) => state.momentAt);
  const [pointed, setPointed] = useState<{ x: number; y: number } | null>(null);
  const isDragging = useRef(false);
  const { from, until } = zoom;
  const lanes = useMemo(
    () => lanesOf(doings, scale, { from, until, width }),
    [doings, scale, from, until, width],
  );
  const { x: across, placeAt } = ruler({ from, until, width });
  const x = (at: number) => across(scale.placeOf(at));
  const timeAt = (pixels: number) => scale.timeAt(Math.max(0, Math.min(scale.length, placeAt(pixels))));
  const nearest = (pixels: number) =>
    signs
      .map((sign) => ({ sign, far: Math.abs(x(sign.at) - pixels) }))
      .filter(({ far }) => far <= SNAP_PX)
      .sort((one, other) => one.far - other.far)[0]?.sign;
  const pixelsOf = (event: PointerEvent) => {
    const box = track.current!.getBoundingClientRect();
    return { x: Math.max(0, Math.min(width, event.clientX - box.left)), y: event.clientY - box.top };
  };
  usePinch(track, zoom, placeAt);
  const begin = (event: PointerEvent) => {
    if (event.button !== 0 || !event.isPrimary) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    isDragging.current = true;
    const { x: pixels } = pixelsOf(event);
    onDrag(nearest(pixels)?.at ?? timeAt(pixels));
    track.current?.querySelector("input")?.focus({ preventScroll: true });
  };
  const move = (event: PointerEvent) => {
    const place = pixelsOf(event);
    setPointed(place);
    if (isDragging.current && event.isPrimary) onDrag(timeAt(place.x));
  };
  const end = () => {
    if (!isDragging.current) return;
    isDragging.current = false;
    onDrag(null);
  };
  const height = heightOf(lanes.length);
  const sign = pointed === null ? undefined : nearest(pointed.x);
  return (
    <div className="strip-row">
      <ul className="strip-names" aria-label="Whose rows these are">
        {lanes.map(({ user }) => (
          <li key={user} style={{ color: looksOf(user).colour }}>
            <span>{looksOf(user).name}</span>
          </li>
        ))}
      </ul>
      <div className="strip-time">
        <div
          ref={track}
          className="strip-track"
          style={{ blockSize: height }}
          data-playing={isPlaying || undefined}
          onPointerDown={begin}
          onPointerMove={move}
          onPointerUp={end}
          onPointerCancel={end}
          onPointerLeave={() => setPointed(null)}
        >
          <StripDrawing lanes={lanes} scale={scale} signs={signs} width={width} from={from} until={until} />
          <input
            type="range"
            className="strip-slider"
            aria-label="Moment"
            min={0}
            max={1000}
            value={Math.round((1000 * scale.placeOf(shown)) / scale.length)}
            aria-valuetext={isPlaying ? "playing" : dayAndTime(shown)}
            onChange={(event) => onSeek(scale.timeAt((Number(event.target.value) / 1000) * scale.length))}
          />
          {momentAt !== null ? (
            <span className="strip-moment" aria-hidden="true" style={{ insetInlineStart: x(momentAt) }} />
          ) : null}
          <span className="strip-head" aria-hidden="true" style={{ insetInlineStart: x(shown) }} />
          {pointed !== null ? (
            <Tip
              x={pointed.x}
              width={width}
              at={sign?.at ?? timeAt(pointed.x)}
              words={sign ? `${looksOf(sign.user).name} ${sign.text}` : wordsAt(pointed, lanes, looksOf)}
              pause={pauseAt(scale, placeAt(pointed.x), (until - from) / Math.max(1, width))}
            />
          ) : null}
        </div>
        <Labels width={width} timeAt={timeAt} />
        {zoom.isZoomed ? <Overview scale={scale} zoom={zoom} /> : null}
      </div>
    </div>
  );
}

function wordsAt({ y }: { y: number }, lanes: readonly Lane[], looksOf: ReturnType<typeof useLooks>): string {
  const lane = lanes[laneAt(y, lanes.length)];
  return lane === undefined ? "" : looksOf(lane.user).name;
}

function laneAt(y: number, count: number): number {
  const top = heightOf(0);
  return Math.floor((y - top) / ((heightOf(count) - top) / Math.max(1, count)));
}

/** The pause that is folded at a place, if one is. */
function pauseAt(scale: TimeScale, place: number, perPixel: number): string {
  const fold = scale.folds.find((each) => Math.abs(each.place - place) < SNAP_PX * perPixel);
  return fold === undefined ? "" : `${stretch(fold.until - fold.from)} in which nothing happened`;
}

interface TipProps {
  readonly x: number;
  readonly width: number;
  readonly at: number;
  readonly words: string;
  readonly pause: string;
}

function Tip({ x, width, at, words, pause }: TipProps) {
  const side = x < width / 4 ? "start" : x > (width * 3) / 4 ? "end" : "middle";
  return (
    <span className="strip-tip" data-side={side} style={{ insetInlineStart: x }} aria-hidden="true">
      <strong>{timeWithSeconds(at)}</strong> {pause || words}
    </span>
  );
}

/** Times below the strip; where it is folded they are not evenly apart. */
function Labels({ width, timeAt }: { readonly width: number; timeAt(pixels: number): number }) {
  const count = Math.max(2, Math.floor(width / LABEL_PX));
  const places = Array.from({ length: count }, (_, index) => (index / (count - 1)) * width);
  const times = places.map(timeAt);
  const hasSeconds = times.at(-1)! - times[0]! < SECONDS_BELOW;
  const days = times.map((at) => new Date(at / 1_000).toDateString());
  const words = times.map((at, index) => {
    const time = hasSeconds ? timeWithSeconds(at) : timeOfDay(at);
    const isNewDay = days[0] !== days.at(-1) && days[index] !== days[index - 1];
    return isNewDay
      ? `${new Date(at / 1_000).toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`
      : time;
  });
  return (
    <div className="strip-labels" aria-hidden="true">
      {words.map((word, index) => (
        <span key={`${index} ${word}`}>{word === words[index - 1] ? "" : word}</span>
      ))}
    </div>
  );
}

/** All of the strip, small, with what of it is seen; it can be dragged along. */
function Overview({ scale, zoom }: { readonly scale: TimeScale; readonly zoom: Zoom }) {
  const bar = useRef<HTMLDivElement>(null);
  const drag = useRef<number | null>(null);
  const share = (zoom.until - zoom.from) / scale.length;
  useEffect(() => {
    const host = bar.current!;
    const placed = (event: globalThis.PointerEvent) => event.clientX / host.clientWidth;
    const begin = (event: globalThis.PointerEvent) => {
      host.setPointerCapture(event.pointerId);
      drag.current = placed(event);
    };
    const move = (event: globalThis.PointerEvent) => {
      if (drag.current === null) return;
      const now = placed(event);
      zoom.move((now - drag.current) / share);
      drag.current = now;
    };
    const end = () => {
      drag.current = null;
    };
    host.addEventListener("pointerdown", begin);
    host.addEventListener("pointermove", move);
    host.addEventListener("pointerup", end);
    return () => {
      host.removeEventListener("pointerdown", begin);
      host.removeEventListener("pointermove", move);
      host.removeEventListener("pointerup", end);
    };
  }, [zoom, share]);
  return (
    <div className="strip-overview" ref={bar} aria-hidden="true">
      <span
        style={{ insetInlineStart: `${(100 * zoom.from) / scale.length}%`, inlineSize: `${100 * share}%` }}
      />
    </div>
  );
}
