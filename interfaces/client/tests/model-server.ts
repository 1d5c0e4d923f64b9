/**
 * A server in memory, with its sockets and its tickets: the plainest thing that a room can be tried against. One
 * room, everything stored at once. Frames take `latencyMs` each way; with vitest's false timers time is the test's.
 */

import type { Frame } from "../src/requests.ts";
import type { WebSocketClass } from "../src/types.ts";
import { ModelDocument } from "./model-document.ts";

const PING_MS = 20_000;

export const URL_OF_MODEL = "http://model.example";

export class ModelServer {
  epoch = "epoch-1";
  readonly documents = new Map<string, ModelDocument>();
  readonly sockets = new Set<ModelSocket>();
  /** Every socket that was ever asked for. */
  readonly addresses: { url: string; protocols: readonly string[]; at: number }[] = [];
  readonly log: Frame[] = [];
  /** Tickets sold, by the token that bought them. */
  readonly tickets: string[] = [];
  latencyMs = 1;
  /** Whether anything comes through at all. */
  isReachable = true;
  /** Sockets are opened and nothing is ever said, as by a network that is gone. */
  isSilent = false;
  /** What asking for a ticket answers; null: nothing, ever. */
  onTicket: (token: string) => Response | null = (token) =>
    Response.json({ ticket: `${token}-${this.tickets.push(token)}` });
  /** Close code for sockets instead of a welcome. */
  closeAtHello: number | null = null;
  /** Whether a client belongs to somebody else than who comes as it. */
  isForeign: (client: string) => boolean = () => false;
  user = () => "ada";
  /** Errors for the next edits, which are then not looked at. */
  readonly refusals: Frame[] = [];
  /** Edits that `open` tells one by one. */
  openLimit = 1_000;
  pageLimit = 1_000;
  /** Requests by type. */
  readonly counts = new Map<string, number>();

  readonly fetch: typeof fetch = (input, init) => {
    if (!this.isReachable) return Promise.reject(new TypeError("no network"));
    const path = String(input).slice(URL_OF_MODEL.length);
    if (path !== "/api/tickets") return Promise.resolve(new Response("{}", { status: 404 }));
    const headers = new Headers(init?.headers);
    const answer = this.onTicket(headers.get("Authorization")!.slice("Bearer ".length));
    return answer === null ? new Promise(() => {}) : Promise.resolve(answer);
  };

