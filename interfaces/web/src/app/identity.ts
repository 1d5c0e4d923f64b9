/**
 * Who sits in front of this window. A window is somebody: it stays so over reloads, and another window of the same
 * browser may be the same person or another one. Guests are remembered in the browser, so that one can go on as who
 * one was yesterday; a token of a server with accounts is kept by its window alone.
 */

import { type Credentials, guest, newId, type Storage, tokenFrom } from "@chronoscribe/client";
import { indexedDbStorage } from "@chronoscribe/client/indexeddb";

/** People who are offered to be gone on as; the last ones. */
const REMEMBERED = 5;

const PEOPLE = "chronoscribe.people";
const ME = "chronoscribe.me";

export interface Identity {
  /** Names what this person keeps in the browser. */
  readonly key: string;
  readonly name: string;
  /** Of a server with accounts; null for a guest. */
  readonly token: string | null;
}

export function newGuest(name: string): Identity {
  return { key: newId(), name, token: null };
}

export async function withToken(token: string): Promise<Identity> {
  const digest = await digestOf(token);
  return { key: digest, name: "", token };
}

/** Two windows with the same token are the same person, and find what they have kept. */
async function digestOf(token: string): Promise<string> {
  const subject = /^[^.]+\.([^.]+)\./.exec(token)?.[1] ?? token;
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subject));
  return Array.from(new Uint8Array(bytes).slice(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/** Who this window is; null when nobody has said so. */
export function findMe(): Identity | null {
  return parsed<Identity>(window.sessionStorage.getItem(ME));
}

export function becomeMe(identity: Identity): void {
  window.sessionStorage.setItem(ME, JSON.stringify(identity));
  if (identity.token !== null) return;
  const others = remembered().filter(({ key }) => key !== identity.key);
  window.localStorage.setItem(PEOPLE, JSON.stringify([identity, ...others].slice(0, REMEMBERED)));
}

/** The name has changed. */
export function renameMe(name: string): void {
  const me = findMe();
  if (me !== null) becomeMe({ ...me, name });
}

export function forgetMe(): void {
  window.sessionStorage.removeItem(ME);
}

/** The guests of this browser, the last one first. */
export function remembered(): readonly Identity[] {
  return parsed<Identity[]>(window.localStorage.getItem(PEOPLE)) ?? [];
}

function parsed<T>(text: string | null): T | null {
  try {
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

const accounts = indexedDbStorage("chronoscribe-guests");

export function credentialsOf({ key, name, token }: Identity, onEnd: () => void): Credentials {
  if (token === null) return guest({ url: window.location.origin, name, storage: accounts, key });
  return tokenFrom(async (isAgain) => {
    if (isAgain) onEnd();
    return token;
  });
}

/** What this person keeps: unsent text, and texts to read without a network. Nobody else's client finds it. */
export function storageOf({ key }: Identity): Storage {
  return indexedDbStorage(`chronoscribe-${key}`);
}

const FIRST = [
  "Amber",
  "Brisk",
  "Clever",
  "Dapper",
  "Eager",
  "Gentle",
  "Jolly",
  "Keen",
  "Lucky",
  "Merry",
  "Quiet",
  "Swift",
];
const SECOND = [
  "Badger",
  "Crane",
  "Dolphin",
  "Finch",
  "Gecko",
  "Heron",
  "Ibex",
  "Lynx",
  "Otter",
  "Panda",
  "Robin",
  "Wren",
];

/** A name to begin with. */
export function someName(): string {
  const pick = (words: readonly string[]) => words[Math.floor(Math.random() * words.length)];
  return `${pick(FIRST)} ${pick(SECOND)}`;
}
