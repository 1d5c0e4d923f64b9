"""The server: a node with its sockets and routes, on a Postgres of its own or a given one.

`run` is what `chronoscribe serve` does. Tests start it as a process; it prints one line when it is ready.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from application.services import Services
from domain.errors import ChronoscribeError
from domain.ids import SERVER
from domain.rights import Role
from infrastructure.embedded_postgres import EmbeddedPostgres, default_home
from infrastructure.metrics import metrics
from infrastructure.node import Node, open_node
from infrastructure.postgres.standings import Standing
from infrastructure.settings import Settings
from interfaces.http import documents, rooms
from interfaces.http.discretion import keep_contents_out_of_logs
from interfaces.http.guard import guard
from interfaces.http.home import home
from interfaces.http.keys import DIRECTORY, PAST, ROOMS, SERVICES
from interfaces.http.problems import problem, problems
from interfaces.ws.hub import Hub
from interfaces.ws.rates import Limits
from interfaces.ws.route import SessionSockets

logger = logging.getLogger(__name__)

DEMO_ROOM: Final = "demo"
DEMO_DOCUMENT: Final = "welcome.md"

# A body over HTTP: a new room's or document's name.
BODY_BYTES: Final = 1024 * 1024

# A connection on which no whole request has come for so long is nobody's, whether it is silent, idle, or
# sends its headers a byte at a time. Programs that ask again and again are quicker than this.
KEEPALIVE_SECONDS: Final = 10.0

# After draining: for finishing commits and closing connections. What takes longer hangs, and somebody
# waits for it; nothing acknowledged can be lost by ending at once.
HARD_STOP_SECONDS: Final = 10.0

# A node that has not been able to commit for so long is not ready for more clients.
READY_STALL_SECONDS: Final = 5.0


@dataclass
class Server:
    """A running server. `url` is where it listens."""

    url: str
    node: Node
    services: Services
    sockets: SessionSockets


@asynccontextmanager
async def open_server(settings: Settings, conninfo: str) -> AsyncIterator[Server]:
    """Serve until the end of the block, then drain. Raises as `open_node`, and `OSError` when the
    port is taken.
    """
    keep_contents_out_of_logs()
    async with open_node(settings, conninfo) as (node, services):
        hub = Hub(node.history, node.presence_history)
        hub.position = node.record.feed.position
        node.record.feed.follow(hub.on_events)
        node.presence.feed.follow(hub.on_presence)
        limits = Limits(
            settings.edits_per_second,
            settings.frames_per_second,
            connections_per_user=settings.connections_per_user,
            connections_per_address=settings.connections_per_address,
        )
        sockets = SessionSockets(services, hub, limits)
        if settings.is_development:
            await _create_demo(services)
        runner = web.AppRunner(
            _app(node, services, hub, sockets),
            access_log=None,
            auto_decompress=False,  # nobody packs a name, and unpacking a bomb would stop everybody
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=settings.drain_seconds,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
            await site.start()
            node.own(sockets.run(), "heartbeats")
            host, port = runner.addresses[0][:2]
            yield Server(f"http://{f'[{host}]' if ':' in host else host}:{port}", node, services, sockets)
            await site.stop()
            await _drain(sockets, settings.drain_seconds)
        finally:
            await runner.cleanup()


def _stop_hard() -> None:
    logger.critical("stopping has taken too long: ending at once")
    os._exit(1)


async def _drain(sockets: SessionSockets, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await sockets.drain()
    except TimeoutError:
        logger.warning("%d sockets did not close in time", len(sockets))


def _app(node: Node, services: Services, hub: Hub, sockets: SessionSockets) -> web.Application:
    app = web.Application(middlewares=[problems, guard], client_max_size=BODY_BYTES)
    app[SERVICES] = services
    app[PAST] = node.time_travel
    app[ROOMS] = node.history
    app[DIRECTORY] = node.directory
    read_metrics = metrics(
        node,
        {
            "sessions": ("Open sockets", lambda: len(sockets)),
            "rooms": ("Rooms with a socket here", lambda: hub.rooms),
        },
    )

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        stalled = max(log.commit.stalled_seconds for log in (node.record, node.presence))
        if sockets.is_draining or stalled > READY_STALL_SECONDS:
            return problem(503, "E_STORE", "draining" if sockets.is_draining else "the log does not answer")
        position = node.record.feed.position
        answer = {"status": "ready", "position": position, "projections": await _projections(node, position)}
        return web.json_response(answer)

    async def read(_: web.Request) -> web.Response:
        return web.Response(body=read_metrics(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app.router.add_get("/", home)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", read)
    app.router.add_get("/api/rooms", rooms.list_all)
    app.router.add_post("/api/rooms", rooms.create)
    app.router.add_get("/api/rooms/{room}", rooms.look)
    app.router.add_get("/api/rooms/{room}/documents", documents.list_all)
    app.router.add_post("/api/rooms/{room}/documents", documents.create)
    app.router.add_get("/api/rooms/{room}/documents/{document}", documents.read)
    app.router.add_get("/ws/{room}", sockets.handle)
    return app


async def _projections(node: Node, position: int) -> dict[str, dict[str, int]] | None:
    """How far each is, whichever node keeps it; None when that is not known: serving can do without."""
    standings = await node.standings.find()
    if standings is None:
        return None
    answer = {}
    for projector in node.projectors:
        standing = standings.get(projector.name, Standing(0, 0))
        lag = max(0, position - standing.position)
        answer[projector.name] = {"position": standing.position, "lag": lag, "parked": standing.parked}
    return answer


async def _create_demo(services: Services) -> None:
    """A room to try things in, on a store without one."""
    await services.rooms.open(DEMO_ROOM, "Demo", actor=SERVER, everyone=Role.EDITOR)
    await services.documents.create(DEMO_ROOM, DEMO_DOCUMENT, actor=SERVER)


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    postgres: EmbeddedPostgres | None = None
    conninfo = settings.database_url
    if conninfo is None:
        postgres = EmbeddedPostgres(settings.data or default_home())
        conninfo = await asyncio.to_thread(postgres.start)
    try:
        async with open_server(settings, conninfo) as server:
            # What is loaded by now stays: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            print(f"Chronoscribe is listening on {server.url}  (Ctrl-C stops it)", flush=True)  # noqa: T201
            server.node.failed.add_done_callback(lambda _: stop.set())
            await stop.wait()
            loop.call_later(settings.drain_seconds + HARD_STOP_SECONDS, _stop_hard)
            return 1 if server.node.failed.done() else 0
    except ChronoscribeError as error:
        print(f"chronoscribe: {error.message}", flush=True)  # noqa: T201
        return 1
    finally:
        if postgres is not None:
            await asyncio.to_thread(postgres.stop)
