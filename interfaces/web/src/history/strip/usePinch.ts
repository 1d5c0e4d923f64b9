/** Zooms by wheel and by two fingers. React's own listeners for these cannot keep the page from scrolling. */

import { type RefObject, useEffect, useRef } from "react";
import type { Zoom } from "./useZoom.ts";

/** A notch of a mouse's wheel is about 100. */
const WHEEL = 300;

export function usePinch(
  element: RefObject<HTMLElement | null>,
  zoom: Zoom,
  placeAt: (pixels: number) => number,
): void {
  const latest = useRef({ zoom, placeAt });
  latest.current = { zoom, placeAt };
  useEffect(() => {
    const host = element.current!;
    const left = () => host.getBoundingClientRect().left;
    let apart: number | null = null;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { zoom: now, placeAt: place } = latest.current;
      const isAlong = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (isAlong) now.move((event.deltaX || event.deltaY) / Math.max(1, host.clientWidth));
      else now.by(2 ** (-event.deltaY / WHEEL), place(event.clientX - left()));
    };
    const onTouch = (event: TouchEvent) => {
      if (event.touches.length !== 2) {
        apart = null;
        return;
      }
      event.preventDefault();
      const [one, other] = [event.touches[0]!, event.touches[1]!];
      const distance = Math.max(1, Math.abs(one.clientX - other.clientX));
      const { zoom: now, placeAt: place } = latest.current;
      if (apart !== null) now.by(distance / apart, place((one.clientX + other.clientX) / 2 - left()));
      apart = distance;
    };
    host.addEventListener("wheel", onWheel, { passive: false });
    host.addEventListener("touchmove", onTouch, { passive: false });
    host.addEventListener("touchend", onTouch);
    return () => {
      host.removeEventListener("wheel", onWheel);
      host.removeEventListener("touchmove", onTouch);
      host.removeEventListener("touchend", onTouch);
    };
  }, [element]);
}
