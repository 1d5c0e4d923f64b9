/** Where the people are: in which document, and in which line of it, when it is open here. */

import type { Person, RemoteCursor, Room } from "@chronoscribe/client";

export interface Whereabouts {
  readonly document: string;
  /** In UTF-16 units of the present text, and its line; null when the document is not open here. */
  readonly place: { readonly position: number; readonly line: number } | null;
}

/** The document in which somebody was last seen. */
export function documentOf(person: Person): string | null {
  const liveliest = person.places.find(
    (place) => place.status === person.status && place.documents.length > 0,
  );
  const place = liveliest ?? person.places.find(({ documents }) => documents.length > 0);
  return place?.documents.at(-1) ?? null;
}

/** `open` are documents that are open here: opening one only to look would tell the others that one is in it. */
export function whereaboutsOf(room: Room, person: Person, open: ReadonlySet<string>): Whereabouts | null {
  const document = documentOf(person);
  if (document === null) return null;
  if (!open.has(document)) return { document, place: null };
  const handle = room.open(document);
  const cursor = newest(handle.cursors.getSnapshot(), person.user);
  if (cursor === null) return { document, place: null };
  return { document, place: { position: cursor.head, line: lineAt(handle.text, cursor.head) } };
}

function newest(cursors: readonly RemoteCursor[], user: string): RemoteCursor | null {
  let found: RemoteCursor | null = null;
  for (const cursor of cursors)
    if (cursor.user === user && (found === null || cursor.at >= found.at)) found = cursor;
  return found;
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < position; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
