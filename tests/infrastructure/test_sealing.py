"""Text under keys: everything works as ever for who has them, and nothing is left when they are destroyed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import psycopg
import pytest

from application.identity import Identity
from application.past.redact import Target
from application.past.undo import Selection
from domain.aggregate import Snapshot
from domain.phrase import Phrase
from infrastructure.codec import decode
from infrastructure.erasing import Erasing
from infrastructure.node import Node
from infrastructure.postgres.database import Database, UnsafeStore
from infrastructure.postgres.tables import Asked, reading_table
from infrastructure.proof.certificates import check_certificate
from infrastructure.proof.verify import verify
from infrastructure.proof.vouching import Vouching
from infrastructure.reporting import read_report
from infrastructure.sealing import Keyring
from infrastructure.settings import Settings
from tests.domain.events import NOON, later
from tests.infrastructure.proof.stores import KEY
from tests.infrastructure.test_redacting import STREAM, Room, dump
from tests.waiting import until

MASTER = os.urandom(32)


@asynccontextmanager
async def a_node_with_keys(database: Database, master: bytes | None = MASTER) -> AsyncIterator[Room]:
    keyring = Keyring(database, master)
    await keyring.load()
    keyring.check()
    node = Node(Settings(), database, keyring)
    epoch = await node.history.epoch()
    services = node.services(epoch)
    node.vouching = Vouching(database, epoch, KEY, None, now=services.now)
    await node.start()
    try:
        yield Room(node, services)
    finally:
        await node.close()


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with a_node_with_keys(database) as room:
        await room.open()
        await room.services.profiles.enter(Identity("ben", "Benjamin", NOON, later(3600)))
        await room.services.rooms.seal("demo", is_sealed=True, actor="ada")
        yield room


def the_log(url: str) -> str:
    """Rows of the log alone, as a backup has them."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT convert_from(state, 'UTF8') FROM record").fetchall()
    return "\n".join(state for (state,) in rows)


async def test_what_people_write_is_nowhere_in_the_log_and_reads_as_ever(
    room: Room, migrated_url: str
) -> None:
    await room.edit(["a tale of two cities"])
    await room.edit([2, {"d": 4}], by="ben")
    await room.say("m1", "a whisper")
    await room.past.undo.undo("demo", "main.md", Selection(2, 2), actor="ada")
    assert await room.texts() == ["", "a tale of two cities", "a  of two cities", "a tale of two cities"]
    log = the_log(migrated_url)
    assert not any(word in log for word in ("tale", "cities", "whisper"))
    assert "████ ██ ███ ██████".replace(" ", "█") in log
    assert verify(migrated_url, workers=1).is_sound


async def test_who_comes_later_has_the_same_text(room: Room, migrated_url: str) -> None:
    await room.edit(["a tale"])
    await room.edit([6, " of two"], by="ben")
    database = Database(migrated_url)
    await database.open()
    try:
        async with a_node_with_keys(database) as other:
            assert await other.text() == "a tale of two"
            await room.edit([13, "!"], by="cem")  # under a key that the other does not know
            await until(lambda: other.node.record.feed.position >= room.node.record.feed.position)
            assert await other.text() == "a tale of two!"
    finally:
        await database.close()


async def test_snapshots_are_sealed_too(room: Room, migrated_url: str) -> None:
    await room.edit(["a tale"])
    live = await room.node.record.lives.get(STREAM)
    await room.node.history.save_snapshot(Snapshot.take(live), room.node.record.feed.position)
    assert "tale" not in dump(migrated_url)
    loaded = await room.node.history.load(STREAM)
    assert loaded is not None
    assert str(loaded.text) == "a tale"


async def test_a_room_is_sealed_from_then_on_and_until_then(room: Room, migrated_url: str) -> None:
    await room.services.rooms.seal("demo", is_sealed=False, actor="ada")
    await room.edit(["in the open"])
    assert "in the open" in the_log(migrated_url)


async def test_no_node_starts_without_the_key_of_what_is_sealed(room: Room, database: Database) -> None:
    with pytest.raises(UnsafeStore):
        async with a_node_with_keys(database, None):
            pass


async def test_of_who_is_erased_nothing_is_left_in_any_copy_of_the_log(
    room: Room, migrated_url: str, tmp_path: Path
) -> None:
    await room.edit(["Ada begins. "])
    await room.edit([12, "Ben follows."], by="ben")
    await room.edit([4, {"d": 13}], by="cem")
    await room.say("m1", "Ben says hello", by="ben")
    await room.say("m2", "Ada does, too")
    copy = _copy_of_the_log(migrated_url)

    erasing = Erasing(room.node, room.services)
    certificate = await erasing.erase("ben", reason="he asked for it", actor="root")

    certified = check_certificate(orjson.dumps(certificate))
    assert (certified.user, certified.by, certified.reason) == ("ben", "root", "he asked for it")
    assert (certified.rooms, certified.keys, certified.position) == (1, 1, certificate["position"])
    assert [one["room"] for one in certificate["redactions"]] == ["demo", ""]
    assert [one["room"] for one in certificate["keys"]] == ["demo"]
    await until(lambda: room.node.record.feed.position >= certificate["position"])
    assert await room.texts() == [
        "",
        "Ada begins. ",
        "Ada begins. ████████████",
        "Ada ███████",
        "Ada ███████",
    ]
    await room.projected()
    found = dump(migrated_url)
    assert "Ben" not in found
    profile = await room.services.profiles.get("ben")
    assert (profile.name, profile.avatar) == ("Erased person", "")
    assert verify(migrated_url, workers=1).is_sound
    await room.edit(["and Ada goes on: "])
    await room.edit(["A new beginning. "], by="ben")
    assert (await room.text()).startswith("A new beginning. and Ada goes on: ")

    # A copy from before, with all keys that there still are.
    texts = [str(vars(decode(*row))) for row in copy]
    assert any("Ada begins" in text for text in texts)
    assert not any("Ben follows" in text or "Ben says" in text for text in texts)


def _copy_of_the_log(url: str) -> list[tuple[str, int, str, bytes]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT originator_id, originator_version, topic, state FROM record"
            " WHERE kind IN ('document', 'message')"
        ).fetchall()


async def test_a_secret_is_removed_from_a_sealed_room(room: Room, migrated_url: str) -> None:
    await room.edit(["the key is hunter2, says Ada"])
    await room.edit([4, {"d": 3}], by="ben")
    await room.redact(Target(phrase=Phrase("hunter2")))
    assert (await room.texts())[1] == "the key is ███████, says Ada"
    assert "says Ada" not in the_log(migrated_url)
    assert verify(migrated_url, workers=1).is_sound


async def test_a_report_and_an_export_hold_blocks_since_files_cannot_be_erased(
    room: Room, migrated_url: str
) -> None:
    await room.edit(["a tale\nof two cities\n"])
    await room.say("m1", "a whisper")
    room.node.keyring.close()  # as in the programs that make these files
    read = read_report(migrated_url, "demo")
    lines = [(line.text, line.touches) for line in read.report.documents["main.md"].heat]
    assert lines == [("█" * 6 + "\n", {"ada": 1}), ("█" * 13 + "\n", {"ada": 1})]
    with reading_table(migrated_url, Asked("messages", "demo")) as rows:
        said = str([row for batch in rows.batches for row in batch])
    assert "█" * 9 in said
    assert "whisper" not in said
