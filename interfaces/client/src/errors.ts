/** What goes wrong, with the server's codes. See docs/protocol.md. */

/** Facts that come with a code: `retry_after`, `limit`, `field`, `revision`, `role` … */
export type Facts = Readonly<Record<string, unknown>>;

export class ChronoscribeError extends Error {
  readonly code: string;
  readonly facts: Facts;

  constructor(code: string, message: string, facts: Facts = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }
}

/** The server has refused a request for good. */
export class Refused extends ChronoscribeError {}

/** No answer in time; what was asked may still happen, or have happened. */
export class TimedOut extends ChronoscribeError {
  constructor(what: string) {
    super("E_TIMEOUT", `${what}: no answer in time`);
  }
}

/** The document has no text to edit, or may not be edited (any more). */
export class NotEditable extends ChronoscribeError {
  constructor(why: string) {
    super("E_NOT_EDITABLE", why);
  }
}

/** What was typed is not durable: it was refused, or the room was left. */
export class NotSaved extends ChronoscribeError {}

/** An answer over HTTP that is none of success. `status` is 0 when there was no answer at all. */
export class ApiError extends ChronoscribeError {
  readonly status: number;

  constructor(status: number, code: string, message: string, facts: Facts = {}) {
    super(code, message, facts);
    this.status = status;
  }
}
