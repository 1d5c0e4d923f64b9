"""Nodes without sockets, on databases of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.services import Services
from infrastructure.node import Node
from infrastructure.postgres.database import Database
from infrastructure.settings import Settings


@asynccontextmanager
async def a_node(
    database: Database, settings: Settings | None = None
) -> AsyncIterator[tuple[Node, Services]]:
    """A node on a Postgres that is quick and not safe, which `open_node` would refuse."""
    node = Node(settings or Settings(), database)
    services = node.services(await node.history.epoch())
    await node.start()
    try:
        yield node, services
    finally:
        await node.close()
