"""An event that this version cannot read parks its own stream and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from domain.document import Edit
from domain.errors import ChronoscribeError
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.node import open_node
from infrastructure.settings import Settings

POISON = (
    "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
    " VALUES (%s, %s, 'document.of_the_future', '{}', 'someone', now())"
)
DEADLINE_SECONDS = 10.0


def edit(seq: int) -> Edit:
    return Edit("c1", seq, seq - 1, ["x"], f"digest{seq}")


async def test_an_unreadable_event_parks_its_stream_and_the_others_go_on(
    durable_postgres: Callable[[], EmbeddedPostgres], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "infrastructure.postgres.log")
    conninfo = durable_postgres().start()
    async with open_node(Settings(), conninfo) as (node, services):
        await services.rooms.open("r", "Room", actor="ada")
        for name in ("sick", "well"):
            await services.documents.create("r", name, actor="ada")
            await services.documents.edit("r", name, edit(1), actor="ada")
        connection = await node.database.connect("poison")
        await connection.execute(POISON, ("document:r/sick", 3))
        await connection.close()
        await passed(node, "document.of_the_future", caplog)

        assert await services.documents.edit("r", "well", edit(2), actor="ada")
        with pytest.raises(ChronoscribeError) as refused:
            await services.documents.edit("r", "sick", edit(2), actor="ada")
        assert refused.value.code == "E_STORE"
        assert not node.failed.done()


async def passed(node: Any, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    """Return when the feed has come past the event."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while topic not in caplog.text:  # noqa: ASYNC110 -- the feed polls, and so do we
            await asyncio.sleep(0.01)
        position = await node.record.store.position()
        while node.record.feed.position < position:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
