/** Hooks for React, the web's and the native one. */

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { ChatSnapshot, DocumentHandle, PresenceSnapshot, Room, Store } from "./types.ts";

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

export interface UsedDocument {
  readonly handle: DocumentHandle;
  readonly text: string;
  /** Whether everything that was typed here is in the server's log. */
  readonly isSaved: boolean;
}

/** A document with its text: for fields that show all of it. An editor listens to `handle.onText` instead. */
export function useDocument(room: Room, document: string): UsedDocument {
  const handle = useMemo(() => room.open(document), [room, document]);
  const { sent, local } = useStore(handle);
  const [text, setText] = useState(handle.text);
  useEffect(() => {
    setText(handle.text);
    return handle.onText(() => setText(handle.text));
  }, [handle]);
  return { handle, text, isSaved: sent + local === 0 };
}

export function usePresence(room: Room): PresenceSnapshot {
  return useStore(room.presence);
}

export function useChat(room: Room): ChatSnapshot {
  return useStore(room.chat);
}
