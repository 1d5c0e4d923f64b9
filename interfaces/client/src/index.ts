export { type Api, type ApiOptions, openApi } from "./api.ts";
export * from "./errors.ts";
export { joinRoom } from "./room.ts";
export type * from "./types.ts";
