/** Keys that steer the replay wherever one is on the page, unless they mean something where one is. */

import { useLayoutEffect } from "react";
import { useHistory } from "../store.ts";
import type { Sign } from "./signs.ts";
import { SPEEDS, type Steering } from "./useSteering.ts";
import type { Zoom } from "./useZoom.ts";

/** As for the slider of a film. */
const LEAP = 10;

export function usePastKeys(steering: Steering, zoom: Zoom, signs: readonly Sign[]): void {
  // As soon as the strip is seen: an effect would come a moment later.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || isTakenBy(event.target, event.key))
        return;
      const act = actOf(event, steering, zoom, signs);
      if (act === null) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [steering, zoom, signs]);
}

function actOf(
  event: KeyboardEvent,
  steering: Steering,
  zoom: Zoom,
  signs: readonly Sign[],
): (() => void) | null {
  const { key, shiftKey, altKey } = event;
  const by = shiftKey ? LEAP : 1;
  const replay = useHistory.getState().replay;
  if (replay === null) return null;
  const { at, speed } = replay.getSnapshot();
  if (altKey) {
    if (key === "ArrowLeft") return () => seekTo(signs.findLast((sign) => sign.at < at - 1));
    return key === "ArrowRight" ? () => seekTo(signs.find((sign) => sign.at > at)) : null;
  }
  switch (key) {
    case "ArrowLeft":
      return () => steering.step(-by);
    case "ArrowRight":
      return () => steering.step(by);
    case "Home":
      return steering.toBeginning;
    case "End":
      return steering.toEnd;
    case " ":
      return steering.toggle;
    case "+":
    case "=":
      return () => zoom.by(2);
    case "-":
      return () => zoom.by(0.5);
    case "<":
      return () => steering.setSpeed(SPEEDS.findLast((each) => each < speed) ?? SPEEDS[0]);
    case ">":
      return () => steering.setSpeed(SPEEDS.find((each) => each > speed) ?? SPEEDS.at(-1)!);
    case "Escape":
      return () => useHistory.getState().leave();
    default:
      return null;
  }

  function seekTo(sign: Sign | undefined): void {
    if (sign !== undefined) steering.seek(sign.at);
  }
}

/** Whether a key means something else there: letters in a field, arrows in a list, space on a button. */
function isTakenBy(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches(".strip-slider")) return false;
  if (target.isContentEditable || target.matches("input, textarea, select")) return true;
  if (target.closest('[role="dialog"], [role="menu"], [role="listbox"]') !== null) return true;
  if (target.closest('[role="tablist"], [role="radiogroup"], [role="separator"]') !== null)
    return key.startsWith("Arrow") || key === "Home" || key === "End" || key === " ";
  return key === " " && target.closest('button, a, summary, [role="button"]') !== null;
}
