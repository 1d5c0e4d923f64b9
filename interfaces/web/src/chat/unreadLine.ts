/**
 * Where the line "New" stands. It comes when something is said that one does not see at once, stays while one
 * reads, and goes when one looks away from a chat that is read, or says something oneself.
 */

export interface UnreadLine {
  /** The message above which the line stands. */
  readonly above: string | null;
  readonly isAttending: boolean;
}

export const NO_LINE: UnreadLine = { above: null, isAttending: false };

/** `isAttending`: the newest message is in view, in a window that is in front. */
export function nextLine(
  line: UnreadLine,
  now: { readonly isAttending: boolean; readonly firstUnread: string | null },
): UnreadLine {
  const { isAttending, firstUnread } = now;
  let { above } = line;
  if (isAttending) {
    // Whoever comes back to what is new sees where it begins; who has been here all the time does not.
    if (!line.isAttending && above === null) above = firstUnread;
  } else if (line.isAttending) {
    above = firstUnread;
  } else {
    above ??= firstUnread;
  }
  return above === line.above && isAttending === line.isAttending ? line : { above, isAttending };
}

export function withoutLine(line: UnreadLine): UnreadLine {
  return line.above === null ? line : { ...line, above: null };
}
