import { describe, expect, test, vi } from "vitest";
import type { Notice } from "../src/types.ts";
import { enter, inTestTime, wait } from "./model-room.ts";
import { ModelServer } from "./model-server.ts";

const problem = (status: number, code: string, headers = {}) =>
  Response.json({ code, detail: `no: ${code}` }, { status, headers });

describe("the connection of a room", () => {
  inTestTime();

  test("shows a ticket of its own for each socket, and never in the address", async () => {
    const server = new ModelServer();
    const room = enter(server);
    expect(room.connection.getSnapshot().status).toBe("connecting");
    await wait(10);
    expect(room.connection.getSnapshot()).toEqual({ status: "online", code: null, why: "", retryAt: null });
    server.cut();
    await wait(2_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    expect(server.addresses.map(({ url, protocols }) => [url, ...protocols])).toEqual([
      ["ws://model.example/ws/room", "chronoscribe.v1", "ticket.token-1"],
      ["ws://model.example/ws/room", "chronoscribe.v1", "ticket.token-2"],
    ]);
    await room.leave();
  });

  test("comes back ever more slowly, up to half a minute, and says when", async () => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    server.isReachable = false;
    server.cut();
    await wait(2);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const { status, retryAt } = room.connection.getSnapshot();
      expect(status).toBe("offline");
      const left = retryAt! - Date.now();
      waits.push(Math.round(left / 100) / 10);
      await wait(left + 2);
    }
    expect(waits).toEqual([1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]);
    server.isReachable = true;
    await wait(31_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("spreads its tries over the whole wait", async () => {
    const server = new ModelServer();
    const room = enter(server, { random: () => 0.5 });
    await wait(10);
    server.cut();
    await wait(2);
    expect(room.connection.getSnapshot().retryAt! - Date.now()).toBeCloseTo(499, -1);
    await room.leave();
  });

  test("waits a second at least after too many frames", async () => {
    const server = new ModelServer();
    const room = enter(server, { random: () => 0 });
    await wait(10);
    server.cut(4405);
    await wait(900);
    expect(room.connection.getSnapshot().status).toBe("offline");
    await wait(200);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test.each([
    [4406, "stopped"],
    [4503, "stopped"],
    [4504, "stopped"],
    [4506, "stopped"],
    [1009, "stopped"],
    [4400, "online"],
    [4403, "online"],
    [4407, "online"],
    [1011, "online"],
    [1001, "online"],
  ])("after %d is %s", async (code, status) => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    server.cut(code);
    await wait(5_000);
    const snapshot = room.connection.getSnapshot();
    expect(snapshot.status).toBe(status);
    expect(snapshot.code).toBe(status === "stopped" ? code : null);
    if (status === "stopped") expect(snapshot.why).not.toBe("");
    await room.leave();
  });

  test("tells of another version of the protocol, and stops", async () => {
    const server = new ModelServer();
    server.closeAtHello = 4505;
    const room = enter(server);
    const notices: Notice[] = [];
    room.onNotice((notice) => notices.push(notice));
    await wait(10);
    expect(room.connection.getSnapshot()).toMatchObject({ status: "stopped", code: 4505 });
    expect(notices.map(({ kind }) => kind)).toEqual(["other-version"]);
  });

  test("asks for another token once when the one it has is not taken, by the socket or for a ticket", async () => {
    for (const where of ["socket", "ticket"]) {
      const server = new ModelServer();
      const tokens = ["old", "newer", "never asked for"];
      const onRefused = vi.fn(() => tokens.shift());
      const sell = server.onTicket;
      if (where === "socket") server.closeAtHello = 4501;
      else server.onTicket = (token) => (token === "old" ? problem(401, "E_AUTH") : sell(token));
      const room = enter(server, { credentials: { token: async () => tokens[0]!, onRefused } });
      await wait(3);
      if (where === "socket") server.closeAtHello = null;
      await wait(2_000);
      expect(room.connection.getSnapshot().status).toBe("online");
      expect(onRefused).toHaveBeenCalledTimes(1);
      expect(server.tickets.at(-1)).toBe("newer");
      await room.leave();
    }
  });

  test("stops when the second token is not taken either", async () => {
    for (const where of ["socket", "ticket"]) {
      const server = new ModelServer();
      if (where === "socket") server.closeAtHello = 4501;
      else server.onTicket = () => problem(401, "E_AUTH");
      const onRefused = vi.fn();
      const room = enter(server, { credentials: { token: async () => "bad", onRefused } });
      await wait(5_000);
      expect(room.connection.getSnapshot()).toMatchObject({ status: "stopped", code: "E_AUTH" });
      expect(server.addresses.length).toBe(where === "socket" ? 2 : 0);
      expect(onRefused).toHaveBeenCalled();
    }
  });

  test("asks for another token when the socket has ended with the old one", async () => {
    const server = new ModelServer();
    const onRefused = vi.fn();
    const room = enter(server, { credentials: { token: async () => "token", onRefused } });
    await wait(10);
    server.cut(4401);
    await wait(2_000);
    expect(onRefused).toHaveBeenCalledTimes(1);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("tries again after whatever another try may change, and no sooner than it is told", async () => {
    const server = new ModelServer();
    const sell = server.onTicket;
    server.onTicket = () => problem(429, "E_RATE", { "Retry-After": "7" });
    const room = enter(server);
    await wait(10);
    expect(room.connection.getSnapshot()).toMatchObject({ status: "offline", code: "E_RATE" });
    server.onTicket = sell;
    await wait(6_900);
    expect(room.connection.getSnapshot().status).toBe("offline");
    await wait(200);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();

    const other = new ModelServer();
    other.onTicket = () => problem(503, "E_STORE");
    const second = enter(other);
    await wait(10);
    expect(second.connection.getSnapshot()).toMatchObject({ status: "offline", code: "E_STORE" });
    await second.leave();
  });

  test("stops when no ticket will ever be sold", async () => {
    const server = new ModelServer();
    server.onTicket = () => problem(403, "E_FORBIDDEN");
    const room = enter(server);
    await wait(10);
    expect(room.connection.getSnapshot()).toMatchObject({ status: "stopped", code: "E_FORBIDDEN" });
  });

  test("asks again for a token when getting one has failed", async () => {
    const server = new ModelServer();
    const token = vi.fn().mockRejectedValueOnce(new Error("the page of the login is slow"));
    const room = enter(server, { credentials: { token: token.mockResolvedValue("token") } });
    await wait(10);
    expect(room.connection.getSnapshot()).toMatchObject({ status: "offline", code: "E_CREDENTIALS" });
    await wait(2_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("gives up a ticket, a socket and a welcome that do not come", async () => {
    const server = new ModelServer();
    const sell = server.onTicket;
    server.onTicket = () => null;
    const room = enter(server);
    await wait(9_900);
    expect(room.connection.getSnapshot().status).toBe("connecting");
    await wait(200);
    expect(room.connection.getSnapshot().status).toBe("offline");
    server.onTicket = sell;
    server.isSilent = true;
    await wait(1_000);
    expect(room.connection.getSnapshot().status).toBe("connecting");
    await wait(10_000);
    expect(room.connection.getSnapshot().status).toBe("offline");
    server.isSilent = false;
    await wait(5_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("notices a silent server, and answers its pings", async () => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    await wait(20_010);
    expect(server.counts.get("pong")).toBe(1);
    server.isSilent = true;
    await wait(27_900);
    expect(room.connection.getSnapshot().status).toBe("online");
    await wait(200);
    expect(room.connection.getSnapshot().status).not.toBe("online");
    server.isSilent = false;
    await wait(30_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("rests without a try, and wakes without a wait", async () => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    room.rest();
    expect(room.connection.getSnapshot()).toMatchObject({ status: "offline", retryAt: null });
    await wait(3_600_000);
    expect(server.addresses.length).toBe(1);
    room.wake();
    await wait(10);
    expect(room.connection.getSnapshot().status).toBe("online");

    server.isReachable = false;
    server.cut();
    await wait(120_000);
    server.isReachable = true;
    room.wake();
    await wait(10);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("that is woken soon knows that its network is gone", async () => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    room.wake();
    await wait(9_000);
    expect(server.addresses.length).toBe(1); // all is well: the server has answered
    server.isSilent = true;
    room.wake();
    await wait(8_100);
    expect(room.connection.getSnapshot().status).not.toBe("online");
    server.isSilent = false;
    await wait(12_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("does not mind that the clock is set back", async () => {
    const server = new ModelServer();
    const room = enter(server);
    const document = room.open("main.md", { create: true });
    await wait(10);
    vi.setSystemTime(Date.now() - 3_600_000);
    document.edit([{ from: 0, to: 0, insert: "x" }]);
    await wait(10);
    expect(server.document("main.md").text).toBe("x");
    server.cut();
    await wait(2);
    expect(room.connection.getSnapshot().retryAt! - Date.now()).toBeLessThanOrEqual(1_000);
    await wait(1_100);
    expect(room.connection.getSnapshot().status).toBe("online");
    await room.leave();
  });

  test("takes a fault of what it hears for a lost connection, and comes back", async () => {
    const server = new ModelServer();
    const room = enter(server);
    await wait(10);
    for (const socket of server.sockets) socket.tell({ type: "events", position: 1, events: null });
    await expect(wait(10)).rejects.toThrow("not iterable"); // where faults come out
    await wait(2_000);
    expect(room.connection.getSnapshot().status).toBe("online");
    expect(server.addresses.length).toBe(2);
    await room.leave();
  });
});

describe("a store", () => {
  inTestTime();

  test("is told of once for a frame, and keeps its snapshot while nothing changes", async () => {
    const server = new ModelServer();
    const room = enter(server);
    const document = room.open("main.md", { create: true });
    await wait(10);
    server.edit("main.md", ["Hey"]); // by which the clocks are compared
    await wait(10);
    const state = room.state.getSnapshot();
    const [onState, onConnection, onDocument] = [vi.fn(), vi.fn(), vi.fn()];
    room.state.subscribe(onState);
    room.connection.subscribe(onConnection);
    document.subscribe(onDocument);
    server.edit("main.md", ["Hello"]);
    await wait(10);
    expect(room.state.getSnapshot()).toBe(state);
    expect([onState, onConnection, onDocument].map((told) => told.mock.calls.length)).toEqual([0, 0, 1]);
    expect(document.getSnapshot()).toBe(document.getSnapshot());
    expect(Object.isFrozen(document.getSnapshot())).toBe(true);
    await room.leave();
  });

  test("is told of an own edit at once, and of all its steps to the log", async () => {
    const server = new ModelServer();
    const room = enter(server);
    const document = room.open("main.md", { create: true });
    await wait(10);
    const told: unknown[] = [];
    document.subscribe(() => {
      const { length, sent, local, savedAt, revision } = document.getSnapshot();
      told.push([length, sent, local, savedAt !== null, revision, room.state.getSnapshot().unsaved]);
    });
    const number = document.edit([{ from: 0, to: 0, insert: "Hi 😀" }]);
    expect(document.stateOf(number)).toBe("sent");
    expect(told).toEqual([[5, 1, 0, false, 0, 1]]);
    await wait(10);
    expect(told).toEqual([
      [5, 1, 0, false, 0, 1],
      [5, 0, 0, true, 1, 0],
    ]);
    expect(document.stateOf(number)).toBe("durable");
    await room.leave();
  });
});
