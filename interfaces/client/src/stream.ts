/** One projection that is watched on the socket, such as the room's activity: subscribed while it is wanted. */

import type { ServerFrame } from "./frames.ts";
import type { RoomPart } from "./part.ts";
import { Errand, type Frame, isNotNow, type Requests } from "./requests.ts";

export class Stream extends Errand implements RoomPart {
  readonly name: "activity" | "statistics";
  readonly #onNews: (frame: Frame) => number;
  readonly #begin: number | null;
  #after: number | null; // up to where in the log it was told
  #isOnline = false;
  #isWanted = false;

  /**
   * `onNews` takes a frame in and says up to which position it tells; `begin` is from where on it is wanted at first,
   * null: from when it is subscribed.
   */
  constructor(
    name: "activity" | "statistics",
    requests: Requests,
    onNews: (frame: Frame) => number,
    begin: number | null = null,
  ) {
    super(requests);
    this.name = name;
    this.#onNews = onNews;
    this.#begin = begin;
    this.#after = begin;
  }

  want(isWanted: boolean, now: number): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    if (!this.#isOnline) return;
    if (isWanted) this.#subscribe(now);
    else {
      this.rest();
      this.requests.ask({ type: "unsubscribe", to: this.name }, () => {});
    }
  }

  onOnline(now: number): void {
    this.#isOnline = true;
    if (this.#isWanted) this.#subscribe(now);
  }

  onOffline(): void {
    this.#isOnline = false;
    this.rest();
  }

  onOtherEpoch(): void {
    this.#after = this.#begin;
  }

  /** Everything up to there is known from elsewhere; what has changed behind it is wanted. */
  goOnAfter(position: number, now: number): void {
    if (this.#after !== null) return; // it is told without a gap already
    this.#after = position;
    if (this.#isOnline && this.#isWanted) this.#subscribe(now);
  }

  onFrame(frame: ServerFrame): void {
    if (frame.type !== this.name || !this.#isWanted) return; // it was on its way when we had enough
    this.#after = Math.max(this.#after ?? 0, this.#onNews(frame));
  }

  readonly #subscribe = (now: number): void => {
    const frame: Frame = { type: "subscribe", to: this.name };
    if (this.#after !== null) frame.after = this.#after;
    this.ask(frame, (reply, then) => this.#onAnswered(reply, then), now, this.#subscribe);
  };

  #onAnswered(reply: Frame, now: number): void {
    if (this.isOvertaken(reply, now)) return;
    this.rest();
    if (reply.type === "error" && isNotNow(reply)) this.retry(reply, now, this.#subscribe);
    else this.attempts = 0;
  }
}
