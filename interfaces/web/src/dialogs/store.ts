/** Which dialog is open; one at a time. */

import type { UnsentText } from "@chronoscribe/client";
import { create } from "zustand";

export type OpenDialog =
  | { readonly kind: "profile" }
  | { readonly kind: "room" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "new-document" }
  | { readonly kind: "save-revision"; readonly document: string }
  | { readonly kind: "unsent"; readonly unsent: UnsentText };

interface DialogsState {
  readonly dialog: OpenDialog | null;
  open(dialog: OpenDialog): void;
  close(): void;
}

export const useDialogs = create<DialogsState>()((set) => ({
  dialog: null,
  open: (dialog) => set({ dialog }),
  close: () => set({ dialog: null }),
}));
