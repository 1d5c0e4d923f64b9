/** What the parts of a room ask over HTTP. */

import type { Api } from "./api.ts";
import type { MessagesPage, MessagesReader } from "./chat.ts";
import type { FindLooks } from "./presence.ts";
import type { ActivityLine, ChatMessage } from "./types.ts";
import type { FindLines } from "./watched.ts";

export function looksFinder(api: Api): FindLooks {
  return async (users) => {
    const query = { user: [...users] };
    const { profiles } = await api.data(api.raw.GET("/api/profiles", { params: { query } }));
    return new Map(profiles.map(({ user, name, colour, avatar }) => [user, { name, colour, avatar }]));
  };
}

export function messagesReader(api: Api, room: string): MessagesReader {
  const read = async (query: { before?: number; around?: string; limit: number }): Promise<MessagesPage> => {
    const params = { path: { room }, query };
    const { messages, older } = await api.data(api.raw.GET("/api/rooms/{room}/messages", { params }));
    return { messages: messages as readonly ChatMessage[], older: older ?? null };
  };
  return {
    before: (before, limit) => read({ before, limit }),
    around: (around, limit) => read({ around, limit }),
  };
}

export function linesFinder(api: Api, room: string): FindLines {
  return async (before, limit) => {
    const params = { path: { room }, query: before === null ? { limit } : { before, limit } };
    const { lines, position } = await api.data(api.raw.GET("/api/rooms/{room}/activity", { params }));
    return { lines: lines as readonly ActivityLine[], position };
  };
}
