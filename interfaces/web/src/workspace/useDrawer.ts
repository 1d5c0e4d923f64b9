/** A panel over the text of a phone: "back" closes it, and so does a swipe down on its head. */

import { type TouchEvent, useEffect, useRef } from "react";
import { coverPage, isCovered } from "../app/route.ts";
import { useWorkspace } from "./store.ts";

/** Further than a finger that only taps. */
const SWIPE_PX = 64;

export function useBackCloses(isOpen: boolean): void {
  useEffect(() => {
    if (!isOpen) return;
    if (!isCovered()) coverPage();
    const onBack = () => {
      if (!isCovered()) useWorkspace.getState().showPanel(null);
    };
    window.addEventListener("popstate", onBack);
    return () => {
      window.removeEventListener("popstate", onBack);
      if (isCovered()) window.history.back();
    };
  }, [isOpen]);
}

/** For the head of a drawer: it follows the finger, and goes when it was pulled far enough. */
export function useSwipeDown(close: () => void) {
  const from = useRef<number | null>(null);
  const pulled = (event: TouchEvent) => Math.max(0, event.changedTouches[0]!.clientY - (from.current ?? 0));
  const move = (event: TouchEvent, by: string) => {
    const drawer = event.currentTarget.parentElement;
    if (drawer !== null) drawer.style.translate = by;
  };
  return {
    onTouchStart: (event: TouchEvent) => {
      from.current = event.touches.length === 1 ? event.touches[0]!.clientY : null;
    },
    onTouchMove: (event: TouchEvent) => {
      if (from.current !== null) move(event, `0 ${pulled(event)}px`);
    },
    onTouchEnd: (event: TouchEvent) => {
      const isFar = from.current !== null && pulled(event) > SWIPE_PX;
      from.current = null;
      move(event, "");
      if (isFar) close();
    },
    onTouchCancel: (event: TouchEvent) => {
      from.current = null;
      move(event, "");
    },
  };
}
