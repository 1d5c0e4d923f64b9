"""A small log to tamper with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.aggregate import Aggregate, Event
from domain.document import Document, Edit
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from tests.domain.events import NOON, later
from tests.infrastructure import samples
from tests.infrastructure.unguarded import append

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pending(*aggregates: Aggregate) -> list[Event]:
    return [e for aggregate in aggregates for e in aggregate.collect_events() if isinstance(e, Event)]


def a_document(name: str, edits: int, room: str = "demo") -> Document:
    document = Document.create(room, name, actor="Ada", at=NOON)
    for number in range(1, edits + 1):
        edit = Edit("ada-1", number, number - 1, [f"{number};"], f"digest {number}")
        document.edit(edit, actor="Ada", at=later(number))
    return document


async def fill(database: Database, *, batches: int = 5, edits: int = 4) -> None:
    """Batches of both logs, each of a document's or a node's."""
    log, presence = PostgresLog(database, "record"), PostgresLog(database, "presence")
    await database.fetch("SELECT create_presence_partition(%s)::text", (samples.AT.date(),))
    try:
        for number in range(batches):
            await append(log, pending(a_document(f"text-{number}.md", edits)))
        await append(presence, [event for event in samples.events() if event.TOPIC.startswith("presence.")])
    finally:
        await log.disconnect()
        await presence.disconnect()


@contextmanager
def tampering(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who may do everything, and switches off what is in the way."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("record", "record_chain", "presence", "presence_chain"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        yield connection
