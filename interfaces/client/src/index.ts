export { type Api, type ApiOptions, type LinesOptions, openApi, type Query } from "./api.ts";
export {
  findGuest,
  fixedToken,
  type GuestAccount,
  type GuestOptions,
  guest,
  tokenFrom,
} from "./credentials.ts";
export * from "./errors.ts";
export { newId } from "./ids.ts";
export { inProcessLocks, webLocks } from "./locks.ts";
export { initialsOf } from "./presence.ts";
export { joinRoom } from "./room.ts";
export { type AsyncStorageLike, asyncStorage } from "./storage/async-storage.ts";
export { memoryStorage } from "./storage/memory.ts";
export type * from "./types.ts";
export { within } from "./within.ts";
