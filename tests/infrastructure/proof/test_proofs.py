"""A proof file holds with nothing but itself, and no other file does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.chain import Checkpoint
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.proof.checkpoints import make_checkpoint
from infrastructure.proof.proofs import BadProof, Range, check_proof, write_proof
from infrastructure.proof.reading import snapshot_of
from tests.domain.events import NOON
from tests.infrastructure.proof.stores import KEY, a_document, fill, pending
from tests.infrastructure.unguarded import append

OURS = [KEY.public_key().public_bytes_raw()]


async def signed(database: Database, key: Ed25519PrivateKey = KEY) -> Checkpoint:
    checkpoint = await make_checkpoint(database, "record", "e", key, NOON)
    assert checkpoint is not None
    return checkpoint


@pytest.fixture
async def filled(database: Database) -> Database:
    """Five batches of five events in one room, and one of two events in another."""
    await fill(database)
    log = PostgresLog(database, "record")
    await append(log, pending(a_document("other.md", 1, room="other")))
    await log.disconnect()
    return database


def proof(url: str, wanted: Range, checkpoint: Checkpoint) -> list[bytes]:
    with snapshot_of(url) as connection:
        return list(write_proof(connection, wanted, checkpoint))


@pytest.mark.parametrize(("first", "last"), [(1, 27), (1, 25), (7, 9), (6, 10), (9, 17), (27, 27)])
async def test_any_range_is_proved(filled: Database, migrated_url: str, first: int, last: int) -> None:
    checkpoint = await signed(filled)
    proved = check_proof(proof(migrated_url, Range("record", first, last), checkpoint), OURS)
    assert (proved.range, proved.events) == (Range("record", first, last), last - first + 1)
    assert proved.checkpoint == checkpoint


async def test_of_one_room_the_others_say_nothing(filled: Database, migrated_url: str) -> None:
    lines = proof(migrated_url, Range("record", 1, 27, "other"), await signed(filled))
    assert check_proof(lines).events == 2
    assert b"text-1.md" not in b"".join(lines)


async def test_cursors_are_proved_too(filled: Database, migrated_url: str) -> None:
    checkpoint = await make_checkpoint(filled, "presence", "e", KEY, NOON)
    assert checkpoint is not None
    assert check_proof(proof(migrated_url, Range("presence", 1, 3), checkpoint)).events == 3


async def test_what_was_appended_since_changes_nothing(filled: Database, migrated_url: str) -> None:
    checkpoint = await signed(filled)
    log = PostgresLog(filled, "record")
    await append(log, pending(a_document("later.md", 3)))
    await log.disconnect()
    assert check_proof(proof(migrated_url, Range("record", 1, 27), checkpoint)).events == 27


def _changed(lines: list[bytes], number: int, change: Callable[[Any], object]) -> list[bytes]:
    content = orjson.loads(lines[number])
    change(content)
    return [*lines[:number], orjson.dumps(content), *lines[number + 1 :]]


# Line 0 is the head, 1 the first link, 2 to 6 its events, 7 the next link.
FORGERIES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a text": lambda lines: _changed(lines, 3, lambda c: c["event"].update(state='{"op":["forged"]}')),
    "an author": lambda lines: _changed(lines, 3, lambda c: c["event"].update(actor="Ben")),
    "a time": lambda lines: _changed(lines, 3, lambda c: c["event"].update(at=1)),
    "a position": lambda lines: _changed(lines, 3, lambda c: c["event"].update(position=4)),
    "a salt": lambda lines: _changed(lines, 3, lambda c: c["event"].update(salt="00" * 16)),
    "a text that is said to be redacted": lambda lines: _changed(
        lines, 3, lambda c: (c["event"].pop("salt"), c["event"].update(content="00" * 32))
    ),
    "an event less": lambda lines: lines[:3] + lines[4:],
    "an event twice": lambda lines: [*lines[:4], lines[3], *lines[4:]],
    "events swapped": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
    "a batch less": lambda lines: lines[:1] + lines[7:],
    "the end less": lambda lines: lines[:-3],
    "a digest": lambda lines: _changed(
        lines, 1, lambda c: c["link"].update(digests="00" + c["link"]["digests"][2:])
    ),
    "the time of a batch": lambda lines: _changed(lines, 1, lambda c: c["link"].update(oldest=5)),
    "another beginning": lambda lines: _changed(lines, 0, lambda c: c.update(previous="11" * 32)),
    "a later checkpoint": lambda lines: _changed(lines, 0, lambda c: c["checkpoint"].update(position=99)),
    "another signature": lambda lines: _changed(
        lines, 0, lambda c: c["checkpoint"].update(signature="A" * 86 + "==")
    ),
    "a larger range": lambda lines: _changed(lines, 0, lambda c: c.update(last=1_000)),
    "another room": lambda lines: _changed(lines, 0, lambda c: c.update(room="lab")),
    "no file": lambda lines: [],
    "another file": lambda lines: [b"{}\n", *lines],
    "a line of noise": lambda lines: [*lines[:2], b"\xff\xfe", *lines[2:]],
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_no_other_file_proves_anything(filled: Database, migrated_url: str, forgery: str) -> None:
    lines = proof(migrated_url, Range("record", 1, 27), await signed(filled))
    assert check_proof(lines)
    with pytest.raises(BadProof):
        check_proof(FORGERIES[forgery](lines))


async def test_only_a_trusted_key_counts(filled: Database, migrated_url: str) -> None:
    lines = proof(migrated_url, Range("record", 1, 5), await signed(filled, Ed25519PrivateKey.generate()))
    assert check_proof(lines)
    with pytest.raises(BadProof, match="trusted"):
        check_proof(lines, OURS)
