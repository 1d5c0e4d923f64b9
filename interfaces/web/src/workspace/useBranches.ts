/** From which document others have started. That never changes, so it is asked once in the life of a page. */

import type { Api } from "@chronoscribe/client";
import { useEffect, useState } from "react";
import { useApi, useRoom } from "./room.tsx";

/** A room of hundreds would ask for as many things as soon as somebody comes in; the marks of the first ones will do. */
const ASKED = 40;

/** A branch that somebody has just made is told as a document first, and a moment later as a branch. */
const SETTLED_MS = 1_500;

const known = new Map<string, string | null>();

/** By the documents that are branches: what they have left. Fills up by and by. */
export function useBranches(documents: readonly string[]): ReadonlyMap<string, string> {
  const { room } = useRoom();
  const api = useApi();
  const [sources, setSources] = useState(() => sourcesOf(room, documents));
  useEffect(() => {
    let isHere = true;
    const ask = async () => {
      for (const document of documents.slice(0, ASKED)) {
        await sourceOf(api, room, document).catch(() => null);
        if (!isHere) return;
      }
      setSources(sourcesOf(room, documents));
    };
    const timer = setTimeout(() => void ask(), SETTLED_MS);
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [api, room, documents]);
  return sources;
}

function sourcesOf(room: string, documents: readonly string[]): ReadonlyMap<string, string> {
  const found = documents.map((document) => [document, known.get(`${room}/${document}`)] as const);
  return new Map(found.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

async function sourceOf(api: Api, room: string, document: string): Promise<string | null> {
  const key = `${room}/${document}`;
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const params = { path: { room, document } };
  const { source } = await api.data(api.raw.GET("/api/rooms/{room}/documents/{document}/branch", { params }));
  known.set(key, source);
  return source;
}
