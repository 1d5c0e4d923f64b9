/**
 * Going along with somebody: to the document in which they are, and to their cursor in it, until one writes or
 * scrolls oneself.
 */

import type { DocumentHandle, Person } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { EditorView } from "@codemirror/view";
import { useEffect } from "react";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";

/** Keeps lines around the cursor in sight. */
const MARGIN_PX = 90;

/** The document in which somebody was last seen. */
export function documentOf(person: Person): string | null {
  const liveliest = person.places.find(
    (place) => place.status === person.status && place.documents.length > 0,
  );
  const place = liveliest ?? person.places.find(({ documents }) => documents.length > 0);
  return place?.documents.at(-1) ?? null;
}

/** Who is followed, when that is somebody here. */
export function useFollow(view: EditorView | null, handle: DocumentHandle): Person | null {
  const room = useRoom();
  const { people } = useStore(room.presence);
  const following = useWorkspace((workspace) => workspace.following);
  const followed = people.find(({ user, isMe }) => user === following && !isMe) ?? null;
  const document = followed === null ? null : documentOf(followed);

  useEffect(() => {
    if (document !== null && document !== handle.document) useWorkspace.getState().openDocument(document);
  }, [document, handle]);

  useEffect(() => {
    if (view === null || following === null || document !== handle.document) return;
    const look = () => scrollToCursorOf(view, handle, following);
    // After the frame in which the text came that the cursor stands in.
    const later = () => requestAnimationFrame(() => requestAnimationFrame(look));
    later();
    return handle.cursors.subscribe(later);
  }, [view, handle, following, document]);

  useEffect(() => {
    if (view === null || following === null) return;
    const stop = () => useWorkspace.getState().follow(null);
    const ends = ["wheel", "touchmove", "beforeinput", "paste", "mousedown"] as const;
    for (const end of ends) view.dom.addEventListener(end, stop, { passive: true });
    return () => {
      for (const end of ends) view.dom.removeEventListener(end, stop);
    };
  }, [view, following]);

  return followed;
}

function scrollToCursorOf(view: EditorView, handle: DocumentHandle, user: string): void {
  const cursors = handle.cursors.getSnapshot().filter((cursor) => cursor.user === user);
  const newest = cursors.reduce<(typeof cursors)[number] | null>(
    (latest, cursor) => (latest === null || cursor.at > latest.at ? cursor : latest),
    null,
  );
  if (newest === null || !view.dom.isConnected) return;
  const head = Math.min(newest.head, view.state.doc.length);
  view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "nearest", yMargin: MARGIN_PX }) });
}
