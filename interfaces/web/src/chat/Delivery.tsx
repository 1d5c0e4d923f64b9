/** How far a message of one's own has come: on its way, in the log, with others, read. */

import type { PendingMessage } from "@chronoscribe/client";
import { Check, CheckCheck, Clock, RotateCw, Trash2, TriangleAlert } from "lucide-react";
import { Button } from "react-aria-components";
import { useRoom } from "../workspace/room.tsx";
import type { Delivery } from "./receipts.ts";

const WORDS: Readonly<Record<Delivery, string>> = {
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
};

export function DeliveryMark({ delivery }: { readonly delivery: Delivery }) {
  const Icon = delivery === "sent" ? Check : CheckCheck;
  return (
    <span
      className={`delivery is-${delivery}`}
      role="img"
      aria-label={WORDS[delivery]}
      title={WORDS[delivery]}
    >
      <Icon aria-hidden="true" />
    </span>
  );
}

export function PendingMark({ pending }: { readonly pending: PendingMessage }) {
  const { chat } = useRoom();
  const { message, state, why } = pending;
  if (state !== "refused") {
    const words = state === "sent" ? "Sending…" : "Waits to be sent";
    return (
      <span className="delivery is-pending" title={words}>
        <Clock aria-hidden="true" /> {words}
      </span>
    );
  }
  return (
    <div className="refused" role="alert">
      <TriangleAlert aria-hidden="true" />
      <span>Not sent: {why}</span>
      <Button onPress={() => chat.retry(message)}>
        <RotateCw aria-hidden="true" /> Try again
      </Button>
      <Button onPress={() => chat.drop(message)}>
        <Trash2 aria-hidden="true" /> Drop
      </Button>
    </div>
  );
}
