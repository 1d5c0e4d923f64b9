/**
 * Keeps the messages still while they change: at the end one stays at the end, elsewhere what one reads stays
 * where it is, whatever is put above or below it or grows.
 */

import { type RefObject, useEffect, useMemo, useRef, useState } from "react";

/** Nearer to the end than this is at the end. */
const END_PIXELS = 24;
/** Older messages are asked for before one comes to the first. */
const OLDER_PIXELS = 400;

export interface View {
  readonly isAtEnd: boolean;
  /** The last message of which something is seen; null before anything is. */
  readonly last: string | null;
  /** The line above what is new is further up. */
  readonly isLineAbove: boolean;
}

const NOTHING_SEEN: View = { isAtEnd: true, last: null, isLineAbove: false };

interface Scroll {
  readonly view: View;
  toEnd(): void;
  /** Whether that row is further up than what is seen. */
  isAbove(selector: string): boolean;
  /** False when there is no such row. */
  to(selector: string, block: ScrollLogicalPosition): boolean;
}

export function useScroll(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  rows: readonly unknown[],
  onNearStart: () => void,
): Scroll {
  const [view, setView] = useState(NOTHING_SEEN);
  const isAtEnd = useRef(true);
  const anchor = useRef<{ row: HTMLElement; top: number } | null>(null);
  const lookSoon = useRef(() => {});
  const nearStart = useRef(onNearStart);
  nearStart.current = onNearStart;

  useEffect(() => {
    const [box, inner] = [scroller.current, content.current];
    if (box === null || inner === null) return;
    let frame = 0;

    const look = () => {
      frame = 0;
      isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < END_PIXELS;
      const rows = [...inner.querySelectorAll<HTMLElement>("[data-message]")];
      const first = rows[firstWhere(rows, (row) => bottomOf(row) > box.scrollTop)];
      anchor.current = first === undefined ? null : { row: first, top: topOf(first) - box.scrollTop };
      const bottom = box.scrollTop + box.clientHeight;
      const last = rows[firstWhere(rows, (row) => topOf(row) >= bottom) - 1]?.dataset.message ?? null;
      const line = inner.querySelector<HTMLElement>("[data-line]");
      const isLineAbove = line !== null && bottomOf(line) < box.scrollTop;
      setView((before) =>
        before.isAtEnd === isAtEnd.current && before.last === last && before.isLineAbove === isLineAbove
          ? before
          : { isAtEnd: isAtEnd.current, last, isLineAbove },
      );
      if (box.scrollTop < OLDER_PIXELS) nearStart.current();
    };
    const onScroll = () => {
      frame ||= requestAnimationFrame(look);
    };
    // Told after the layout and before it is painted, so that nothing is seen to jump.
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) box.scrollTop = box.scrollHeight;
      else if (anchor.current?.row.isConnected)
        box.scrollTop = topOf(anchor.current.row) - anchor.current.top;
      onScroll();
    });
    observer.observe(inner);
    observer.observe(box);
    lookSoon.current = onScroll;
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
      cancelAnimationFrame(frame);
    };
  }, [scroller, content]);

  // Few messages fill less than the panel: then nothing is resized when another one comes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: for each change of the rows
  useEffect(() => lookSoon.current(), [rows]);

  return useMemo(
    () => ({
      view,
      toEnd: () => {
        isAtEnd.current = true;
        if (scroller.current !== null) scroller.current.scrollTop = scroller.current.scrollHeight;
      },
      isAbove: (selector) => {
        const row = content.current?.querySelector<HTMLElement>(selector) ?? null;
        return row !== null && scroller.current !== null && topOf(row) < scroller.current.scrollTop;
      },
      to: (selector, block) => {
        const row = content.current?.querySelector<HTMLElement>(selector) ?? null;
        if (row === null) return false;
        isAtEnd.current = false;
        row.scrollIntoView({ block });
        const box = scroller.current;
        if (box !== null) anchor.current = { row, top: topOf(row) - box.scrollTop };
        return true;
      },
    }),
    [view, scroller, content],
  );
}

/** Within the content, which is the offset parent of its rows and begins where the scroller's begins. */
function topOf(row: HTMLElement): number {
  return row.offsetTop;
}

function bottomOf(row: HTMLElement): number {
  return row.offsetTop + row.offsetHeight;
}

/** Rows are in order: the place of the first for which it holds, or behind the last. */
function firstWhere(rows: readonly HTMLElement[], holds: (row: HTMLElement) => boolean): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(rows[middle] as HTMLElement)) high = middle;
    else low = middle + 1;
  }
  return low;
}
