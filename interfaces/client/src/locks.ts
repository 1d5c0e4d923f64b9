/** Who uses a client id: one program at a time. */

import type { Locks } from "./types.ts";

const held = new Set<string>();

/** For one program alone: Node, React Native. */
export const inProcessLocks: Locks = {
  acquire: async (name) => {
    if (held.has(name)) return null;
    held.add(name);
    return () => held.delete(name);
  },
};

/** For the tabs of a browser: held while a tab lives, and free at once when it is closed or has crashed. */
export function webLocks(): Locks {
  const locks = globalThis.navigator?.locks;
  if (!locks) return inProcessLocks;
  return {
    acquire: (name) =>
      new Promise((resolve, reject) => {
        locks
          .request(name, { ifAvailable: true }, (lock) => {
            if (lock === null) {
              resolve(null);
              return undefined;
            }
            return new Promise<void>((release) => resolve(() => release()));
          })
          .catch(reject);
      }),
  };
}
