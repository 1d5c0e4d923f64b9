"""A store is backed up while twenty people type in it, and restored elsewhere: it is the same, it is another
history, and nobody who comes from the old one is merged into it without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from domain.document import Document
from domain.ids import document_stream
from infrastructure.backup.file import reading
from infrastructure.backup.manifest import Manifest
from infrastructure.backup.restoring import manifest_of
from infrastructure.embedded_postgres import EmbeddedPostgres, find_running
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.time_travel import TimeTravel
from interfaces.pyclient import notices
from tests.acceptance.typists import (
    DOCUMENT,
    ROOM,
    SETTLE_SECONDS,
    Typist,
    all_acknowledged_again,
    typing,
    typists,
)
from tests.servers import ServerProcess, running_server
from tests.waiting import until

PEOPLE: Final = 20
STREAM: Final = document_stream(ROOM, DOCUMENT)

_ROWS: Final = (
    "SELECT md5(string_agg(record::text, E'\\n' ORDER BY notification_id)), count(*) FROM record"
    " WHERE notification_id <= %s"
)


def run(server: ServerProcess, *arguments: str) -> str:
    done = server.run(*arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@asynccontextmanager
async def store_of(server: ServerProcess) -> AsyncIterator[Database]:
    """That of a server that runs."""
    dsn = find_running(Path(server.environment["CHRONOSCRIBE_DATA"]))
    assert dsn is not None
    database = Database(dsn)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def back_up(server: ServerProcess, path: Path, people: Sequence[Typist]) -> Manifest:
    """While they type on. All that was acknowledged before is in it."""
    acknowledged = max(ack.revision for person in people for ack in person.acks)
    said = await asyncio.to_thread(run, server, "backup", str(path))
    assert str(path) in said
    with reading(path, lambda _done, _end: None) as archive:
        manifest = manifest_of(archive)
    async with store_of(server) as store:
        rows = await store.fetch(
            "SELECT count(*) FROM record WHERE originator_id = %s AND topic = 'document.edit_applied'"
            " AND notification_id <= %s",
            (STREAM, manifest.record.position),
        )
    assert rows[0][0] >= acknowledged
    return manifest


async def check_equal(old: Database, new: Database, manifest: Manifest) -> Document:
    """Every row up to the backup's moment, the text that they make, what was said; in another epoch. Returns
    the document.
    """
    position = manifest.record.position
    assert await old.fetch(_ROWS, (position,)) == await new.fetch(_ROWS, (position,))
    restored = await PostgresHistory(new).load(STREAM)
    assert isinstance(restored, Document)
    then = await TimeTravel(old).at_position(STREAM, position)
    assert then is not None
    assert (restored.revision, str(restored.text)) == (then.revision, then.text)
    said = [await PostgresHistory(store).messages(ROOM, position, 1_000) for store in (old, new)]
    assert said[0] == said[1]
    epochs = [await PostgresHistory(store).epoch() for store in (old, new)]
    assert epochs[0] == manifest.epoch != epochs[1]
    return restored


@pytest.mark.slow
async def test_a_store_is_backed_up_under_load_and_restored_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "load.backup"
    with running_server() as old, running_server(start=False) as new:
        async with typists([[old.url, new.url]] * PEOPLE, seed=13) as people:
            async with typing(people):
                await all_acknowledged_again(people, SETTLE_SECONDS)
                manifest = await back_up(old, path, people)
                await all_acknowledged_again(people, SETTLE_SECONDS)
            said = await asyncio.to_thread(run, new, "restore", str(path), "--verify")
            assert "EQUAL: the store is what was backed up" in said
            again = await asyncio.to_thread(new.run, "restore", str(path))
            assert (again.returncode, b"E_STORE_NOT_EMPTY" in again.stderr) == (1, True)
            await asyncio.to_thread(new.start)
            async with store_of(old) as before, store_of(new) as after:
                restored = await check_equal(before, after, manifest)
            await people_of_the_old_history_are_told(people, old, restored)
            shown = await asyncio.to_thread(run, new, "show", ROOM, DOCUMENT)
    assert "late" not in shown


def listen(person: Typist, unsent: dict[int, notices.UnsentText], texts: dict[int, str]) -> None:
    person.client.on("unsent", lambda told: unsent.update({person.number: told}))
    person.client.on("reset", lambda told: texts.update({person.number: told.text}))


async def people_of_the_old_history_are_told(
    people: Sequence[Typist], old: ServerProcess, restored: Document
) -> None:
    """Half of them have typed what no server has. The others' was acknowledged, and some of it is lost."""
    await until(lambda: all(person.is_saved for person in people), SETTLE_SECONDS)
    unsent: dict[int, notices.UnsentText] = {}
    texts: dict[int, str] = {}
    for person in people:
        listen(person, unsent, texts)
    writers, readers = people[::2], people[1::2]
    before = people[0].document.text
    old.kill()
    for person in writers:
        person.document.insert(0, "late ")
    await until(lambda: len(unsent) == len(writers) and len(texts) == len(readers), SETTLE_SECONDS)
    for person in writers:
        told = unsent[person.number]
        assert told.text == f"late {before}"
        assert told.unsaved == [["late "]]
    assert set(texts.values()) == {before}  # as they had it: a copy is offered, where something of it is lost
    assert {person.document.text for person in readers} == {str(restored.text)}
    # They go on, with what the server has.
    for person in writers:
        await person.client.open_afresh(person.document)
    for person in (writers[0], readers[0]):
        person.document.insert(0, "on ")
        await person.document.saved()


@pytest.mark.slow
async def test_a_store_that_is_half_restored_is_served_by_nobody(tmp_path: Path) -> None:
    with running_server(start=False) as server:
        home = Path(server.environment["CHRONOSCRIBE_DATA"])
        server.start()
        run(server, "backup", str(tmp_path))
        server.terminate()
        [backup] = await asyncio.to_thread(lambda: list(tmp_path.glob("chronoscribe-*.backup")))
        assert (await asyncio.to_thread(backup.stat)).st_mode & 0o777 == 0o600  # nobody else's
        with EmbeddedPostgres(home) as postgres:
            database = Database(postgres.start())
            async with await database.connect("test") as connection:
                await connection.execute("INSERT INTO store (key, value) VALUES ('restoring', '{}')")
        refused = await asyncio.to_thread(server.run, "serve")
        assert (refused.returncode, b"run `chronoscribe restore`" in refused.stderr) == (2, True)
