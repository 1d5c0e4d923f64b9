/**
 * Keeps the messages still while they change: at the end one stays at the end, elsewhere what one reads stays
 * where it is, whatever is put above or below it or grows.
 */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

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
  const lastTop = useRef(0);
  const anchor = useRef<{ row: HTMLElement; top: number } | null>(null);
  const nearStart = useRef(onNearStart);
  nearStart.current = onNearStart;

  /** What is seen now. */
  const look = useCallback(() => {
    const [box, inner] = [scroller.current, content.current];
    if (box === null || inner === null) return;
    const top = box.scrollTop;
    // Only who moves up leaves the end: what grows below has not been followed yet.
    if (box.scrollHeight - top - box.clientHeight < END_PIXELS) isAtEnd.current = true;
    else if (top < lastTop.current - 1) isAtEnd.current = false;
    lastTop.current = top;
    const rows = rowsIn(inner);
    const first = rows[firstWhere(rows, (row) => bottomOf(row) > top)];
    anchor.current = first === undefined ? null : { row: first, top: topOf(first) - top };
    const bottom = top + box.clientHeight;
    const last = rows[firstWhere(rows, (row) => topOf(row) >= bottom) - 1]?.dataset.message ?? null;
    const line = inner.querySelector<HTMLElement>("[data-line]");
    const isLineAbove = line !== null && bottomOf(line) < top;
    const seen = { isAtEnd: isAtEnd.current, last, isLineAbove };
    setView((before) => (isSame(before, seen) ? before : seen));
    if (top < OLDER_PIXELS) nearStart.current();
  }, [scroller, content]);

  /** Goes back to where one was, after what is above or below it has changed. */
  const settle = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    if (isAtEnd.current) box.scrollTop = box.scrollHeight;
    else if (anchor.current?.row.isConnected) box.scrollTop = topOf(anchor.current.row) - anchor.current.top;
    lastTop.current = box.scrollTop;
  }, [scroller]);

  useEffect(() => {
    const [box, inner] = [scroller.current, content.current];
    if (box === null || inner === null) return;
    let frame = 0;
    const lookSoon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        look();
      });
    };
    // Told after the layout and before it is painted, so that nothing is seen to jump.
    const observer = new ResizeObserver(() => {
      settle();
      lookSoon();
    });
    observer.observe(inner);
    observer.observe(box);
    box.addEventListener("scroll", lookSoon, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", lookSoon);
      cancelAnimationFrame(frame);
    };
  }, [scroller, content, look, settle]);

  // Few messages fill less than the panel: then nothing is resized when another one comes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: for each change of the rows
  useLayoutEffect(() => {
    settle();
    look();
  }, [rows, look, settle]);

  return useMemo(
    () => ({
      view,
      toEnd: () => {
        isAtEnd.current = true;
        settle();
        look();
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
        look();
        return true;
      },
    }),
    [view, scroller, content, look, settle],
  );
}

function isSame(one: View, other: View): boolean {
  return one.isAtEnd === other.isAtEnd && one.last === other.last && one.isLineAbove === other.isLineAbove;
}

function rowsIn(content: HTMLElement): readonly HTMLElement[] {
  return [...content.querySelectorAll<HTMLElement>("[data-message]")];
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
