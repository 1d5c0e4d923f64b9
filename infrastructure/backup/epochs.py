"""Begins a new epoch in a store that was put back by other means than ours: by Postgres' own, to a point in
time, by a standby that took over and lacked the last moments, by a copy of a disk. Its clients may know of
events that it does not, and it cannot tell by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from domain.aggregate import Event
from domain.instants import as_microseconds
from domain.restoration import Restoration
from infrastructure.backup.copying import refused_by_the_store
from infrastructure.backup.mark import EPOCH, check_restored
from infrastructure.backup.refusals import BackupRefused
from infrastructure.group_commit import OutcomeUnknown
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.wakeup import living_nodes


async def begin_epoch(database: Database, *, by: str, actor: str) -> str:
    """The new epoch, which the record is told of in the same transaction. Raises `BackupRefused`,
    `UnsafeStore`.
    """
    async with refused_by_the_store():
        if await living_nodes(database):
            raise BackupRefused("E_STORE_IN_USE", "a server runs on this store: stop it first")
        async with await database.connect("epoch") as connection:
            await check_restored(connection)
        epoch = str(uuid.uuid4())
        now = datetime.now(UTC)
        restoration = Restoration.begin(
            epoch,
            backup="",
            source_epoch=await PostgresHistory(database).epoch(),
            source_at=as_microseconds(now),
            record_position=await PostgresLog(database, "record").position(),
            presence_position=await PostgresLog(database, "presence").position(),
            by=by,
            actor=actor,
            at=now,
        )
        log = PostgresLog(database, "record")
        try:
            async with log.exclusive() as connection:
                await connection.execute("UPDATE store SET value = %s WHERE key = %s", (epoch, EPOCH))
                events = cast("Sequence[Event]", restoration.collect_events())
                await log.append_within(connection, events, [None])
        except OutcomeUnknown as error:
            raise BackupRefused(
                "E_STORE", f"whether it was done is not known, do it again: {error}"
            ) from error
        finally:
            await log.disconnect()
    return epoch
