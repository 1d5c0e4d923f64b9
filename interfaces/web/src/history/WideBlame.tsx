/** Blame in the place of the text. */

import { useWorkspace } from "../workspace/store.ts";
import { Blame } from "./Blame.tsx";
import { useHistory } from "./store.ts";

export function WideBlame() {
  const blame = useHistory((state) => state.blame);
  const active = useWorkspace((state) => state.active);
  const document = blame?.document ?? active;
  return document === null ? null : (
    <Blame key={document} document={document} revision={blame?.revision ?? null} isWide />
  );
}
