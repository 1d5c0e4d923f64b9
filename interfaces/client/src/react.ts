/** Hooks for React, the web's and the native one. */

import { useSyncExternalStore } from "react";
import type { Store } from "./types.ts";

const subscribeToNothing = () => () => {};
const getNothing = () => null;

/** The present snapshot of a store; the component renders again when it changes. Null for no store. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T>(store: Store<T> | null): T | null;
export function useStore<T>(store: Store<T> | null): T | null {
  const subscribe = store === null ? subscribeToNothing : store.subscribe;
  const getSnapshot = store === null ? getNothing : store.getSnapshot;
  return useSyncExternalStore<T | null>(subscribe, getSnapshot, getSnapshot);
}
