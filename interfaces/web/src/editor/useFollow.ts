/**
 * Going along with somebody: to the document in which they are, and to their cursor in it, until one writes or
 * scrolls oneself.
 */

import type { DocumentHandle, Looks, PresenceSnapshot } from "@chronoscribe/client";
import { EditorView } from "@codemirror/view";
import { useEffect } from "react";
import { documentOf } from "../people/whereabouts.ts";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { useWorkspace } from "../workspace/store.ts";

/** Keeps lines around the cursor in sight. */
const MARGIN_PX = 90;

/** Who is followed, when that is somebody here. */
export function useFollow(view: EditorView | null, handle: DocumentHandle): Looks | null {
  const { presence } = useRoom();
  const following = useWorkspace((workspace) => workspace.following);
  const find = (snapshot: PresenceSnapshot) =>
    snapshot.people.find(({ user, isMe }) => user === following && !isMe);
  const looks = useSelected(presence, (snapshot) =>
    find(snapshot) === undefined || following === null ? null : (snapshot.looks.get(following) ?? null),
  );
  const document = useSelected(presence, (snapshot) => {
    const followed = find(snapshot);
    return followed === undefined ? null : documentOf(followed);
  });

  useEffect(() => {
    if (document !== null && document !== handle.document) useWorkspace.getState().openDocument(document);
  }, [document, handle]);

  useEffect(() => {
    if (view === null || following === null || document !== handle.document) return;
    return goAlong(view, handle, following);
  }, [view, handle, following, document]);

  useEffect(() => {
    if (view === null || following === null) return;
    const stop = () => useWorkspace.getState().follow(null);
    for (const end of OWN_WAYS) view.dom.addEventListener(end, stop, { passive: true });
    return () => {
      for (const end of OWN_WAYS) view.dom.removeEventListener(end, stop);
    };
  }, [view, following]);

  return looks;
}

/** What shows that somebody goes their own way. */
const OWN_WAYS = ["wheel", "touchmove", "beforeinput", "paste", "mousedown"] as const;

function goAlong(view: EditorView, handle: DocumentHandle, user: string): () => void {
  let frame: number | null = null;
  const later = () => {
    // The text that the cursor stands in comes with the next frame.
    frame ??= requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        frame = null;
        scrollToCursorOf(view, handle, user);
      });
    });
  };
  later();
  const end = handle.cursors.subscribe(later);
  return () => {
    end();
    if (frame !== null) cancelAnimationFrame(frame);
  };
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
