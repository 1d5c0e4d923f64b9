"""The part of a node that signs checkpoints: with which key, how often, and where they are published."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.chain import Checkpoint
from infrastructure.keys import read_signing_key, write_once
from infrastructure.postgres.database import Database
from infrastructure.proof.checkpoints import append_to_file, make_checkpoint, newest_checkpoints
from infrastructure.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

logger = logging.getLogger(__name__)

LOGS: Final = ("record", "presence")

# What was appended since the last one can still be cut off unseen. It costs two rows and two lines of a file.
CHECKPOINT_SECONDS: Final = 600

KEY_FILE: Final = "checkpoint.pem"
CHECKPOINTS_FILE: Final = "checkpoints.jsonl"


class Vouching:
    """Signs checkpoints of one store."""

    def __init__(
        self,
        database: Database,
        epoch: str,
        key: Ed25519PrivateKey,
        file: Path | None,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """`file` is where they are written beside the store, None for nowhere."""
        self._database = database
        self._epoch = epoch
        self.key = key
        self._file = file
        self._now = now
        self._turn = asyncio.Lock()

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    async def vouch(self) -> list[Checkpoint]:
        """The newest checkpoint of each log, after those that there was something new for were made.

        Raises `StoreUnavailable`; that the file cannot be written is only logged.
        """
        async with self._turn:
            known = {one.log: one for one in await newest_checkpoints(self._database)}
            newest = []
            for log in LOGS:
                made = await make_checkpoint(self._database, log, self._epoch, self.key, self._now())
                if made is None:
                    continue
                old = known.get(log)
                is_new = old is None or (old.position, old.key) != (made.position, made.key)
                if is_new:
                    await self._publish(made)
                newest.append(made if is_new or old is None else old)
            return newest

    async def _publish(self, checkpoint: Checkpoint) -> None:
        if self._file is None:
            return
        try:
            await asyncio.to_thread(append_to_file, self._file, [checkpoint])
        except OSError as error:
            logger.warning("a checkpoint could not be written to %s: %s", self._file, error.strerror)


def vouching_of(
    settings: Settings, database: Database, epoch: str, *, now: Callable[[], datetime]
) -> Vouching | None:
    """With the key of the settings, or the one of the data folder, which is made when there is none yet. None
    where there is neither: a database of one's own is often everybody's who knows its address.

    Raises `ValueError` for a key that cannot be read, `OSError`.
    """
    if settings.checkpoint_key is not None:
        return Vouching(database, epoch, read_signing_key(settings.checkpoint_key), None, now=now)
    if settings.database_url is not None:
        return None
    home = settings.home
    path = home / KEY_FILE
    if not path.exists():
        _make_key(path)
    return Vouching(database, epoch, read_signing_key(path), home / CHECKPOINTS_FILE, now=now)


def _make_key(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    write_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
