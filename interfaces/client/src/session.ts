/**
 * A client's side of one room, without I/O: frames and times go in, frames come out, and the room's parts hear
 * of what was said.
 *
 * The owner (room.ts, or a test) calls `onConnected`, `onFrame`, `onDisconnected`, `onTime` with what happened
 * and when, in milliseconds, and after each of them takes `takeFrames()`, looks whether `isCutWanted`, and sees to
 * it that `onTime` is called at `nextTime()`. Nothing in here reads a clock or draws a random number.
 *
 * What the user did is kept until the server has it in its log, over any number of sockets. What it is told comes
 * back by two roads: the room's events by position, a document's edits by revision.
 */

import { reasonOf, type Verdict, verdictOf } from "./closes.ts";
import { Commands } from "./commands.ts";
import type { DocumentLink } from "./document-link.ts";
import type { Events, PresenceTold, ServerFrame, Welcome } from "./frames.ts";
import type { RoomPart } from "./part.ts";
import { type Frame, Pacer, Requests } from "./requests.ts";

const PROTOCOL = 1;

/** The server says hello back at once; if not, another try might. */
const WELCOME_MS = 10_000;

/** The server pings every 20 s and gives 8 s for the answer. After that long a silence it is not there. */
const SILENCE_MS = 28_000;

/** The answer to a ping that was asked for, over a slow mobile network: as long as the server waits for a pong. */
const PROBE_MS = 8_000;

export type SessionStatus = "offline" | "greeting" | "online" | "stopped";

export interface SessionListener {
  onStatus(): void;
  /** Our client id is another user's. Whether the owner takes another one, and connects again by itself. */
  onForeignClient(): boolean;
  /** An error that belongs to no request. */
  onComplaint(code: string, message: string): void;
  /** The server's log is another one than before. */
  onOtherEpoch?(): void;
}

export class Session {
  client = "";
  status: SessionStatus = "offline";
  /** Close code or coded error of the last end; null while all is well. */
  code: number | string | null = null;
  why = "";
  user = "";
  epoch: string | null = null;
  /** Up to which notification id we were told everything but edits; of the log named `epoch`. */
  position = 0;
  /** The server is silent: the socket is to be cut. */
  isCutWanted = false;
  readonly requests = new Requests();
  readonly pacer = new Pacer();
  readonly commands = new Commands(this.requests, () => this.client);
  readonly parts: RoomPart[] = [];
  readonly links = new Map<string, DocumentLink>();
  readonly #listener: SessionListener;
  #refusal: Frame | null = null; // of our hello
  #deadline: number | null = null; // without a sign of the server until then it is gone
  #silence = SILENCE_MS;

  constructor(listener: SessionListener) {
    this.#listener = listener;
  }

  // What the owner takes.

  takeFrames(): Frame[] {
    const { frames } = this.requests;
    this.requests.frames = [];
    return frames;
  }

