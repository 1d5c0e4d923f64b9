import { asyncStorage, joinRoom, tokenFrom } from "@chronoscribe/client";
import { useDocument, useStore } from "@chronoscribe/client/react";
import AsyncStorage from "@react-native-async-storage/async-storage";
import NetInfo from "@react-native-community/netinfo";
import { AppState } from "react-native";

export const room = joinRoom({
  url: "https://edit.example.org",
  room: "demo",
  credentials: tokenFrom(async () => (await fetch("https://example.org/my-token")).text()),
  storage: asyncStorage(AsyncStorage),
});

// Let the radio sleep with the app, and do not wait for the next try when it is back.
AppState.addEventListener("change", (state) => (state === "active" ? room.wake() : room.rest()));
NetInfo.addEventListener(({ isConnected }) => (isConnected ? room.wake() : room.rest()));

/** For a component: the text, and whether it is safe. */
export function useNotes() {
  const { text, handle, isSaved } = useDocument(room, "notes.md");
  const { status } = useStore(room.connection);
  const onChangeText = (next: string) => handle.edit([{ from: 0, to: text.length, insert: next }]);
  return { text, onChangeText, words: isSaved ? "Saved" : status };
}
