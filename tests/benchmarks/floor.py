"""What nothing but the frame costs: aiohttp and uvloop, each batch committed to Postgres before it
is sent to everybody.

No transform, no rights, no history, one document in memory as a counter. Whatever the server needs
beyond this is what it does.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import orjson
import psycopg
import uvloop
from aiohttp import web


class Floor:
    """Speaks as much of the protocol as the typists of the benchmark need."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._sockets: dict[web.WebSocketResponse, str] = {}
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._wake = asyncio.Event()
        self._revisions: dict[str, int] = {}
        self._lengths: dict[str, int] = {}

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("chronoscribe.v1",), compress=False)
        await socket.prepare(request)
        room = request.match_info["room"]
        client = ""
        async for message in socket:
            frame = orjson.loads(message.data)
            match frame["type"]:
                case "hello":
                    client = frame["client"]
                    await socket.send_str(orjson.dumps({"type": "welcome", "ref": frame["ref"]}).decode())
                case "open":
                    key = f"{room}/{frame['document']}"
                    self._sockets[socket] = key
                    opened = {
                        "type": "opened",
                        "ref": frame["ref"],
                        "revision": self._revisions.get(key, 0),
                        "seq": 0,
                        "text": "x" * self._lengths.get(key, 0),
                    }
                    await socket.send_str(orjson.dumps(opened).decode())
                case "edit":
                    event = {
                        "event": "edit",
                        "document": frame["document"],
                        "client": client,
                        "seq": frame["seq"],
                        "op": frame["op"],
                    }
                    self._waiting.append((f"{room}/{frame['document']}", event))
                    self._wake.set()
        self._sockets.pop(socket, None)
        return socket

    async def commit(self) -> None:
        """Write what waits in one transaction, then tell everybody."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            for key, event in batch:
                event["revision"] = self._revisions[key] = self._revisions.get(key, 0) + 1
                self._lengths[key] = self._lengths.get(key, 0) + sum(
                    len(c) for c in event["op"] if isinstance(c, str)
                )
            rows = [orjson.dumps(event) for _, event in batch]
            await self._connection.execute(
                "INSERT INTO floor (state) SELECT unnest(%b::bytea[])", (rows,), prepare=True
            )
            by_key: dict[str, list[dict[str, Any]]] = {}
            for key, event in batch:
                by_key.setdefault(key, []).append(event)
            texts = {
                key: orjson.dumps({"type": "events", "events": events}).decode()
                for key, events in by_key.items()
            }
            for socket, key in tuple(self._sockets.items()):
                if key in texts and not socket.closed:
                    await socket.send_str(texts[key])


async def created(_: web.Request) -> web.Response:
    """Every room, guest and ticket."""
    return web.json_response({"token": "token", "ticket": "ticket"}, status=201)


async def main() -> None:
    """Serve until killed."""
    connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    await connection.execute("CREATE TABLE IF NOT EXISTS floor (id bigserial PRIMARY KEY, state bytea)")
    floor = Floor(connection)
    app = web.Application()
    app.router.add_get("/ws/{room}", floor.handle)
    for path in ("/api/rooms", "/api/guests", "/api/tickets"):
        app.router.add_post(path, created)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(os.environ.get("CHRONOSCRIBE_PORT", "0")), backlog=1024)
    await site.start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]} ", flush=True)
    await floor.commit()


if __name__ == "__main__":
    uvloop.run(main())
