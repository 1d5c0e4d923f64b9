import { guest, joinRoom, webLocks } from "@chronoscribe/client";
import { indexedDbStorage } from "@chronoscribe/client/indexeddb";

const url = "https://edit.example.org";
const storage = indexedDbStorage();

const room = joinRoom({
  url,
  room: "demo",
  credentials: guest({ url, name: "Ada", storage }), // or tokenFrom(() => …) with accounts of your own
  storage, // what was not sent survives a reload or a crash
  locks: webLocks(), // and each tab is a client of its own
});

room.connection.subscribe(() => {
  const { status, why } = room.connection.getSnapshot();
  console.log(status, why); // "connecting", "online", "offline", "stopped"
});

const notes = room.open("notes.md", { create: true });
notes.onText(({ changes, isOwn }) => {
  if (!isOwn) console.log("somebody else has changed the text", changes);
});
notes.subscribe(() => {
  const { status, sent, local } = notes.getSnapshot();
  if (status === "open" && sent + local === 0) console.log("everything is safe");
});

export function type(text: string): void {
  notes.edit([{ from: notes.text.length, to: notes.text.length, insert: text }]);
}

window.addEventListener("offline", () => room.rest());
window.addEventListener("online", () => room.wake());
