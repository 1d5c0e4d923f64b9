/** What is not needed at once comes when the browser has nothing better to do. */

import { useEffect, useState } from "react";

/** Browsers that cannot say so (Safari), and pages that are never at rest. */
const AT_LATEST_MS = 3_000;

export function useIdle(): boolean {
  const [isIdle, setIsIdle] = useState(false);
  useEffect(() => whenIdle(() => setIsIdle(true)), []);
  return isIdle;
}

/** Returns what calls it off. */
export function whenIdle(run: () => void): () => void {
  if (typeof window.requestIdleCallback !== "function") {
    const timer = window.setTimeout(run, AT_LATEST_MS);
    return () => window.clearTimeout(timer);
  }
  const asked = window.requestIdleCallback(run, { timeout: AT_LATEST_MS });
  return () => window.cancelIdleCallback(asked);
}
