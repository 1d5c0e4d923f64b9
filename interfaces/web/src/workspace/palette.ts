/** Whether the command palette is open. */

import { create } from "zustand";

interface PaletteState {
  readonly isOpen: boolean;
  setIsOpen(isOpen: boolean): void;
  open(): void;
}

export const usePalette = create<PaletteState>()((set) => ({
  isOpen: false,
  setIsOpen: (isOpen) => set({ isOpen }),
  open: () => set({ isOpen: true }),
}));
