/** Which dialog is open; one at a time. Texts that were not taken wait for their turn: each is shown. */

import type { UnsentText } from "@chronoscribe/client";
import { create } from "zustand";
import type { Redactable } from "./Redact.tsx";

export type OpenDialog =
  | { readonly kind: "profile" }
  | { readonly kind: "room" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "new-document" }
  | { readonly kind: "save-revision"; readonly document: string }
  | { readonly kind: "redact"; readonly what: Redactable }
  | { readonly kind: "unsent"; readonly unsent: UnsentText };

interface DialogsState {
  readonly dialog: OpenDialog | null;
  readonly waiting: readonly OpenDialog[];
  open(dialog: OpenDialog): void;
  close(): void;
}

export const useDialogs = create<DialogsState>()((set) => ({
  dialog: null,
  waiting: [],
  open: (dialog) =>
    set(({ dialog: shown, waiting }) =>
      shown?.kind === "unsent" && dialog.kind === "unsent" ? { waiting: [...waiting, dialog] } : { dialog },
    ),
  close: () => set(({ waiting: [next = null, ...waiting] }) => ({ dialog: next, waiting })),
}));
