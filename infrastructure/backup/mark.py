"""The mark of a store whose restore has begun and is not finished: its rows are there, and not yet all that
belongs to them. Nobody works on it but the restore.
"""

from __future__ import annotations

from typing import Final

from infrastructure.postgres.database import Connection, UnsafeStore

# Keys of the table `store`.
EPOCH: Final = "epoch"
RESTORING: Final = "restoring"


async def check_restored(connection: Connection) -> None:
    """Raises `UnsafeStore`."""
    query = "SELECT FROM store WHERE key = %s"
    if await (await connection.execute(query, (RESTORING,))).fetchone() is not None:
        raise UnsafeStore(
            "a restore of this store was interrupted: run `chronoscribe restore` with the same file again"
        )
