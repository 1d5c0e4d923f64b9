/** What every part of the chat panel needs to know, and what it may ask the panel for. */

import type { ChatMessage, Role } from "@chronoscribe/client";
import { createContext, useContext } from "react";
import type { Action } from "./actions.ts";

/** What lies over the messages, about one of them. `anchor` is what it was asked for with. */
export type Overlay = {
  readonly kind: "menu" | "emoji" | "readers" | "history" | "delete";
  readonly message: ChatMessage;
  readonly anchor: HTMLElement;
};

export interface ChatPanelValue {
  readonly me: string;
  readonly role: Role | null;
  readonly mayPost: boolean;
  /** Do something with a message; what needs more room opens over the messages, at `anchor`. */
  act(action: Action, message: ChatMessage, anchor: HTMLElement): void;
  openMenu(message: ChatMessage, anchor: HTMLElement): void;
  react(message: ChatMessage, emoji: string, reacted: boolean): Promise<void>;
  /** Show a message in its place among the others. */
  jumpTo(message: string): void;
}

export const ChatPanelContext = createContext<ChatPanelValue | null>(null);

export function useChatPanel(): ChatPanelValue {
  const value = useContext(ChatPanelContext);
  if (value === null) throw new Error("there is no chat panel around this component");
  return value;
}
