/**
 * The room's stores for programs that keep their state in zustand: `chat`, `collaboration` and `presence`, each with
 * what there is and what one can do. They only mirror the room; nothing is decided here.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type {
  Chat,
  ChatSnapshot,
  ConnectionSnapshot,
  DocumentHandle,
  PersonStatus,
  PresenceSnapshot,
  Room,
  RoomSnapshot,
  Store,
} from "./types.ts";

export interface ChatState extends ChatSnapshot, Omit<Chat, keyof Store<ChatSnapshot>> {}

export interface CollaborationState {
  readonly connection: ConnectionSnapshot;
  readonly room: RoomSnapshot;
  open(document: string, options?: { create?: boolean }): DocumentHandle;
}

export interface PresenceState extends PresenceSnapshot {
  declare(status: PersonStatus | null): void;
}

export interface Stores {
  readonly chat: StoreApi<ChatState>;
  readonly collaboration: StoreApi<CollaborationState>;
  readonly presence: StoreApi<PresenceState>;
  /** The stores follow the room no longer. */
  destroy(): void;
}

export function createStores(room: Room): Stores {
  const { chat: talk } = room;
  const chat = createStore<ChatState>()(() => ({
    ...talk.getSnapshot(),
    post: talk.post.bind(talk),
    retry: talk.retry.bind(talk),
    drop: talk.drop.bind(talk),
    edit: talk.edit.bind(talk),
    delete: talk.delete.bind(talk),
    react: talk.react.bind(talk),
    pin: talk.pin.bind(talk),
    setTyping: talk.setTyping.bind(talk),
    read: talk.read.bind(talk),
    readersOf: talk.readersOf.bind(talk),
    loadOlder: talk.loadOlder.bind(talk),
    loadAround: talk.loadAround.bind(talk),
  }));
  const collaboration = createStore<CollaborationState>()(() => ({
    connection: room.connection.getSnapshot(),
    room: room.state.getSnapshot(),
    open: room.open.bind(room),
  }));
  const presence = createStore<PresenceState>()(() => ({
    ...room.presence.getSnapshot(),
    declare: room.presence.declare.bind(room.presence),
  }));
  const ends = [
    talk.subscribe(() => chat.setState(talk.getSnapshot())),
    room.connection.subscribe(() => collaboration.setState({ connection: room.connection.getSnapshot() })),
    room.state.subscribe(() => collaboration.setState({ room: room.state.getSnapshot() })),
    room.presence.subscribe(() => presence.setState(room.presence.getSnapshot())),
  ];
  return {
    chat,
    collaboration,
    presence,
    destroy: () => {
      for (const end of ends) end();
    },
  };
}
