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

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.upgrades += 1
        if self.status:
            return web.Response(status=self.status)
        socket = web.WebSocketResponse(protocols=("chronoscribe.v1",))
        await socket.prepare(request)
        connection = self.server.connect()
        self.sockets[connection] = socket
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            if not self.is_deaf:
                connection.receive(orjson.loads(message.data))
                await self.flush()
        connection.close()
        del self.sockets[connection]
        return socket

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
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self.url
        finally:
            await self.close_all(1001)
            await runner.cleanup()
