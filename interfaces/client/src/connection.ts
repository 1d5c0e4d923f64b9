/**
 * A socket, again and again: buys a ticket for each, opens it, hands frames to the session and back, and comes
 * back with full jitter when it is gone. docs/decisions/0028 says why no library does this.
 */

import { type Bell, callSafely } from "./cell.ts";
import { backoff, LATER_MS, NOT_KNOWN } from "./closes.ts";
import type { Session } from "./session.ts";
import type { ConnectionSnapshot, Credentials, WebSocketClass, WebSocketLike } from "./types.ts";

const SUBPROTOCOL = "chronoscribe.v1";

/** For a ticket, and again for a connection with the answer to the upgrade, over a slow mobile network. */
const CONNECT_MS = 10_000;

/** Answers of 4xx that another try can change. */
const TRY_AGAIN = new Set([408, 425, 429]);

/** A timer of a browser takes no more than this (2^31 ms). */
const TIMER_MOST_MS = 2_000_000_000;

const OPEN = 1;

export interface ConnectionOptions {
  readonly url: string;
  readonly room: string;
  readonly credentials: Credentials;
  readonly WebSocket: WebSocketClass;
  readonly fetch: typeof fetch;
  /** A clock that only goes forward, and the one that people see; both in milliseconds. */
  readonly now: () => number;
  readonly timeOfDay: () => number;
  readonly random: () => number;
}

/** Why no ticket was sold. `retryMs` null: for good. */
class NoTicket extends Error {
  readonly code: string;
  readonly retryMs: number | null;

  constructor(code: string, message: string, retryMs: number | null) {
    super(message);
    this.code = code;
    this.retryMs = retryMs;
  }
}

export class Connection {
  /** Called after whatever has happened, when frames are out. */
  onSettled: (() => void) | null = null;
  readonly #options: ConnectionOptions;
  readonly #session: Session;
  readonly #bell: Bell;
  #socket: WebSocketLike | null = null;
  #generation = 0; // of attempts: what an older one brings is not wanted any more
  #attempt = 0; // since we were last welcomed
  #retryAt: number | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #sessionTimer: ReturnType<typeof setTimeout> | undefined;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #isResting = false;
  #hasRenewed = false; // another token was asked for since we were last welcomed
  #isStarted = false;

  constructor(options: ConnectionOptions, session: Session, bell: Bell) {
    this.#options = options;
    this.#session = session;
    this.#bell = bell;
  }

  snapshot(): ConnectionSnapshot {
    const { status, code, why } = this.#session;
    if (status === "online") return { status: "online", code: null, why: "", retryAt: null };
    if (status === "stopped") return { status: "stopped", code, why, retryAt: null };
    const isWaiting = this.#isResting || this.#retryAt !== null;
    const ahead = this.#options.timeOfDay() - this.#options.now();
    const retryAt = this.#retryAt === null ? null : Math.round(this.#retryAt + ahead);
    return { status: isWaiting ? "offline" : "connecting", code, why, retryAt };
  }

