/** How far others have read, as it is shown beside messages. */

import type { ChatMessage, Pointers } from "@chronoscribe/client";

/** By message, who has read up to it and no further. One has read what one has written oneself. */
export function readersByMessage(
  messages: readonly ChatMessage[],
  pointers: ReadonlyMap<string, Pointers>,
  me: string,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [user, { read }] of pointers) {
    if (user === me) continue;
    const last = lastUpTo(messages, read);
    const own = messages.findLast(({ author }) => author === user);
    const message = own !== undefined && (last === null || own.position > last.position) ? own : last;
    if (message === null || message.author === user) continue; // it is plain from what they have written
    found.set(message.message, [...(found.get(message.message) ?? []), user]);
  }
  return found;
}

function lastUpTo(messages: readonly ChatMessage[], position: number): ChatMessage | null {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.position ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return messages[low - 1] ?? null;
}

export type Delivery = "sent" | "delivered" | "read";

/** How far a message of one's own has come with others. */
export function deliveryOf(
  message: ChatMessage,
  pointers: ReadonlyMap<string, Pointers>,
  me: string,
): Delivery {
  let delivery: Delivery = "sent";
  for (const [user, { delivered, read }] of pointers) {
    if (user === me) continue;
    if (read >= message.position) return "read";
    if (delivered >= message.position) delivery = "delivered";
  }
  return delivery;
}
