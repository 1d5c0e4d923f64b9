/** Who asks: tokens for the server, and where they come from. */

import { ApiError } from "./errors.ts";
import type { Credentials, Storage } from "./types.ts";

/** A token is renewed when it ends within so long, so that none ends on its way. */
const AHEAD_MS = 60_000;

/** A token of whoever keeps the accounts. When it is refused there is no other. */
export function fixedToken(token: string): Credentials {
  return { token: async () => token };
}

/** Tokens that a program gets from somewhere: asked for again when one was refused. */
export function tokenFrom(find: (isAgain: boolean) => Promise<string>): Credentials {
  let token: Promise<string> | null = null;
  let isAgain = false;
  return {
    token: () => {
      token ??= find(isAgain).catch((error: unknown) => {
        token = null;
        throw error;
      });
      return token;
    },
    onRefused: () => {
      token = null;
      isAgain = true;
    },
  };
}

export interface GuestAccount {
  readonly user: string;
  readonly token: string;
  /** Microseconds since the epoch. */
  readonly expires: number;
}

export interface GuestOptions {
  readonly url: string;
  readonly name: string;
  readonly storage: Storage;
  /** Where in the storage the account is: another key is another person. */
  readonly key?: string;
  readonly fetch?: typeof fetch;
}

/** The account that is kept under a key; null for none, or one that has ended. */
export async function findGuest({
  storage,
  key = "chronoscribe/guest",
}: Pick<GuestOptions, "storage" | "key">) {
  const kept = await storage.get(key);
  const account = kept === null ? null : (JSON.parse(kept) as GuestAccount);
  return account !== null && account.expires / 1_000 > Date.now() + AHEAD_MS ? account : null;
}

/** A guest of a server without accounts, made when it is needed first, and again when it has ended. */
export function guest(options: GuestOptions): Credentials {
  const { url, name, storage, key = "chronoscribe/guest" } = options;
  return tokenFrom(async (isAgain) => {
    const kept = isAgain ? null : await findGuest(options);
    if (kept !== null) return kept.token;
    const account = await becomeGuest(url, name, options.fetch ?? ((...asked) => globalThis.fetch(...asked)));
    await storage.set(key, JSON.stringify(account));
    return account.token;
  });
}

async function becomeGuest(url: string, name: string, send: typeof fetch): Promise<GuestAccount> {
  const asked = {
    method: "POST",
    body: JSON.stringify({ name }),
    headers: { "Content-Type": "application/json" },
  };
  const response = await send(`${url.replace(/\/+$/, "")}/api/guests`, asked);
  const told = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return told as unknown as GuestAccount;
  const why =
    response.status === 404 ? "this server has accounts: it takes no guests" : String(told.detail ?? "no");
  throw new ApiError(response.status, String(told.code ?? `HTTP ${response.status}`), why);
}
