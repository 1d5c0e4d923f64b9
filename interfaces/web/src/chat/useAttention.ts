/** Whether the person can see this: it is in view, in a tab that is shown, in a window that is in front. */

import { type RefObject, useEffect, useState } from "react";

export function useAttention(place: RefObject<HTMLElement | null>): boolean {
  const [isInView, setInView] = useState(false);
  const [isInFront, setInFront] = useState(inFront);

  useEffect(() => {
    const look = () => setInFront(inFront());
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  useEffect(() => {
    if (place.current === null) return;
    const observer = new IntersectionObserver((entries) =>
      setInView(entries.at(-1)?.isIntersecting ?? false),
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);

  return isInView && isInFront;
}

function inFront(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
