import { guest, joinRoom, memoryStorage, type WebSocketClass } from "@chronoscribe/client";
import { WebSocket } from "ws";

const url = process.env.CHRONOSCRIBE_URL ?? "http://127.0.0.1:8484";

const room = joinRoom({
  url,
  room: "demo",
  credentials: guest({ url, name: "Robot", storage: memoryStorage() }),
  WebSocket: WebSocket as unknown as WebSocketClass,
});

const log = room.open("log.md", { create: true });
await new Promise<void>((resolve) => {
  log.subscribe(() => {
    if (log.getSnapshot().status === "open") resolve();
  });
});

log.edit([{ from: 0, to: 0, insert: `${new Date().toISOString()} hello from Node\n` }]);
await log.saved(); // in the server's log, on disk, seen by everybody
await room.chat.post("I have written to log.md");
await room.leave();
