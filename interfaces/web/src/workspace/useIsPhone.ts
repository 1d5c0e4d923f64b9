/** Whether there is room for one thing at a time only. */

import { useSyncExternalStore } from "react";

const query = window.matchMedia("(max-width: 760px)");

function subscribe(listener: () => void): () => void {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function isPhone(): boolean {
  return query.matches;
}

export function useIsPhone(): boolean {
  return useSyncExternalStore(subscribe, isPhone);
}
