/** Ids that are made here: of clients, messages and runs. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Of 64 letters each, this many are 131 bits: nobody makes the same one. */
const LENGTH = 22;

/** How many of the letters may stand first: behind a hyphen, a command line looks for an option. */
const FIRST = 32;

/** A random id. React Native has no `crypto` of its own: what is asked of an id is that it is new, not secret. */
export function newId(): string {
  const bytes = new Uint8Array(LENGTH);
  if (globalThis.crypto?.getRandomValues) globalThis.crypto.getRandomValues(bytes);
  else for (let index = 0; index < LENGTH; index++) bytes[index] = Math.floor(Math.random() * 256);
  return Array.from(bytes, (byte, index) => LETTERS[byte % (index === 0 ? FIRST : LETTERS.length)]).join("");
}
