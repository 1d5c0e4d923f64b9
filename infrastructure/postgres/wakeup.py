"""Hints between nodes over LISTEN and NOTIFY: that there is something new in a log, never what.

NOTIFY runs after the commit and on a connection of its own, since inside the transaction it would
make all commits of the cluster wait for each other; and at most once per interval, since a hint is
enough. Hints may be lost: the feed looks for itself anyway.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import psycopg

from infrastructure.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

CHANNEL: Final = "chronoscribe"

# At most this often per node. A reader on another node sees an edit this much later at the most.
NOTIFY_INTERVAL_SECONDS: Final = 0.01

# A node that is alone tells nobody: a hundred notifications a second made its edits take twice as
# long. This often it looks whether it still is; until then another node finds what is new by
# itself, as after a lost hint.
LOOK_SECONDS: Final = 1.0

# A listening connection can die without a sign: it is asked this often.
CHECK_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 0.5


class Wakeup:
    """Tells other nodes that a log has grown, and hears it from them. `run` is its one task.

    The listening connection also holds this node's lock, by which others see that it is alive.
    """

    def __init__(self, database: Database, node: str, node_key: int) -> None:
        self._database = database
        self._node = node
        self._node_key = node_key
        self._on_hint: dict[str, Callable[[], None]] = {}
        self._told: set[str] = set()
        self._tell = asyncio.Event()
        self.reconnects = 0

    def on_hint(self, log: str, wake: Callable[[], None]) -> None:
        """Call `wake` whenever another node has written to `log`."""
        self._on_hint[log] = wake

    def tell(self, log: str) -> None:
        """This node has written to `log`."""
        self._told.add(log)
        self._tell.set()

    async def run(self) -> None:
        """Listen and tell, and connect again whenever that fails, until cancelled."""
        while True:
            try:
                await self._run_connected()
            except (psycopg.Error, OSError, TimeoutError) as error:
                self.reconnects += 1
                logger.warning("hints between nodes are interrupted: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _run_connected(self) -> None:
        listener = await self._database.connect("listener")
        try:
            await listener.execute("SELECT pg_advisory_lock(%s, %s)", (NODE_LOCKS, self._node_key))
            await listener.execute(f"LISTEN {CHANNEL}".encode())
            # A NOTIFY is a transaction with a commit record: it must not compete with the log for the disk.
            teller = await self._database.connect("teller", is_durable=False)
            try:
                # Whatever came while nobody listened.
                for wake in self._on_hint.values():
                    wake()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(listener))
                    tasks.create_task(self._tell_others(teller))
            except ExceptionGroup as group:
                raise group.exceptions[0] from group
            finally:
                await teller.close()
        finally:
            await listener.close()

    async def _is_alone(self, connection: Connection) -> bool:
        row = await (await connection.execute(_ALONE, (NODE_LOCKS, self._node_key), prepare=True)).fetchone()
        return bool(row and row[0])

    async def _listen(self, listener: Connection) -> None:
        while True:
            async for notify in listener.notifies(timeout=CHECK_SECONDS):
                node, _, log = notify.payload.partition(" ")
                if node != self._node and log in self._on_hint:
                    self._on_hint[log]()
            async with asyncio.timeout(CHECK_SECONDS):
                await listener.execute("SELECT 1")

    async def _tell_others(self, teller: Connection) -> None:
        loop = asyncio.get_running_loop()
        looked_at, is_alone = -LOOK_SECONDS, True
        while True:
            await self._tell.wait()
            self._tell.clear()
            told, self._told = self._told, set()
            async with asyncio.timeout(CHECK_SECONDS):
                if loop.time() - looked_at >= LOOK_SECONDS:
                    looked_at, is_alone = loop.time(), await self._is_alone(teller)
                for log in () if is_alone else told:
                    await teller.execute(
                        "SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._node} {log}"), prepare=True
                    )
            await asyncio.sleep(NOTIFY_INTERVAL_SECONDS)


_ALONE: Final = b"""
SELECT NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid <> %s AND granted)
"""

# First key of the advisory locks that nodes hold while they live; the second is the node's own.
NODE_LOCKS: Final = 0x6E6F6465


async def living_nodes(database: Database) -> set[int]:
    """The keys of the nodes whose connection holds its lock."""
    rows = await database.fetch(
        "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted",
        (NODE_LOCKS,),
    )
    return {row[0] for row in rows}
