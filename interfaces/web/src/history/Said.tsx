/** Messages as they were said around something; a press on one goes to that moment. */

import type { components } from "@chronoscribe/client/http";
import { Button } from "react-aria-components";
import { timeWithSeconds } from "../ui/time.ts";
import { useRoom } from "../workspace/room.tsx";
import { useHistory } from "./store.ts";
import { useLooks } from "./useLooks.ts";

type Message = Pick<
  components["schemas"]["MessageAnswer"],
  "message" | "author" | "posted" | "text" | "deleted"
>;

export function Said({ title, messages }: { readonly title: string; readonly messages: readonly Message[] }) {
  const room = useRoom();
  const looksOf = useLooks();
  const enter = useHistory((state) => state.enter);
  if (messages.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ol className="chat-then">
        {messages.map(({ message, author, posted, text, deleted }) => (
          <li key={message}>
            <span className="chat-then-name" style={{ borderInlineStartColor: looksOf(author).colour }}>
              {looksOf(author).name}{" "}
              <Button
                className="react-aria-Button quiet time-then"
                aria-label={`Go to ${timeWithSeconds(posted)}`}
                onPress={() => void enter(room, posted)}
              >
                {timeWithSeconds(posted)}
              </Button>
            </span>
            <p dir="auto">{deleted === null ? text : "(deleted)"}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
