/**
 * How much of the page is covered by a phone's keyboard, as `--covered`: 0 where browsers make the page smaller
 * instead. Those that do not (Safari) also push the page up; it stands where it was, since all of it is in view.
 */

import { useEffect } from "react";

export function useSeenPage(): void {
  useEffect(() => {
    const { visualViewport } = window;
    if (visualViewport === null) return;
    const { style } = window.document.documentElement;
    const look = () => {
      const covered = visualViewport.scale > 1 ? 0 : Math.round(window.innerHeight - visualViewport.height);
      style.setProperty("--covered", `${Math.max(0, covered)}px`);
      if (covered > 0 && visualViewport.offsetTop > 0) window.scrollTo(0, 0);
    };
    look();
    visualViewport.addEventListener("resize", look);
    visualViewport.addEventListener("scroll", look);
    return () => {
      visualViewport.removeEventListener("resize", look);
      visualViewport.removeEventListener("scroll", look);
      style.removeProperty("--covered");
    };
  }, []);
}
