/** Where in the page one is: the part of its address behind `#`, which no server sees. */

import { useSyncExternalStore } from "react";

/** A range of a document's text at a revision, in code points. */
export interface PassageAddress {
  readonly revision: number;
  readonly start: number;
  readonly end: number;
}

export type Route =
  | { readonly kind: "lobby" }
  | {
      readonly kind: "room";
      readonly room: string;
      readonly document: string | null;
      readonly passage: PassageAddress | null;
    }
  | { readonly kind: "join"; readonly room: string; readonly invitation: string; readonly secret: string };

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  const [kind, room, third, fourth] = parts;
  if (kind === "room" && room !== undefined) {
    return {
      kind,
      room,
      document: third ?? null,
      passage: passageOf(new URLSearchParams(query).get("passage")),
    };
  }
  if (kind === "join" && room !== undefined && third !== undefined && fourth !== undefined) {
    return { kind, room, invitation: third, secret: fourth };
  }
  return { kind: "lobby" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function passageOf(text: string | null): PassageAddress | null {
  const numbers = text?.split(",").map(Number) ?? [];
  const [revision, start, end] = numbers;
  const isOne =
    numbers.length === 3 && numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
  return isOne ? { revision: revision!, start: start!, end: end! } : null;
}

export function addressOfRoom(room: string, document?: string | null): string {
  const path = `#/room/${encodeURIComponent(room)}`;
  return document ? `${path}/${encodeURIComponent(document)}` : path;
}

/** The whole address of a moment of the room, in microseconds. */
export function addressOfMoment(room: string, document: string | null, at: number): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname}${addressOfRoom(room, document)}?at=${Math.round(at)}`;
}

/** The moment that an address leads to; null for one to the present. */
export function momentOfAddress(hash: string): number | null {
  const at = Number(new URLSearchParams(hash.split("?", 2)[1] ?? "").get("at") ?? Number.NaN);
  return Number.isSafeInteger(at) && at > 0 ? at : null;
}

export function goTo(hash: string): void {
  window.location.hash = hash;
}

/** Of the page below what lies over it, and the one that it is to have when that is gone. */
let covered = "";
let waiting: string | null = null;

/** The same place under another address: nothing to go back to. */
export function replaceAddress(hash: string): void {
  if (!isCovered()) {
    window.history.replaceState(null, "", hash);
    return;
  }
  if (waiting === null) window.addEventListener("popstate", replaceLater);
  waiting = hash;
}

function replaceLater(): void {
  if (waiting === null || isCovered()) return;
  window.removeEventListener("popstate", replaceLater);
  if (window.location.hash === covered) replaceAddress(waiting);
  waiting = null;
}

/** Something lies over the page that "back" takes away. It keeps the page's address, so that nothing else moves. */
export function coverPage(): void {
  covered = window.location.hash;
  window.history.pushState({ isCover: true }, "", covered);
}

/** A page that was loaded anew has nothing over it. */
export function uncoverPage(): void {
  if (isCovered()) window.history.replaceState(null, "", window.location.hash);
}

export function isCovered(): boolean {
  return (window.history.state as { isCover?: boolean } | null)?.isCover === true;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}
