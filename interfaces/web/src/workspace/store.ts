/**
 * What the page shows of the room: which documents are open in tabs, which panel stands beside them, whom one
 * follows, where the editor is to jump. Nothing of it is shared with others, and nothing of the room is in it.
 */

import type { TextLink } from "@chronoscribe/client";
import { create } from "zustand";

export type Panel = "documents" | "people" | "chat" | "activity" | "statistics" | "history";

/** A place to show: a range of a document's present text, in UTF-16 units. */
export interface Jump {
  readonly document: string;
  readonly from: number;
  readonly to: number;
  /** Makes two jumps to one place two jumps. */
  readonly number: number;
}

/** What the history panel is to show first. */
export type HistoryRequest =
  | {
      readonly kind: "character";
      readonly document: string;
      readonly position: number;
      readonly revision: number;
    }
  | { readonly kind: "message"; readonly message: string; readonly at: number }
  | { readonly kind: "moment"; readonly at: number }
  | { readonly kind: "revision"; readonly document: string; readonly revision: number };

/** A passage that the next message is to point at, with what stands there. */
export type LinkDraft = TextLink & { readonly text: string };

interface WorkspaceState {
  readonly tabs: readonly string[];
  readonly active: string | null;
  /** Null: the document alone. */
  readonly panel: Panel | null;
  readonly following: string | null;
  readonly jump: Jump | null;
  readonly historyRequest: HistoryRequest | null;
  readonly linkDraft: LinkDraft | null;
  /** The name of somebody whom the next message is to speak to. */
  readonly mentionDraft: string | null;
  /** A message that the chat is to show in its place. */
  readonly messageRequest: string | null;
  readonly isSearchAsked: boolean;
  openDocument(document: string): void;
  closeTab(document: string): void;
  showPanel(panel: Panel | null): void;
  follow(user: string | null): void;
  jumpTo(document: string, from: number, to: number): void;
  /** Open the history panel at something; `position` of a character is in code points at `revision`. */
  showHistory(request: HistoryRequest): void;
  historyShown(): void;
  /** Open the chat with a passage to write about; null when the message is sent, or the passage dropped. */
  draftLink(link: LinkDraft | null): void;
  /** Open the chat with somebody's name; null when the chat has taken it. */
  mention(name: string | null): void;
  /** Open the chat at a message; null when it is shown. */
  showMessage(message: string | null): void;
  /** Open the chat with its search in front; false when it is there. */
  searchMessages(isAsked: boolean): void;
  /** Another room: nothing is open. */
  reset(): void;
}

const EMPTY = {
  tabs: [],
  active: null,
  panel: null,
  following: null,
  jump: null,
  historyRequest: null,
  linkDraft: null,
  mentionDraft: null,
  messageRequest: null,
  isSearchAsked: false,
} as const;

export const useWorkspace = create<WorkspaceState>()((set) => ({
  ...EMPTY,
  openDocument: (document) =>
    set(({ tabs }) => ({
      tabs: tabs.includes(document) ? tabs : [...tabs, document],
      active: document,
    })),
  closeTab: (document) =>
    set(({ tabs, active }) => {
      const left = tabs.filter((tab) => tab !== document);
      const neighbour = left[Math.min(tabs.indexOf(document), left.length - 1)] ?? null;
      return { tabs: left, active: active === document ? neighbour : active };
    }),
  showPanel: (panel) => set({ panel }),
  follow: (following) => set({ following }),
  jumpTo: (document, from, to) =>
    set(({ tabs, jump }) => ({
      tabs: tabs.includes(document) ? tabs : [...tabs, document],
      active: document,
      jump: { document, from, to, number: (jump?.number ?? 0) + 1 },
    })),
  showHistory: (historyRequest) => set({ historyRequest, panel: "history" }),
  historyShown: () => set({ historyRequest: null }),
  draftLink: (linkDraft) => set(linkDraft === null ? { linkDraft } : { linkDraft, panel: "chat" }),
  mention: (mentionDraft) => set(mentionDraft === null ? { mentionDraft } : { mentionDraft, panel: "chat" }),
  showMessage: (messageRequest) =>
    set(messageRequest === null ? { messageRequest } : { messageRequest, panel: "chat" }),
  searchMessages: (isSearchAsked) =>
    set(isSearchAsked ? { isSearchAsked, panel: "chat" } : { isSearchAsked }),
  reset: () => set(EMPTY),
}));