  readonly WebSocket: WebSocketClass = ((server: ModelServer) =>
    class extends ModelSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(server, url, [protocols ?? []].flat());
      }
    })(this) as unknown as WebSocketClass;

  document(name: string): ModelDocument {
    let document = this.documents.get(name);
    if (document === undefined) {
      document = new ModelDocument();
      this.documents.set(name, document);
    }
    return document;
  }

  /** The network is there again. What went over sockets meanwhile is lost, and they with it. */
  comeBack(): void {
    if (this.isSilent) this.cut();
    this.isSilent = false;
    this.isReachable = true;
  }

  /** All sockets end, with this code if there is one. */
  cut(code = 1006): void {
    for (const socket of [...this.sockets]) socket.end(code);
  }

  /** Somebody else edits. */
  edit(name: string, op: (string | number | { d: number })[], client = "somebody"): void {
    const document = this.document(name);
    const edit = { seq: document.lastSeq(client) + 1, base: document.revision, op };
    this.#commit(document.store(client, edit, { document: name, at: Date.now() * 1_000 }));
  }

  onFrame(socket: ModelSocket, frame: Frame): void {
    this.counts.set(frame.type, (this.counts.get(frame.type) ?? 0) + 1);
    if (frame.type === "pong") return;
    const answer = this.#answers[frame.type]?.(socket, frame);
    if (answer !== null) socket.tell({ type: "ok", ref: frame.ref, ...answer });
  }

  readonly #answers: Record<string, (socket: ModelSocket, frame: Frame) => Frame | null> = {
    hello: (socket, frame) => {
      if (this.closeAtHello !== null) {
        if (this.closeAtHello === 4501)
          socket.tell({ type: "error", ref: frame.ref, code: "E_AUTH", message: "no" });
        socket.end(this.closeAtHello);
        return null;
      }
      if (this.isForeign(frame.client)) {
        socket.tell({ type: "error", ref: frame.ref, code: "E_FORBIDDEN", message: "somebody else's" });
        socket.end(4500);
        return null;
      }
      for (const other of [...this.sockets])
        if (other !== socket && other.client === frame.client) other.end(4406);
      socket.client = frame.client;
      this.#welcome(socket, frame);
      return null;
    },
    open: (socket, { document: name, revision, create }) => {
      const document = create ? this.document(name) : this.documents.get(name);
      if (document === undefined) return error("E_NOT_FOUND");
      const opened = { type: "opened", document: name, revision: document.revision, cursors: [] };
      const seq = document.lastSeq(socket.client);
      if (revision === undefined) {
        socket.open.add(name);
        return { ...opened, seq, text: document.text };
      }
      if (revision > document.revision) {
        socket.end(4507);
        return error("E_VERSION_AHEAD", { revision: document.revision });
      }
      if (document.revision - revision > this.openLimit)
        return error("E_VERSION_OLD", { revision: document.revision });
      socket.open.add(name);
      return { ...opened, seq, edits: document.edits.slice(revision) };
    },
    close: (socket, frame) => {
      socket.open.delete(frame.document);
      return {};
    },
    catch_up: (_socket, { document: name, after, limit }) => {
      const { edits, revision } = this.document(name);
      return {
        type: "edits",
        document: name,
        revision,
        edits: edits.slice(after, after + Math.min(limit, this.pageLimit)),
      };
    },
    edit: (socket, frame) => {
      const refusal = this.refusals.shift();
      if (refusal !== undefined) return refusal;
      const document = this.document(frame.document);
      if (!socket.open.has(frame.document)) return error("E_NOT_JOINED");
      const edit = { seq: frame.seq, base: frame.base, op: frame.op };
      const stored = document.storedAs(socket.client, edit);
      if (stored !== null) return stored === "same" ? {} : error("E_ID_REUSED");
      if (edit.seq !== document.lastSeq(socket.client) + 1) return error("E_SEQ");
      const more = { document: frame.document, at: Date.now() * 1_000 };
      this.#commit(document.store(socket.client, edit, more));
      return null;
    },
    undo: (_socket, frame) => ({ revision: this.document(frame.document).revision }),
  };

  #welcome(socket: ModelSocket, frame: Frame): void {
    const position = this.log.length;
    const isResumed = frame.resume?.epoch === this.epoch;
    socket.tell({
      ...{ type: "welcome", ref: frame.ref, protocol: 1, epoch: this.epoch, position, resumed: isResumed },
      ...{ session: `session-${position}`, node: "node", roster: [], messages: [], receipts: [], people: {} },
      you: { user: this.user(), role: "editor", name: "Ada", colour: "#4c75f0", avatar: "" },
      room: { id: "room", title: "Room", everyone: "editor" },
      members: [],
      documents: [...this.documents.keys()],
      heartbeat: { interval: 20, timeout: 8 },
      limits: { frame_bytes: 65_536, op_components: 5_000, typing_seconds: 10 },
    });
  }

  #commit(event: Frame): void {
    this.log.push(event);
    const position = this.log.length;
    for (const socket of this.sockets)
      if (socket.open.has(event.document))
        socket.tell({ type: "events", position, events: [{ ...event, position }] });
  }
}

function error(code: string, facts: Frame = {}): Frame {
  return { type: "error", code, message: `refused: ${code}`, ...facts };
}

/** Both ends of a socket. */
export class ModelSocket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readyState = 0;
  client = "";
  readonly open = new Set<string>();
  readonly #server: ModelServer;
  #pinging: ReturnType<typeof setInterval> | undefined;

  constructor(server: ModelServer, url: string, protocols: readonly string[]) {
    this.#server = server;
    server.addresses.push({ url, protocols, at: Date.now() });
    if (!server.isReachable) {
      this.#later(() => this.#close(1006));
      return;
    }
    if (server.isSilent) return;
    server.sockets.add(this);
    this.#later(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.({} as never);
      this.#pinging = setInterval(() => this.tell({ type: "ping" }), PING_MS);
    });
  }

  // The client's end.

  send(data: string): void {
    if (this.readyState !== 1) throw new Error("the socket is not open");
    this.#later(() => {
      if (this.#server.sockets.has(this) && !this.#server.isSilent)
        this.#server.onFrame(this, JSON.parse(data));
    });
  }

  close(): void {
    clearInterval(this.#pinging);
    this.readyState = 3;
    this.#server.sockets.delete(this);
  }

  // The server's end.

  tell(frame: Frame): void {
    const data = JSON.stringify(frame);
    this.#later(() => {
      if (this.readyState === 1 && !this.#server.isSilent) this.onmessage?.({ data } as never);
    });
  }

  end(code: number): void {
    this.#server.sockets.delete(this);
    this.#later(() => this.#close(code));
  }

  #close(code: number): void {
    clearInterval(this.#pinging);
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code } as never);
  }

  #later(work: () => void): void {
    setTimeout(work, this.#server.latencyMs);
  }
}
