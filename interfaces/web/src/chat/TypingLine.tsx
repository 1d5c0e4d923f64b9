/** Who writes a message now. It has its place also when nobody does, so that nothing moves. */

import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { useNames } from "./looks.ts";
import { typingSentence } from "./sentences.ts";

export function TypingLine() {
  const { presence } = useRoom();
  const typing = useSelected(presence, (snapshot) => snapshot.typing);
  const names = useNames(typing);
  return (
    <p className="typing-line" aria-live="off" data-testid="chat-typing">
      {names.length > 0 ? (
        <span className="typing-dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      ) : null}
      {typingSentence(names)}
    </p>
  );
}
