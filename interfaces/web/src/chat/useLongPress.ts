/** A finger that stays: what a mouse does with a menu beside a message. */

import { type PointerEvent as ReactPointerEvent, type SyntheticEvent, useRef } from "react";

/** As long as on phones. */
const LONG_PRESS_MS = 450;
const CLICK_MS = 60;
/** A finger is never quite still. */
const STILL_PIXELS = 10;

/** As long as the finger stays, nothing that opens below it is pressed by it. See over.css. */
function hold(): void {
  const { dataset } = document.documentElement;
  dataset.held = "";
  const letGo = () => {
    // The click that belongs to it comes a moment later.
    window.setTimeout(() => delete dataset.held, CLICK_MS);
    window.removeEventListener("touchend", letGo, true);
    window.removeEventListener("touchcancel", letGo, true);
  };
  window.addEventListener("touchend", letGo, true);
  window.addEventListener("touchcancel", letGo, true);
}

export function useLongPress(onLongPress: () => void) {
  const press = useRef<{ timer: number; x: number; y: number } | null>(null);
  const latest = useRef(onLongPress);
  latest.current = onLongPress; // what is pressed may have changed under the finger
  const end = () => {
    if (press.current !== null) window.clearTimeout(press.current.timer);
    press.current = null;
  };
  return {
    onPointerDown: ({ pointerType, clientX, clientY, target }: ReactPointerEvent) => {
      end();
      if (pointerType !== "touch" || (target as Element).closest("a, button")) return;
      const timer = window.setTimeout(() => {
        hold();
        latest.current();
      }, LONG_PRESS_MS);
      press.current = { timer, x: clientX, y: clientY };
    },
    onPointerMove: ({ clientX, clientY }: ReactPointerEvent) => {
      if (press.current === null) return;
      if (Math.hypot(clientX - press.current.x, clientY - press.current.y) > STILL_PIXELS) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    // The browser's own menu of a long press would come on top.
    onContextMenu: (event: SyntheticEvent) => {
      if ((event.nativeEvent as PointerEvent).pointerType === "touch") event.preventDefault();
    },
  };
}
