/**
 * Where the line "New" stands. It comes when something is said that one does not see at once, stays while one
 * reads, and goes when one looks away from a chat that is read, or says something oneself.
 */

export interface UnreadLine {
  /** The message above which the line stands. */
  readonly above: string | null;
  readonly isInFront: boolean;
}

export const NO_LINE: UnreadLine = { above: null, isInFront: false };

interface Present {
  /** The chat is in view, in a window that is in front. */
  readonly isInFront: boolean;
  /** The newest message is in view as well. */
  readonly isAtEnd: boolean;
  readonly firstUnread: string | null;
}

export function nextLine(line: UnreadLine, { isInFront, isAtEnd, firstUnread }: Present): UnreadLine {
  let { above } = line;
  if (line.isInFront && !isInFront) {
    above = firstUnread;
  } else if (!(line.isInFront && isAtEnd)) {
    // Whoever comes back to what is new sees where it begins; who has seen it come does not need to.
    above ??= firstUnread;
  }
  return above === line.above && isInFront === line.isInFront ? line : { above, isInFront };
}

export function withoutLine(line: UnreadLine): UnreadLine {
  return line.above === null ? line : { ...line, above: null };
}
