"""Asks the log the questions of the folder `questions`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Final

import psycopg

from domain.errors import Overloaded, TextInvalid
from infrastructure.postgres.database import Connection, Database
from projections.questions import Column, Found, Given, Question, Row, read

# A few hundred kilobytes; nobody reads faster than a database sends.
PAGE_ROWS: Final = 1_000

# Nothing can be written here, whatever a question says; and what is asked at one time has one answer.
_BEGIN: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}"


@cache
def questions() -> Mapping[str, Question]:
    """All there are, by name, in order."""
    folder = files("infrastructure.postgres.questions")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    found = [read(name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names]
    return {question.name: question for question in found}


class PostgresAuditor:
    """On a connection of its own for each question: those of readers are for what takes milliseconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def questions(self) -> Mapping[str, Question]:
        return questions()

    @asynccontextmanager
    async def ask(
        self, question: Question, given: Given, *, seconds: float | None = None
    ) -> AsyncIterator[Found]:
        """The answer, read from the server page by page. Without `seconds` it may take as long as it takes.

        Raises `KeyError` for what is not asked for, `TextInvalid` for a value that is none, `Overloaded` when
        it takes longer, `StoreUnavailable`.
        """
        parameters = question.parameters(given)
        async with self._database.alone("audit") as connection:
            try:
                async with connection.transaction():
                    await connection.execute(_BEGIN.format(round((seconds or 0) * 1000)).encode())
                    async with connection.cursor("answer", binary=True) as cursor:
                        await cursor.execute(question.statement.encode(), parameters)
                        yield Found(_columns(connection, cursor), _pages(cursor))
            except psycopg.errors.QueryCanceled:
                raise Overloaded("this takes too long; ask for a shorter time", retry_after=60.0) from None
            except psycopg.errors.DataError:
                raise TextInvalid("one of the values cannot be read") from None


async def _pages(cursor: psycopg.AsyncServerCursor[Any]) -> AsyncIterator[Sequence[Row]]:
    while page := await cursor.fetchmany(PAGE_ROWS):
        yield page


def _columns(connection: Connection, cursor: psycopg.AsyncServerCursor[Any]) -> tuple[Column, ...]:
    types = connection.adapters.types
    return tuple(
        Column(column.name, _type_name(types.get(column.type_code), column.type_code))
        for column in cursor.description or ()
    )


def _type_name(found: psycopg.types.TypeInfo | None, oid: int) -> str:
    assert found is not None, f"a question answers with the type {oid}, which nobody can read"
    return found.name if found.oid == oid else f"{found.name}[]"
