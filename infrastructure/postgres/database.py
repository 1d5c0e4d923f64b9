"""Connections to one Postgres: for reading a pool, for writing and listening one each by whoever needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import Overloaded, StoreUnavailable
from infrastructure.postgres import arrays

# A client waits about this long before it sends again, so an answer after it helps nobody.
STATEMENT_SECONDS: Final = 5
LOCK_SECONDS: Final = 2
CONNECT_SECONDS: Final = 5

# Reading is for opening documents, catching up and looking back; on two cores more at once only
# make each other slow.
READERS_MAX: Final = 6

# READ COMMITTED, whatever the server's default is: with an older snapshot an append that has waited for its
# turn would not see what was appended meanwhile.
# Keepalives find a peer that vanished in 10 + 3 * 5 seconds instead of the system's two hours.
_OPTIONS: Final = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
    " -c idle_in_transaction_session_timeout=5s -c timezone=UTC"
    " -c default_transaction_isolation=read\\ committed"
)
_KEEPALIVE: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

# What is to take milliseconds is not worth compiling, nor starting other processes for.
_ALONE: Final = "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;"

Connection = AsyncConnection[Any]


class UnsafeStore(Exception):  # noqa: N818
    """This Postgres could lose what it has acknowledged: the server must not start on it."""


class Database:
    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self._pool = AsyncConnectionPool(
            conninfo,
            kwargs={"autocommit": True, **self._arguments("reader")},
            min_size=1,
            max_size=READERS_MAX,
            open=False,
            timeout=CONNECT_SECONDS,
            # While Postgres is away, readers get an answer from the time-out; the pool goes on trying.
            reconnect_timeout=3600,
            configure=_configure,
        )

    async def open(self) -> None:
        """Raises `StoreUnavailable`."""
        try:
            await self._pool.open(wait=True, timeout=CONNECT_SECONDS)
        except PoolTimeout as error:
            raise StoreUnavailable(f"Postgres does not answer{await self._why_not()}") from error

    async def _why_not(self) -> str:
        """What the pool knows and does not tell: such as that there is no such database."""
        try:
            await (await self.connect("a look")).close()
        except psycopg.Error as error:
            return f": {str(error).strip()}"
        return " in time"

    async def close(self) -> None:
        await self._pool.close()

    async def connect(self, name: str, *, is_durable: bool = True) -> Connection:
        """A connection of one's own in autocommit mode. Raises `psycopg.OperationalError`.

        Without `is_durable` its commits do not wait for the disk: for hints, and for what can be made again
        from the log. What it writes is still never on disk before what it was made from.
        """
        connection = await AsyncConnection.connect(
            self.conninfo,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            **self._arguments(name, is_durable=is_durable),
        )
        arrays.register(connection)
        return connection

    @staticmethod
    def _arguments(name: str, *, is_durable: bool = True) -> dict[str, Any]:
        options = _OPTIONS if is_durable else f"{_OPTIONS} -c synchronous_commit=off"
        return {"options": options, "application_name": f"chronoscribe {name}", **_KEEPALIVE}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection from the pool. Raises `StoreUnavailable` also for what goes wrong inside."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise StoreUnavailable("the store cannot be read", retry_after=0.5) from error

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[Connection]:
        """A connection beside the pool, for what may take long. Raises `StoreUnavailable` also for what goes
        wrong inside.
        """
        try:
            connection = await self.connect(name)
            try:
                yield connection
            finally:
                await connection.close()
        except psycopg.errors.QueryCanceled:
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailable("the store cannot be read", retry_after=0.5) from error

    async def fetch(self, query: str, parameters: Any = (), *, prepare: bool = True) -> list[Any]:
        """All rows of a query, in binary form. Tried again once on a connection that has died meanwhile.

        Without `prepare` it is planned for just these parameters, which takes about as long as a small query.

        Raises `StoreUnavailable`.
        """
        try:
            return await self._fetch(query, parameters, prepare=prepare)
        except StoreUnavailable:
            return await self._fetch(query, parameters, prepare=prepare)

    async def fetch_soon(
        self, query: str, parameters: Any, *, seconds: float, settings: str = ""
    ) -> list[Any]:
        """The same, for a question that could take long, as nobody knows before: it is planned for just these
        parameters, under these further `SET LOCAL` statements, and given up after so many seconds.

        Raises `Overloaded` then, and `StoreUnavailable`.
        """
        limit = f"SET LOCAL statement_timeout = {round(seconds * 1000)}; {_ALONE} {settings}"
        async with self.reading() as connection:
            try:
                async with connection.transaction():
                    await connection.execute(limit.encode())
                    cursor = connection.cursor(binary=True)
                    await cursor.execute(query.encode(), parameters, prepare=False)
                    return await cursor.fetchall()
            except psycopg.errors.QueryCanceled:
                raise Overloaded("this takes too long", retry_after=1.0) from None

    async def change(self, statement: str, parameters: Any = ()) -> list[Any]:
        """The rows that a statement returns that writes. Never tried again: when it fails, nobody knows
        whether it was done.

        For small tables that are no log. Raises `StoreUnavailable`.
        """
        return await self._fetch(statement, parameters)

    async def _fetch(self, query: str, parameters: Any, *, prepare: bool = True) -> list[Any]:
        async with self.reading() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query.encode(), parameters, prepare=prepare)
            return await cursor.fetchall()

    async def check_durability(self) -> None:
        """Raise `UnsafeStore` when a crash of this Postgres could lose what it has acknowledged."""
        rows = await self.fetch(
            "SELECT name, setting FROM pg_settings"
            " WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name"
        )
        unsafe = [f"{name} = {setting}" for name, setting in rows if setting in {"off", "local"}]
        if unsafe:
            raise UnsafeStore(
                f"Postgres runs with {', '.join(unsafe)}: acknowledged edits could be lost in a crash."
                " Switch it on and start again."
            )


async def _configure(connection: Connection) -> None:
    arrays.register(connection)
