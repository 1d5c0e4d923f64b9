"""Attributions that were folded once, kept for the next question; and the facts about single edits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg

from application.past.blame import PAGE_RUNS, EditFacts
from domain.attribution import Origin, Run
from domain.document import EditApplied
from domain.errors import Corrupt, StoreUnavailable
from domain.instants import as_datetime
from infrastructure.postgres.database import Database

logger = logging.getLogger(__name__)

_NEAREST: Final = """
SELECT revision, state FROM attributions
WHERE originator_id = %s AND revision <= %s ORDER BY revision DESC LIMIT 1
"""
_KEEP: Final = """
INSERT INTO attributions (originator_id, revision, state) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_FACTS: Final = """
SELECT actor, at, state FROM record
WHERE originator_id = %s AND originator_version = ANY(%s) AND topic = %s
"""


class KeptAttributions:
    """An `Attributions` in a table. All methods raise `StoreUnavailable`, and `Corrupt`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def nearest(self, stream: str, revision: int) -> tuple[int, Sequence[Run]]:
        for found, state in await self._database.fetch(_NEAREST, (stream, revision)):
            told = orjson.loads(state)
            runs: list[Run] = []
            for first in range(0, len(told), PAGE_RUNS):
                runs += map(_as_run, told[first : first + PAGE_RUNS])
                await asyncio.sleep(0)
            return found, runs
        return 0, []

    async def keep(self, stream: str, revision: int, runs: Sequence[Run]) -> None:
        told: list[list[int | str]] = []
        for first in range(0, len(runs), PAGE_RUNS):
            told += [[*run[:3], *(run.origin or ())] for run in runs[first : first + PAGE_RUNS]]
            await asyncio.sleep(0)
        state = orjson.dumps(told)
        try:
            async with self._database.reading() as connection:
                await connection.execute(_KEEP, (stream, revision, state))
        except (StoreUnavailable, psycopg.Error) as error:
            # Whoever asked has an answer; the next one will take as long.
            logger.warning("an attribution could not be kept: %s", error)

    async def facts(self, stream: str, revisions: Sequence[int]) -> Mapping[int, EditFacts]:
        # A document's stream begins with its creation; all that follows are its edits.
        versions = [revision + 1 for revision in revisions]
        facts: dict[int, EditFacts] = {}
        for actor, at, state in await self._database.fetch(_FACTS, (stream, versions, EditApplied.TOPIC)):
            fields = orjson.loads(state)
            facts[fields["revision"]] = _facts(actor, at, fields)
        if missing := set(revisions) - facts.keys():
            raise Corrupt(f"{len(missing)} edits of {stream} are not where they should be")
        return facts


def _facts(actor: str, at: datetime, fields: Mapping[str, Any]) -> EditFacts:
    if (written := fields.get("written")) is not None:
        actor, at = fields["author"], as_datetime(written)
    return EditFacts(actor, at, fields["cause"], fields.get("reference"), fields.get("note"))


def _as_run(told: Sequence[int | str]) -> Run:
    length, revision, offset, *origin = told
    if not origin:
        return Run(int(length), int(revision), int(offset))
    document, first, place = origin
    return Run(int(length), int(revision), int(offset), Origin(str(document), int(first), int(place)))
