"""Whatever is done to a log behind the product's back is found, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.chain import Checkpoint
from infrastructure.postgres import migrations
from infrastructure.postgres.database import Database
from infrastructure.proof import verify as module
from infrastructure.proof.checkpoints import (
    BadCheckpoint,
    append_to_file,
    make_checkpoint,
    newest_checkpoints,
    read_file,
)
from infrastructure.proof.findings import Kind
from infrastructure.proof.verify import Verdict, verify
from tests.domain.events import NOON
from tests.infrastructure.proof.stores import KEY, fill, tampering

# Of `fill`: each document is one batch of five events.
EVENTS, BATCH = 25, 5


@pytest.fixture
async def filled(database: Database) -> Database:
    await fill(database)
    return database


def verified(url: str, **how: Any) -> Verdict:
    return verify(url, workers=1, **how)


def found(url: str, **how: Any) -> list[tuple[str, int, Kind]]:
    return [(one.log, one.position, one.kind) for one in verified(url, **how).findings.first]


async def vouch(database: Database, key: Ed25519PrivateKey = KEY) -> list[Checkpoint]:
    for log in ("record", "presence"):
        assert await make_checkpoint(database, log, "e", key, NOON)
    return await newest_checkpoints(database)


async def test_a_log_that_nobody_has_touched_is_sound(filled: Database, migrated_url: str) -> None:
    await vouch(filled)
    verdict = verified(migrated_url)
    assert verdict.is_sound
    assert verdict.events == {"record": EVENTS, "presence": 3}
    assert verdict.batches == {"record": 5, "presence": 1}
    assert [one.position for one in verdict.checkpoints] == [3, EVENTS]
    head = verdict.heads["record"]
    assert head is not None
    assert head.end == EVENTS + 1


async def test_an_empty_log_is_sound(database: Database, migrated_url: str) -> None:
    verdict = verified(migrated_url)
    assert verdict.is_sound
    assert verdict.heads == {"record": None, "presence": None}


# Each of the columns of the record; those which Postgres makes of others have to be freed first.
RECORD_CHANGES = {
    "originator_id": "originator_id = 'document:demo/other.md'",
    "originator_version": "originator_version = 9",
    "topic": "topic = 'document.created'",
    "state": "state = convert_to(replace(convert_from(state, 'UTF8'), '2;', '3;'), 'UTF8')",
    "notification_id": "notification_id = 1000",
    "actor": "actor = 'Ben'",
    "at": "at = at - interval '1 microsecond'",
    "client": "client = 'ben-1'",
    "client, to nothing": "client = NULL",
    "seq": "seq = 17",
    "kind": "kind = 'message'",
    "room": "room = 'other'",
}


def test_the_list_of_columns_is_complete(migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as connection:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'record'"
        ).fetchall()
    assert {row[0] for row in rows} == {name.partition(",")[0] for name in RECORD_CHANGES}


@pytest.mark.parametrize("column", RECORD_CHANGES)
async def test_a_changed_column_is_found(filled: Database, migrated_url: str, column: str) -> None:
    with tampering(migrated_url) as connection:
        if column in {"kind", "room"}:
            connection.execute(f"ALTER TABLE record ALTER {column} DROP EXPRESSION".encode())
        connection.execute(f"UPDATE record SET {RECORD_CHANGES[column]} WHERE notification_id = 8".encode())
    if column == "notification_id":
        assert found(migrated_url) == [("record", 8, Kind.REMOVED), ("record", 1000, Kind.ADDED)]
    else:
        [only] = verified(migrated_url).findings.first
        assert (only.log, only.position, only.kind) == ("record", 8, Kind.CHANGED)
        if column not in {"originator_id", "originator_version"}:
            assert (only.stream, only.version) == ("document:demo/text-1.md", 3)


PRESENCE_CHANGES = {
    "originator_id": "originator_id = 'presence:demo/node-2'",
    "originator_version": "originator_version = 9",
    "topic": "topic = 'presence.begun'",
    "state": "state = state || ' '",
    "actor": "actor = 'node-2'",
    "at": "at = at + interval '1 second'",
}


@pytest.mark.parametrize("column", PRESENCE_CHANGES)
async def test_cursors_are_vouched_for_as_well(filled: Database, migrated_url: str, column: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute(
            f"UPDATE presence SET {PRESENCE_CHANGES[column]} WHERE notification_id = 2".encode()
        )
    assert found(migrated_url) == [("presence", 2, Kind.CHANGED)]


async def test_a_removed_event_is_found(filled: Database, migrated_url: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute("DELETE FROM record WHERE notification_id IN (8, 13)")
    assert found(migrated_url) == [("record", 8, Kind.REMOVED), ("record", 13, Kind.REMOVED)]


async def test_an_added_event_is_found(filled: Database, migrated_url: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute(
            "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
            " SELECT 'message:demo/forged', 1, topic, state, actor, at FROM record WHERE notification_id = 1"
        )
    assert found(migrated_url) == [("record", EVENTS + 1, Kind.ADDED)]


async def test_two_events_that_have_changed_places_are_found_as_such(
    filled: Database, migrated_url: str
) -> None:
    with tampering(migrated_url) as connection:
        for old, new in ((8, 0), (19, 8), (0, 19)):
            connection.execute(
                "UPDATE record SET notification_id = %s WHERE notification_id = %s", (new, old)
            )
    first, second = verified(migrated_url).findings.first
    assert (first.position, first.kind, first.what) == (8, Kind.SWAPPED, "this event was appended at 19")
    assert (second.position, second.kind, second.what) == (19, Kind.SWAPPED, "this event was appended at 8")


async def test_a_removed_batch_with_its_link_is_found(filled: Database, migrated_url: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute("DELETE FROM record WHERE notification_id BETWEEN 6 AND 10")
        connection.execute("DELETE FROM record_chain WHERE first = 6")
    assert found(migrated_url) == [("record", 11, Kind.CHAIN)]


@pytest.mark.parametrize(
    "change",
    [
        "first = 40",
        "events = 4",
        "at = at + interval '1 second'",
        "digests = overlay(digests placing decode(repeat('00', 32), 'hex') from 1)",
        "link = sha256(link)",
    ],
)
async def test_a_changed_link_is_found(filled: Database, migrated_url: str, change: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute(f"UPDATE record_chain SET {change} WHERE first = 6".encode())
    assert Kind.CHAIN in {kind for _, _, kind in found(migrated_url)}


async def test_a_changed_salt_is_found(filled: Database, migrated_url: str) -> None:
    with tampering(migrated_url) as connection:
        connection.execute("UPDATE record_chain SET salts = reverse(salts) WHERE first = 6")
    assert {kind for _, _, kind in found(migrated_url)} <= {Kind.CHANGED, Kind.SWAPPED}
    assert not verified(migrated_url).is_sound


async def test_text_that_was_taken_away_without_a_redaction_is_found(
    filled: Database, migrated_url: str
) -> None:
    with tampering(migrated_url) as connection:
        connection.execute(
            "UPDATE record_chain SET salts = overlay(salts placing decode(repeat('00', 16), 'hex') from 17)"
            " WHERE first = 6"
        )
    assert found(migrated_url) == [("record", 7, Kind.REDACTION)]


async def test_an_end_that_was_cut_off_is_found_by_a_checkpoint_that_was_kept(
    filled: Database, migrated_url: str
) -> None:
    kept = await vouch(filled)
    with tampering(migrated_url) as connection:
        for table, column in (("record", "notification_id"), ("record_chain", "first")):
            connection.execute(f"DELETE FROM {table} WHERE {column} > 20".encode())
        connection.execute("DELETE FROM checkpoints")
    assert verified(migrated_url).is_sound  # nothing in the store tells
    assert found(migrated_url, checkpoints=kept) == [("record", EVENTS, Kind.TRUNCATED)]


async def test_a_history_that_was_made_anew_is_found_by_a_checkpoint_that_was_kept(
    filled: Database, migrated_url: str
) -> None:
    kept = await vouch(filled)
    with tampering(migrated_url) as connection:
        for table in ("record", "record_chain", "presence", "presence_chain", "checkpoints"):
            connection.execute(f"DELETE FROM {table}".encode())
        for log in ("record", "presence"):
            connection.execute(f"ALTER SEQUENCE {log}_notification_id_seq RESTART".encode())
    await fill(filled)  # the same events, with salts of their own
    assert verified(migrated_url).is_sound
    assert ("record", EVENTS, Kind.REWRITTEN) in found(migrated_url, checkpoints=kept)


async def test_a_checkpoint_counts_only_with_a_signature_of_a_trusted_key(
    filled: Database, migrated_url: str
) -> None:
    stranger = Ed25519PrivateKey.generate()
    [presence, record] = sorted(await vouch(filled, stranger))
    assert verified(migrated_url).is_sound
    ours = [KEY.public_key().public_bytes_raw()]
    assert {kind for _, _, kind in found(migrated_url, trusted=ours)} == {Kind.CHECKPOINT}
    forged = record._replace(link=bytes(32))
    assert found(migrated_url, checkpoints=[forged]) == [("record", EVENTS, Kind.CHECKPOINT)]
    assert presence.log == "presence"


async def test_a_log_in_many_pieces_is_checked_by_several_processes(
    database: Database, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE_POSITIONS", 7)  # batches of five lie across the ends of pieces
    await fill(database, batches=12)
    seen: list[tuple[int, int]] = []
    verdict = verify(migrated_url, workers=2, on_progress=lambda done, end: seen.append((done, end)))
    assert verdict.is_sound
    assert verdict.events["record"] == 60
    assert seen == [(done, len(seen)) for done in range(1, len(seen) + 1)]
    with tampering(migrated_url) as connection:
        connection.execute("UPDATE record SET actor = 'Ben' WHERE notification_id IN (31, 57)")
    assert [one.position for one in verify(migrated_url, workers=2).findings.first] == [31, 57]


_OLD_EVENT = """
INSERT INTO record (notification_id, originator_id, originator_version, topic, state, actor, at, client, seq)
VALUES (%s, %s, %s, 'a.topic', %s, 'Ada 😀', '2026-11-23 12:00:00.000001+00', %s, %s)
"""


async def test_what_was_there_before_the_chain_is_vouched_for_by_the_upgrade(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same digests by Postgres' functions as by ours, also where numbers were burnt."""
    every = migrations._available()
    monkeypatch.setattr(migrations, "_available", lambda: [one for one in every if one[0] < "0012"])
    connection = await Database(database_url).connect("test")
    async with connection:
        await migrations.migrate(connection)
        for position in (*range(1, 700), *range(705, 710), 720):
            client, seq = ("ada-1", position) if position % 2 else (None, None)
            stream = f"document:demo/größe-{position}"
            state = '{"at":1,"text":"straße 😀"}'.encode()
            await connection.execute(_OLD_EVENT, (position, stream, 1, state, client, seq))
        monkeypatch.setattr(migrations, "_available", lambda: every)
        await migrations.migrate(connection)
    verdict = verified(database_url)
    assert verdict.findings.first == []
    assert (verdict.events["record"], verdict.batches["record"]) == (705, 4)


async def test_checkpoints_are_kept_in_files_of_lines(filled: Database, tmp_path: Path) -> None:
    made = await vouch(filled)
    append_to_file(tmp_path / "checkpoints.jsonl", made)
    append_to_file(tmp_path / "checkpoints.jsonl", made[:1])
    assert list(read_file(tmp_path / "checkpoints.jsonl")) == [*made, made[0]]
    (tmp_path / "other.jsonl").write_text('{"log": "record"}\n')
    with pytest.raises(BadCheckpoint, match="line 1"):
        list(read_file(tmp_path / "other.jsonl"))
