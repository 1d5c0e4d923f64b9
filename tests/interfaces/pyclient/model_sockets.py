"""The model server on a port, so that the real client can come to it over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import WSMsgType, web

from tests.interfaces.pyclient.model_server import ModelConnection, ModelServer


class ModelSockets:
    """Sockets of a `ModelServer`. `url` is there while `serving`."""

    def __init__(self, server: ModelServer | None = None) -> None:
        self.server = server or ModelServer()
        self.url = ""
        self.sockets: dict[ModelConnection, web.WebSocketResponse] = {}
        self.is_deaf = False
        """Whether frames of clients are thrown away unread."""
        self.upgrades = 0
        self.status = 0
        """When not 0, what upgrades are answered with."""
        self.guests = 0
        self.tickets: list[str] = []
        """Those that are not used up."""
        self.offered: list[list[str]] = []
        """The subprotocols of each upgrade."""
        self.refused_tokens: set[str] = set()
        self.ticket_status = 201

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.upgrades += 1
        if self.status:
            return web.Response(status=self.status)
        offered = [name.strip() for name in request.headers["Sec-WebSocket-Protocol"].split(",")]
        self.offered.append(offered)
        socket = web.WebSocketResponse(protocols=("chronoscribe.v1",))
        await socket.prepare(request)
        ticket = offered[-1].removeprefix("ticket.")
        if ticket not in self.tickets:
            await socket.close(code=4501)
            return socket
        self.tickets.remove(ticket)
        connection = self.server.connect()
        self.sockets[connection] = socket
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            if not self.is_deaf:
                connection.receive(orjson.loads(message.data))
                await self.flush()
        connection.close()
        del self.sockets[connection]
        return socket

    async def become_guest(self, _: web.Request) -> web.Response:
        self.guests += 1
        user = f"guest-{self.guests}"
        return web.json_response({"user": user, "token": f"token-of-{user}"}, status=201)

    async def buy_ticket(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token in self.refused_tokens:
            return web.json_response({"code": "E_AUTH"}, status=401)
        ticket = f"{token}-{len(self.offered)}"
        self.tickets.append(ticket)
        return web.json_response({"ticket": ticket}, status=self.ticket_status)

    async def flush(self) -> None:
        """Send what the model has to say, and close what it has closed."""
        for connection, socket in list(self.sockets.items()):
            while connection.outbox:
                await socket.send_str(orjson.dumps(connection.outbox.popleft()).decode())
            if connection.code is not None:
                await socket.close(code=connection.code if connection.code != 1006 else 1001)

    async def close_all(self, code: int) -> None:
        """Throw everybody out."""
        for socket in list(self.sockets.values()):
            await socket.close(code=code)

    async def push(self, frame: object) -> None:
        """Say something to everybody."""
        for socket in list(self.sockets.values()):
            await socket.send_str(orjson.dumps(frame).decode())

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/ws/{room}", self.handle)
        app.router.add_post("/api/guests", self.become_guest)
        app.router.add_post("/api/tickets", self.buy_ticket)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self.url
        finally:
            await self.close_all(1001)
            await runner.cleanup()
