/** A browser's own database, for what must survive a reload or a crash. */

import { createStore, del, get, keys, set } from "idb-keyval";
import type { Storage } from "../types.ts";

export function indexedDbStorage(name = "chronoscribe"): Storage {
  const store = createStore(name, "kept");
  return {
    get: async (key) => (await get<string>(key, store)) ?? null,
    set: (key, value) => set(key, value, store),
    delete: (key) => del(key, store),
    keys: async (prefix) => (await keys<string>(store)).filter((key) => key.startsWith(prefix)),
  };
}
