/** How much of what a message can hold is used. */

/** In UTF-8 (docs/protocol.md, Chat). */
export const MESSAGE_BYTES = 8 * 1024;

/** Near the limit it is told, so that nobody writes a page that cannot be sent. */
const TOLD_FROM = 0.8;

const ENCODER = new TextEncoder();

/** Bytes left, when it is time to say so; below 0 it cannot be sent. */
export function bytesLeft(text: string): number | null {
  // No character has more than three bytes for each of its units: short texts need no counting.
  if (text.length * 3 < MESSAGE_BYTES * TOLD_FROM) return null;
  const used = ENCODER.encode(text).length;
  return used < MESSAGE_BYTES * TOLD_FROM ? null : MESSAGE_BYTES - used;
}
