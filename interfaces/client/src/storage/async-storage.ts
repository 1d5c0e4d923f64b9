/** React Native's AsyncStorage, or whatever looks like it, as the client's storage. */

import type { Storage } from "../types.ts";

export interface AsyncStorageLike {
  getItem(key: string): Promise<string | null>;
  setItem(key: string, value: string): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
  getAllKeys(): Promise<readonly string[]>;
}

export function asyncStorage(storage: AsyncStorageLike): Storage {
  return {
    get: (key) => storage.getItem(key),
    set: async (key, value) => {
      await storage.setItem(key, value);
    },
    delete: async (key) => {
      await storage.removeItem(key);
    },
    keys: async (prefix) => (await storage.getAllKeys()).filter((key) => key.startsWith(prefix)),
  };
}