  /** When to call `onTime`; null: when something else has happened. */
  nextTime(): number | null {
    const dues = [this.isCutWanted ? null : this.#deadline, this.commands.due];
    for (const part of this.parts) dues.push(part.due ?? null);
    for (const link of this.links.values()) dues.push(link.nextTime());
    const times = dues.filter((due) => due !== null);
    return times.length > 0 ? Math.min(...times) : null;
  }

  get isOnline(): boolean {
    return this.status === "online";
  }

  follow(link: DocumentLink, now: number): void {
    this.links.set(link.document, link);
    if (this.isOnline) link.onOnline(now, this.epoch);
  }

  // The connection.

  /** There is a socket: say hello. `at` is the time of day in microseconds, by which our newest socket is known. */
  onConnected(now: number, at: number): void {
    this.#deadline = now + WELCOME_MS;
    this.#refusal = null;
    const hello: Frame = { type: "hello", protocol: PROTOCOL, client: this.client, at };
    if (this.epoch !== null) hello.resume = { epoch: this.epoch, position: this.position };
    this.requests.ask(hello, (reply, then) => this.#onGreeted(reply, then));
    this.#setStatus("greeting", null, "");
  }

  /** The socket is gone, with this close code if there was one; says whether to come back. */
  onDisconnected(code: number | null): Verdict {
    if (this.status === "stopped") return "stop";
    if (this.#refusal?.code === "E_FORBIDDEN" && this.#listener.onForeignClient()) {
      this.#goOffline();
      this.#setStatus("offline", null, "");
      return "stay";
    }
    const verdict = verdictOf(code);
    if (verdict === "stop") {
      this.stop(this.#refusal?.code ?? code, this.#refusal?.message ?? reasonOf(code));
    } else {
      this.#goOffline();
      this.#setStatus("offline", code, reasonOf(code));
    }
    return verdict;
  }

  /** For good. What is unsaved is handed out, and stays where it is kept. */
  stop(code: number | string | null, why: string): void {
    if (this.status === "stopped") return;
    const hasText = code !== null;
    for (const link of this.links.values()) if (hasText && !link.isSaved) link.strand(String(code), why);
    this.#goOffline();
    this.#setStatus("stopped", code, why);
  }

  /** Whether the server is still there is to be known soon: the network may be another one. */
  probe(now: number): void {
    if (!this.isOnline) return;
    this.requests.ask({ type: "ping" }, () => {});
    this.#deadline = Math.min(this.#deadline ?? Number.POSITIVE_INFINITY, now + PROBE_MS);
  }

  onTime(now: number): void {
    if (this.#deadline !== null && now >= this.#deadline) this.isCutWanted = true;
    this.commands.onTime(now);
    for (const part of this.parts) part.onTime?.(now);
    for (const link of this.links.values()) link.onTime(now);
  }

  #goOffline(): void {
    this.#deadline = null;
    this.isCutWanted = false;
    this.commands.onOffline();
    for (const part of this.parts) part.onOffline?.();
    for (const link of this.links.values()) link.onOffline();
    this.requests.clear();
  }

  #setStatus(status: SessionStatus, code: number | string | null, why: string): void {
    this.status = status;
    this.code = code;
    this.why = why;
    this.#listener.onStatus();
  }

  // Hearing.

  onFrame(frame: ServerFrame, now: number): void {
    if (this.isOnline) this.#deadline = now + this.#silence;
    switch (frame.type) {
      case "events":
        this.#onEvents(frame.events, frame.position, now);
        break;
      case "presence":
        this.#onPresence(frame, now);
        break;
      case "activity":
      case "statistics":
      case "replay":
      case "notice":
        for (const part of this.parts) part.onFrame?.(frame, now);
        break;
      case "ping":
        this.requests.frames.push({ type: "pong" });
        break;
      default:
        if (frame.type === "error" && frame.ref === null)
          this.#listener.onComplaint(frame.code, frame.message);
        else this.requests.onReply(frame, now);
    }
  }

  #onGreeted(reply: Frame, now: number): void {
    if (reply.type === "error")
      this.#refusal = reply; // a close code follows and says what to do
    else this.#onWelcome(reply as unknown as Welcome, now);
  }

  #onWelcome(welcome: Welcome, now: number): void {
    this.#silence = (welcome.heartbeat.interval + welcome.heartbeat.timeout) * 1_000;
    this.#deadline = now + this.#silence;
    this.pacer.setRate(welcome.limits.edits_per_second);
    this.commands.pacer.setRate(welcome.limits.chat_per_second);
    if (this.epoch !== null && this.epoch !== welcome.epoch) this.#onOtherEpoch();
    if (!welcome.resumed) {
      this.epoch = welcome.epoch;
      // When resumed, the position stays where it was: the events up to the welcome's follow one by one.
      this.position = welcome.position;
    }
    this.user = welcome.you.user;
    this.#setStatus("online", null, "");
    for (const part of this.parts) part.onWelcome?.(welcome, now);
    for (const message of welcome.messages) this.commands.onEvent(message, this.user, now);
    this.commands.onOnline(now);
    for (const part of this.parts) part.onOnline?.(now);
    for (const link of this.links.values()) link.onOnline(now, welcome.epoch);
  }

  /** The server's log is another one: positions and revisions of the old mean nothing in it. */
  #onOtherEpoch(): void {
    for (const part of this.parts) part.onOtherEpoch?.();
    this.commands.onOtherEpoch();
    this.#listener.onOtherEpoch?.();
  }

  #onEvents(events: Events["events"], position: number, now: number): void {
    for (const event of events) {
      if (event.event === "edit") {
        this.links.get(event.document)?.onEdit(event, now);
        for (const part of this.parts) part.onEdit?.(event, now);
      } else if (event.position > this.position) {
        if (event.event === "left") for (const link of this.links.values()) link.onLeft(event.client);
        for (const part of this.parts) part.onEvent?.(event, now);
        this.commands.onEvent(event, this.user, now);
      }
    }
    this.position = Math.max(this.position, position);
    // Only now, so that an edit that goes out is made on everything the frame told.
    for (const link of this.links.values()) link.pump(now);
  }

  #onPresence(frame: PresenceTold, now: number): void {
    for (const move of frame.moves) this.links.get(move.document)?.onMove(move);
    for (const part of this.parts) part.onPresence?.(frame, now);
  }
}
