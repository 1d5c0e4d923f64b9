"""The server: a node with its sockets and routes, on a Postgres of its own or a given one.

`run` is what `chronoscribe serve` does. Tests start it as a process; it prints one line when it is ready.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from aiohttp import web

from application.past.bisect import Bisect
from application.past.diff import Diffs
from application.past.moment import Moments
from application.past.past import Past
from application.past.phrases import Phrases
from application.past.states import States
from application.past.watch import Watch
from application.services import Services
from domain.errors import ChronoscribeError
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.erasing import Erasing
from infrastructure.judge import TextJudges
from infrastructure.metrics import metrics
from infrastructure.node import Node, open_node
from infrastructure.postgres.audit import PostgresAuditor
from infrastructure.postgres.standings import Standing
from infrastructure.postgres.tickets import guest_secret
from infrastructure.proof.proving import Proving
from infrastructure.reading_etherpad import EtherpadReader
from infrastructure.settings import Settings
from infrastructure.tokens import Tokens, tokens_of
from interfaces.demo.room import create_demo_room
from interfaces.export.beside import TableExports
from interfaces.http.discretion import keep_contents_out_of_logs
from interfaces.http.door import Door
from interfaces.http.guard import guard, with_headers
from interfaces.http.keys import (
    ACTIVITY,
    AUDITOR,
    BISECT,
    CAN_SEAL,
    CHAT,
    CLEANING,
    DESCRIPTION,
    DIFFS,
    DIRECTORY,
    ENTRANCE,
    ERASER,
    ETHERPAD_READER,
    JUDGES,
    MEMBERS,
    MOMENTS,
    OPERATION,
    PAST,
    PAST_USE_CASES,
    PHRASES,
    PLOTS,
    PRESENCE,
    PROFILES,
    PROVER,
    REDACTING,
    REDACTIONS,
    REPLAY,
    REPORTS,
    ROOMS,
    SERVICES,
    STATES,
    STATISTICS,
    TABLES,
    TOKENS,
    WATCH,
    Entrance,
)
from interfaces.http.plots import Plots
from interfaces.http.problems import problems
from interfaces.http.proxies import forwarded
from interfaces.http.routes import ROUTES, add_routes
from interfaces.report.making import Reports
from interfaces.ws.followed import ActivityFollowed, StatisticsFollowed
from interfaces.ws.hub import Hub
from interfaces.ws.live_views import LiveView, LiveViews
from interfaces.ws.player import Players
from interfaces.ws.rates import Failures, Limits
from interfaces.ws.route import SessionSockets

logger = logging.getLogger(__name__)


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
    """A running server. `url` is where it listens, `app` what it serves."""

    url: str
    app: web.Application
    node: Node
    services: Services
    sockets: SessionSockets
    tokens: Tokens


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
        failures = Failures()
        followed: dict[str, LiveView] = {
            "activity": ActivityFollowed(node.views.activity),
            "statistics": StatisticsFollowed(node.views.statistics, services.now),
        }
        live_views = LiveViews(node.standings, followed)
        node.record.feed.follow(live_views.on_events)
        past = node.past(services)
        players = Players(node.replay, monotonic=services.monotonic)
        sockets = SessionSockets(services, past.undo, hub, live_views, players, limits, failures)
        if settings.is_development:
            await create_demo_room(services)
        secret = await guest_secret(node.database) if settings.is_development else None
        tokens = tokens_of(settings, guest_secret=secret, now=services.now)
        operation = NodeOperation(node, hub, sockets)
        app = _app(settings, node, services, past, tokens, operation, sockets, failures)
        runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # nobody packs a name, and unpacking a bomb would stop everybody
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=settings.drain_seconds,
        )
        await runner.setup()
        try:
            context = _tls(settings)
            site = web.TCPSite(runner, settings.host, settings.port, backlog=1024, ssl_context=context)
            await site.start()
            node.own(sockets.run(), "heartbeats")
            node.own(live_views.run(), "live views")
            host, port = runner.addresses[0][:2]
            scheme = "http" if context is None else "https"
            name = f"[{host}]" if ":" in host else host
            yield Server(f"{scheme}://{name}:{port}", app, node, services, sockets, tokens)
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


class NodeOperation:
    """What a node tells those who run it."""

    def __init__(self, node: Node, hub: Hub, sockets: SessionSockets) -> None:
        self._node = node
        self._sockets = sockets
        self.metrics = metrics(
            node,
            {
                "sessions": ("Open sockets", lambda: len(sockets)),
                "rooms": ("Rooms with a socket here", lambda: hub.rooms),
                "hash_mismatches": (
                    "Checks in which a client's text was another than the server's",
                    lambda: hub.hash_mismatches,
                ),
            },
        )

    def trouble(self) -> str | None:
        if self._sockets.is_draining:
            return "draining"
        stalled = max(log.commit.stalled_seconds for log in (self._node.record, self._node.presence))
        return "the log does not answer" if stalled > READY_STALL_SECONDS else None

    @property
    def position(self) -> int:
        return self._node.record.feed.position

    async def projections(self) -> dict[str, dict[str, int]] | None:
        standings = await self._node.standings.find()
        if standings is None:
            return None
        told = {}
        for projector in self._node.projectors:
            standing = standings.get(projector.name, Standing(0, 0))
            lag = max(0, self.position - standing.position)
            told[projector.name] = {"position": standing.position, "lag": lag, "parked": standing.parked}
        return told


def _app(
    settings: Settings,
    node: Node,
    services: Services,
    past: Past,
    tokens: Tokens,
    operation: NodeOperation,
    sockets: SessionSockets,
    failures: Failures,
) -> web.Application:
    app = web.Application(middlewares=[forwarded, with_headers, problems, guard], client_max_size=BODY_BYTES)
    app[SERVICES] = services
    app[TOKENS] = tokens
    app[ENTRANCE] = Entrance(
        settings.is_development,
        frozenset(settings.origins),
        settings.behind_proxy,
    )
    app[OPERATION] = operation
    description: Callable[[], bytes] = cache(_describe)
    app[DESCRIPTION] = description
    app[PAST] = node.time_travel
    app[PAST_USE_CASES] = past
    app[REPLAY] = node.replay
    _add_comparisons(app, node, services)
    app[DIRECTORY] = node.views.directory
    app[ROOMS] = node.views.rooms
    app[MEMBERS] = node.views.members
    app[PROFILES] = node.views.profiles
    app[PRESENCE] = node.views.presence
    app[CHAT] = node.views.chat
    app[ACTIVITY] = node.views.activity
    app[AUDITOR] = PostgresAuditor(node.database)
    app[STATISTICS] = node.views.statistics
    app[CAN_SEAL] = node.keyring.can_seal
    app[ERASER] = Erasing(node, services)
    app[REDACTING] = node.redacting(services)
    app[REDACTIONS] = node.history
    app[CLEANING] = node.clean_later
    app[PROVER] = Proving(node.database.conninfo, node.vouching)
    app[WATCH] = Watch(node.time_travel, node.history)
    app[MOMENTS] = Moments(node.time_travel, node.history, past.blame)
    app[PHRASES] = Phrases(node.time_travel, node.history)
    app[ETHERPAD_READER] = reader = EtherpadReader()
    app.on_cleanup.append(reader.close)
    app[PLOTS] = plots = Plots()
    app.on_cleanup.append(plots.close)
    app[TABLES] = TableExports(node.database.conninfo)
    app[REPORTS] = reports = Reports(node.database.conninfo)
    app.on_cleanup.append(reports.close)
    add_routes(app, Door(services, settings.requests_per_second, failures))
    app.router.add_get("/ws/{room}", sockets.handle)
    return app


def _add_comparisons(app: web.Application, node: Node, services: Services) -> None:
    """What compares texts, and looks for where one became bad."""
    judges = TextJudges()
    app[STATES] = states = States(node.time_travel, services.revisions)
    app[DIFFS] = Diffs(states, node.differ)
    app[BISECT] = Bisect(states, node.history, node.differ)
    app[JUDGES] = judges
    app.on_cleanup.append(judges.close)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Raises `OSError` for a certificate or key that is none."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    postgres: EmbeddedPostgres | None = None
    conninfo = settings.database_url
    if conninfo is None:
        postgres = EmbeddedPostgres(settings.home)
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


def _describe() -> bytes:
    """When somebody asks for the first time: it is as much work as a third of a server's start."""
    from interfaces.http.openapi import describe

    return describe([route for route in ROUTES if route.is_told])
