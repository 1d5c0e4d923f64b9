/** When to come back after a socket is gone, how long to wait, and when not to. See docs/protocol.md. */

/** `later`: not before `LATER_MS`; `stay`: the session's owner sees to it. */
export type Verdict = "reconnect" | "later" | "stay" | "stop";

/** After "too many frames" (4405): the server's bucket needs this long to have room again. */
export const LATER_MS = 1_000;

/** Full jitter: after a restart of the server all its clients come back spread over the first wait... */
const FIRST_MS = 1_000;
/** ...and those that fail again over this, doubling... */
const BASE_MS = 200;
/** ...up to this. */
const MOST_MS = 30_000;

/** Coming back could only be refused again, or (4406) would throw out the one that took our place. */
const STOP = new Set([1003, 1007, 1009, 4406]);

/** The token that was shown is not good (any more). */
export const NOT_KNOWN = 4501;

const REASONS: Readonly<Record<number, string>> = {
  1003: "the server takes no binary frames",
  1007: "a frame was no good UTF-8",
  1009: "a frame was too large",
  4400: "the server is going away; another or a newer one takes over",
  4401: "the sign-in has ended; it is renewed",
  4402: "this device did not read fast enough",
  4403: "this device did not answer in time",
  4405: "too many frames were sent",
  4406: "this room is open in another window under the same client",
  4407: "the server cannot store anything at the moment",
  4500: "the server did not take the hello",
  4501: "the server does not know us by this sign-in",
  4503: "there is no such room for you, or no longer",
  4504: "you have as many connections as one person may have",
  4505: "the server speaks another version of the protocol: load the page again",
  4506: "the server counted too many errors",
  4507: "the server is behind this client; copy the text",
};

/** What to do after a close with this code; null or 1006: the connection just ended. */
export function verdictOf(code: number | null): Verdict {
  if (code === null || code === 4502) return "reconnect";
  if (code === 4405) return "later";
  return STOP.has(code) || (code >= 4500 && code < 4600) ? "stop" : "reconnect";
}

/** The same for a person to read. */
export function reasonOf(code: number | null): string {
  return REASONS[code ?? 0] ?? "the connection was lost";
}

/** How long to wait before attempt number `attempt` (from 0) since we were last welcomed; `random` is 0 to 1. */
export function backoff(attempt: number, random: number): number {
  return random * (attempt === 0 ? FIRST_MS : Math.min(MOST_MS, BASE_MS * 2 ** Math.min(attempt - 1, 32)));
}
