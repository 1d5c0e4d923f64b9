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
