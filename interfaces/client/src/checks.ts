/** From time to time, when nothing is outstanding: is our text the server's? It always is; should it not be, we hear. */

import type { DocumentLink } from "./document-link.ts";

/** How often a document asks, when it has changed: the server hashes the text for each. */
const CHECK_MS = 60_000;

export class Checks {
  readonly #last = new Map<string, { revision: number; at: number }>();

  /** The document is saved: perhaps it is time. Resolves with whether something was asked. */
  async look(link: DocumentLink, now: number): Promise<boolean> {
    const { document, replica } = link;
    const last = this.#last.get(document);
    // Browsers hash only on pages that came over TLS, React Native not at all.
    const subtle = globalThis.crypto?.subtle;
    if (replica === null || link.phase !== "open" || !subtle) return false;
    if (last !== undefined && (last.revision === replica.revision || now - last.at < CHECK_MS)) return false;
    const { revision, text } = replica;
    this.#last.set(document, { revision, at: now });
    const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
    if (link.phase !== "open") return false;
    const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    link.check(revision, hash);
    return true;
  }
}