  start(): void {
    this.#isStarted = true;
    if (!this.#isResting) this.#connect();
  }

  /** For good, with a clean close. */
  end(): void {
    this.#session.stop(null, "left");
    this.#drop(1000);
  }

  wake(): void {
    this.#isResting = false;
    if (this.#isStarted && this.#socket === null) {
      this.#attempt = 0;
      this.#connect();
      return;
    }
    // The socket may be one of a network that is gone, which nobody has told us.
    this.#session.probe(this.#options.now());
    this.settle(); // timers may have slept: what is due is done now
  }

  rest(): void {
    this.#isResting = true;
    if (this.#session.status === "stopped") return;
    this.#drop(1000);
    this.#session.onDisconnected(null);
    this.settle();
  }

  /** Send what is waiting, plan what is due, tell who listens. */
  readonly settle = (): void => {
    const session = this.#session;
    clearTimeout(this.#sessionTimer);
    const now = this.#options.now();
    const due = session.nextTime();
    if (due !== null && due <= now) session.onTime(now);
    if (this.#socket?.readyState === OPEN) {
      for (const frame of session.takeFrames()) this.#socket.send(JSON.stringify(frame));
    }
    if (session.isCutWanted) this.#onClosed(this.#generation, null);
    const next = session.nextTime();
    if (next !== null && session.status !== "stopped") {
      const wait = Math.min(TIMER_MOST_MS, Math.max(0, next - this.#options.now()));
      this.#sessionTimer = setTimeout(this.settle, wait);
    }
    this.onSettled?.();
    this.#bell.ring();
  };

  // One attempt.

  readonly #connect = (): void => {
    clearTimeout(this.#retryTimer);
    this.#retryAt = null;
    if (this.#session.status === "stopped" || this.#isResting) return;
    const generation = ++this.#generation;
    this.#giveUpLater(generation);
    this.#ticket().then(
      (ticket) => {
        if (generation === this.#generation) this.#open(generation, ticket);
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#onNoTicket(error);
      },
    );
    this.settle();
  };

  #giveUpLater(generation: number): void {
    clearTimeout(this.#connectTimer);
    this.#connectTimer = setTimeout(() => this.#onClosed(generation, null), CONNECT_MS);
  }

  async #ticket(): Promise<string> {
    const { url, fetch, credentials } = this.#options;
    const token = await credentials.token();
    let response: Response;
    try {
      response = await fetch(`${url}/api/tickets`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}` },
      });
    } catch {
      throw new NoTicket("E_NETWORK", "the server cannot be reached", 0);
    }
    if (response.ok) return ((await response.json()) as { ticket: string }).ticket;
    const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
    if (response.status === 401 && !this.#hasRenewed) {
      this.#hasRenewed = true;
      credentials.onRefused?.();
      return this.#ticket();
    }
    const patience = Number(response.headers.get("Retry-After") ?? 0) * 1_000;
    const isForGood = response.status >= 400 && response.status < 500 && !TRY_AGAIN.has(response.status);
    const why = problem.detail ?? `the server answers ${response.status}`;
    throw new NoTicket(problem.code ?? `HTTP ${response.status}`, why, isForGood ? null : patience);
  }

  #onNoTicket(error: unknown): void {
    const session = this.#session;
    clearTimeout(this.#connectTimer);
    if (error instanceof NoTicket && error.retryMs === null) {
      session.stop(error.code, error.message);
    } else {
      session.code = error instanceof NoTicket ? error.code : "E_CREDENTIALS";
      session.why = error instanceof Error ? error.message : String(error);
      this.#later(error instanceof NoTicket ? (error.retryMs ?? 0) : 0);
    }
    this.settle();
  }

  #open(generation: number, ticket: string): void {
    const { url, room } = this.#options;
    const address = `${url.replace(/^http/, "ws")}/ws/${encodeURIComponent(room)}`;
    let socket: WebSocketLike;
    try {
      socket = new this.#options.WebSocket(address, [SUBPROTOCOL, `ticket.${ticket}`]);
    } catch (error) {
      this.#onNoTicket(new NoTicket("E_SOCKET", String(error), 0)); // the browser's rules forbid it
      return;
    }
    this.#socket = socket;
    this.#giveUpLater(generation);
    socket.onopen = () => {
      if (generation !== this.#generation) return;
      clearTimeout(this.#connectTimer);
      this.#session.onConnected(this.#options.now(), Math.round(this.#options.timeOfDay() * 1_000));
      this.settle();
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (generation === this.#generation) this.#onMessage(generation, String(event.data));
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = (event: { code?: number }) => this.#onClosed(generation, event.code ?? null);
    this.settle();
  }

  #onMessage(generation: number, data: string): void {
    try {
      this.#session.onFrame(JSON.parse(data), this.#options.now());
    } catch (error) {
      // A fault of ours, or a frame that is none. It is seen, and what was half taken in is asked for again.
      callSafely(() => {
        throw error;
      });
      this.#onClosed(generation, null);
      return;
    }
    if (this.#session.isOnline) {
      this.#attempt = 0;
      this.#hasRenewed = false;
    }
    this.settle();
  }

  #onClosed(generation: number, closeCode: number | null): void {
    if (generation !== this.#generation) return;
    // 1005 and 1006 are a browser's words for "no code".
    const code = closeCode === 1005 || closeCode === 1006 ? null : closeCode;
    this.#drop();
    if (code === 4401 || code === NOT_KNOWN) this.#options.credentials.onRefused?.();
    if (code === NOT_KNOWN && !this.#hasRenewed) {
      this.#hasRenewed = true;
      this.#session.onDisconnected(null);
      this.#later(0);
    } else {
      const verdict = this.#session.onDisconnected(code);
      if (verdict === "reconnect" || verdict === "later") this.#later(verdict === "later" ? LATER_MS : 0);
    }
    this.settle();
  }

  #later(atLeastMs: number): void {
    if (this.#isResting) return;
    const wait = Math.max(atLeastMs, backoff(this.#attempt++, this.#options.random()));
    this.#retryAt = this.#options.now() + wait;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(this.#connect, wait);
  }

  /** Have nothing to do with the present attempt any more. */
  #drop(code?: number): void {
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#sessionTimer);
    this.#retryAt = null;
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {}; // `ws` throws an error that nobody takes
    try {
      socket.close(code);
    } catch {
      // it is closed
    }
  }
}
