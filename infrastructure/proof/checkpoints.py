"""Signed checkpoints: made by a node now and then, kept in the store and in a file beside it, and told to
whoever asks.

A checkpoint in the store is a help; one that somebody else has kept is what nobody with access to the store
can do anything about.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import psycopg

from domain.chain import Checkpoint, statement_of
from domain.instants import as_datetime, as_microseconds
from infrastructure.postgres.database import Database
from infrastructure.proof.findings import Finding, Kind
from infrastructure.proof.reading import link_before

if TYPE_CHECKING:  # commands that sign and check nothing start quicker without the library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# A line of a file of checkpoints is about 400 bytes; who sends us more has sent something else.
LINE_BYTES_MAX: Final = 4_096
# A checkpoint every ten minutes for some years.
CHECKPOINTS_MAX: Final = 1_000_000

_HEAD: Final = """
SELECT first + events - 1, link FROM {log}_chain ORDER BY first DESC LIMIT 1
"""
_KEEP: Final = """
INSERT INTO checkpoints (log, position, epoch, at, link, key, signature) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_COLUMNS: Final = "epoch, log, position, (extract(epoch FROM at) * 1000000)::bigint, link, key, signature"
_KEPT: Final = f"SELECT {_COLUMNS} FROM checkpoints ORDER BY at, log"
_NEWEST: Final = f"SELECT DISTINCT ON (log) {_COLUMNS} FROM checkpoints ORDER BY log, position DESC"


class BadCheckpoint(ValueError):  # noqa: N818
    """Something that is no line of a file of checkpoints."""


# Making.


async def make_checkpoint(
    database: Database, log: str, epoch: str, key: Ed25519PrivateKey, at: datetime
) -> Checkpoint | None:
    """Vouch for all of `log` that is there, and keep that in the store; None while there is nothing.

    Raises `StoreUnavailable`.
    """
    for position, link in await database.fetch(_HEAD.format(log=log)):
        made = _signed(epoch, log, position, as_microseconds(at), link, key)
        await database.change(
            f"{_KEEP} RETURNING log", (log, position, epoch, at, link, made.key, made.signature)
        )
        return made
    return None


def _signed(epoch: str, log: str, position: int, at: int, link: bytes, key: Ed25519PrivateKey) -> Checkpoint:
    signature = key.sign(statement_of(epoch, log, position, at, link))
    return Checkpoint(epoch, log, position, at, link, key.public_key().public_bytes_raw(), signature)


async def newest_checkpoints(database: Database) -> list[Checkpoint]:
    """The newest of each log. Raises `StoreUnavailable`."""
    return [Checkpoint._make(row) for row in await database.fetch(_NEWEST)]


# Files.


def from_json(value: Any) -> Checkpoint:
    """Raises `BadCheckpoint`."""
    try:
        return Checkpoint(
            str(value["epoch"]),
            str(value["log"]),
            int(value["position"]),
            int(value["at"]),
            bytes.fromhex(value["link"]),
            bytes.fromhex(value["key"]),
            base64.b64decode(value["signature"], validate=True),
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadCheckpoint("this is no checkpoint") from error


def append_to_file(path: Path, checkpoints: Iterable[Checkpoint]) -> None:
    """Add lines to a file of checkpoints. Raises `OSError`."""
    with path.open("ab") as file:
        file.writelines(orjson.dumps(one.as_json(), option=orjson.OPT_APPEND_NEWLINE) for one in checkpoints)


def read_file(path: Path) -> Iterator[Checkpoint]:
    """The checkpoints of a file, one JSON object a line. Raises `OSError`, `BadCheckpoint`."""
    with path.open("rb") as file:
        for number in range(1, CHECKPOINTS_MAX + 1):
            line = file.readline(LINE_BYTES_MAX)
            if not line:
                return
            try:
                yield from_json(orjson.loads(line))
            except (orjson.JSONDecodeError, BadCheckpoint):
                raise BadCheckpoint(f"line {number} of {path} is no checkpoint") from None
    raise BadCheckpoint(f"{path} has more than {CHECKPOINTS_MAX:,} lines")


# Checking.


def stored_checkpoints(connection: psycopg.Connection[Any]) -> list[Checkpoint]:
    """All that the store has."""
    return [Checkpoint._make(row) for row in connection.execute(_KEPT.encode(), binary=True)]


def is_signed(checkpoint: Checkpoint) -> bool:
    """Whether its key has signed what it says."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(checkpoint.key).verify(checkpoint.signature, checkpoint.statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_checkpoint(
    connection: psycopg.Connection[Any], checkpoint: Checkpoint, trusted: Iterable[bytes] | None
) -> Finding | None:
    """What is wrong with a checkpoint, or with the log that it vouches for."""
    when = f"{as_datetime(checkpoint.at):%Y-%m-%d %H:%M:%S}"

    def found(kind: Kind, what: str) -> Finding:
        return Finding(checkpoint.log, checkpoint.position, kind, what)

    if checkpoint.log not in ("record", "presence"):
        return found(Kind.CHECKPOINT, f"there is no log {checkpoint.log!r}")
    if not is_signed(checkpoint):
        return found(Kind.CHECKPOINT, f"the signature of the checkpoint of {when} is not its key's")
    if trusted is not None and checkpoint.key not in trusted:
        return found(Kind.CHECKPOINT, f"the checkpoint of {when} is signed by a key that is not trusted")
    link = link_before(connection, checkpoint.log, checkpoint.position + 1)
    end = link.end - 1 if link is not None else 0
    newest = link_before(connection, checkpoint.log, 2**62)
    if newest is None or newest.end - 1 < checkpoint.position:
        last = newest.end - 1 if newest is not None else 0
        what = f"the log ends at {last:,}; on {when} it reached {checkpoint.position:,}: its end was cut off"
        return found(Kind.TRUNCATED, what)
    if link is None or end != checkpoint.position or link.link != checkpoint.link:
        return found(Kind.REWRITTEN, f"up to here this is not the history that there was on {when}")
    return None
