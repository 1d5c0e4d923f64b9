"""Text of people at rest under keys of theirs (envelope encryption), for rooms that are sealed.

Of a sealed event the log has what it would have if its text had been removed, blocks, and beside them the
text as AES-256-GCM has made it: `"sealed": {"key": id, "data": base64(nonce + ciphertext)}`. So whoever has
no key reads blocks, and everything else goes on, as after a redaction; when a person's keys are destroyed,
nobody reads anything else any more, in whatever copy of the log. Keys are wrapped by a master key that is not
in the database, and are in no backup of the log.

A key that is not known yet, because another node has made it a moment ago, is looked up when it is needed, by
a connection of its own: once for each person and room.
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
import psycopg

from application.log import Recorded
from domain.aggregate import Event, Snapshot
from domain.document import EditApplied
from domain.erasure import ErasureMade
from domain.errors import StoreUnavailable
from domain.ids import parse_stream
from domain.message import Edited, Imported, Posted
from domain.redaction import black_all, writer_of
from domain.room import SealingChanged
from domain.text_op import Component
from infrastructure.codec import add_opener, encode, remove_opener
from infrastructure.keys import KEY_BYTES, read_master_key, write_once
from infrastructure.postgres.database import Database, UnsafeStore
from infrastructure.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

logger = logging.getLogger(__name__)

NONCE_BYTES: Final = 12

MASTER_KEY_FILE: Final = "master.key"

# The key of what belongs to nobody alone: the snapshots of a room's documents.
EVERYBODY: Final = "*"

# Looking a key up stops the event loop, once for each: a database that does not answer in this time is away.
LOOK_UP_SECONDS: Final = 5

_ROOMS: Final = """
SELECT DISTINCT ON (room) room, (convert_from(state, 'UTF8')::jsonb ->> 'is_sealed')::boolean FROM record
WHERE topic = 'room.sealing_changed' ORDER BY room, notification_id DESC
"""
_KEYS: Final = 'SELECT id, room, "user", wrapped FROM person_keys'
_MAKE: Final = """
INSERT INTO person_keys (id, room, "user", wrapped) VALUES (%s, %s, %s, %s)
ON CONFLICT (room, "user") DO UPDATE SET room = excluded.room RETURNING id, wrapped
"""


class Keyring:
    """The keys of one store. `master` is None where there is no master key: then no room can be sealed."""

    def __init__(self, database: Database, master: bytes | None) -> None:
        self._database = database
        self._master = None if master is None else _aead(master)
        self._keys: dict[str, AESGCM | None] = {}
        """By id; None for one that is gone."""
        self._current: dict[tuple[str, str], str] = {}
        self._sealed: set[str] = set()
        add_opener(self.open)

    async def load(self) -> None:
        """Read which rooms are sealed, and the keys. Raises `StoreUnavailable`."""
        self._sealed = {room for room, is_sealed in await self._database.fetch(_ROOMS) if is_sealed}
        if self._master is None:
            return
        for key, room, user, wrapped in await self._database.fetch(_KEYS):
            self._take(key, room, user, wrapped)

    def close(self) -> None:
        """Open nothing any more."""
        remove_opener(self.open)

    def check(self) -> None:
        """Raise `UnsafeStore` where something would be stored under keys that cannot be had."""
        if self._sealed and self._master is None:
            raise UnsafeStore(
                f"{len(self._sealed)} rooms are sealed, and there is no master key:"
                " CHRONOSCRIBE_MASTER_KEY names its file"
            )

    @property
    def can_seal(self) -> bool:
        return self._master is not None

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the record's feed."""
        for recorded in batch:
            if isinstance(recorded.event, ErasureMade):
                self._forget(recorded.event.keys)
            elif isinstance(recorded.event, SealingChanged):
                room = parse_stream(recorded.event.originator_id).room
                (self._sealed.add if recorded.event.is_sealed else self._sealed.discard)(room)

    def _take(self, key: str, room: str, user: str, wrapped: bytes) -> None:
        assert self._master is not None
        plain = self._master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _about(key, room, user))
        self._keys[key] = _aead(plain)
        self._current[room, user] = key

    # Sealing.

    async def prepare(self, events: Sequence[Event]) -> None:
        """Make the keys that are missing for these. Raises `StoreUnavailable`."""
        if not self._sealed:
            return
        for event in events:
            room = parse_stream(event.originator_id).room
            if room in self._sealed and _texts(event) is not None:
                await self._key_of(room, writer_of(event))

    async def _key_of(self, room: str, user: str) -> str:
        if (known := self._current.get((room, user))) is not None:
            return known
        if self._master is None:
            raise StoreUnavailable("there is no master key", retry_after=60.0)
        key, nonce = secrets.token_urlsafe(12), os.urandom(NONCE_BYTES)
        wrapped = nonce + self._master.encrypt(nonce, os.urandom(KEY_BYTES), _about(key, room, user))
        [(found, wrapped)] = await self._database.change(_MAKE, (key, room, user, wrapped))
        self._take(found, room, user, wrapped)
        return str(found)

    def encode(self, event: Event) -> bytes:
        """The stored state of an event, sealed where its room is."""
        room = parse_stream(event.originator_id).room
        if room not in self._sealed or (texts := _texts(event)) is None:
            return encode(event)
        key = self._current[room, writer_of(event)]
        state = orjson.loads(encode(event))
        state |= _black(event)
        state["sealed"] = {"key": key, "data": self._seal(key, orjson.dumps(texts), _place(event))}
        return orjson.dumps(state)

    async def encode_snapshot(self, snapshot: Snapshot) -> bytes:
        """The stored state of a snapshot. Raises `StoreUnavailable`."""
        room = parse_stream(snapshot.originator_id).room
        if room not in self._sealed:
            return encode(snapshot)
        key = await self._key_of(room, EVERYBODY)
        state = orjson.loads(encode(snapshot))
        data = self._seal(key, orjson.dumps(state.pop("state")), _place(snapshot))
        return orjson.dumps({**state, "sealed": {"key": key, "data": data}})

    def _seal(self, key: str, plain: bytes, about: bytes) -> str:
        nonce = os.urandom(NONCE_BYTES)
        aead = self._keys[key]
        assert aead is not None
        return base64.b64encode(nonce + aead.encrypt(nonce, plain, about)).decode()

    # Opening.

    def open(self, key: str, data: str, about: bytes) -> Any | None:
        """What was sealed, None when its key is gone."""
        aead = self._keys[key] if key in self._keys else self._look_up(key)
        if aead is None:
            return None
        raw = base64.b64decode(data)
        return orjson.loads(aead.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about))

    def _look_up(self, key: str) -> AESGCM | None:
        if self._master is None:
            return None
        try:
            with psycopg.connect(self._database.conninfo, connect_timeout=LOOK_UP_SECONDS) as connection:
                row = connection.execute(f"{_KEYS} WHERE id = %s".encode(), (key,)).fetchone()
        except psycopg.Error as error:
            raise StoreUnavailable("a key cannot be read", retry_after=0.5) from error
        if row is None:
            self._keys[key] = None
        else:
            self._take(*row)
        return self._keys[key]

    def _forget(self, keys: Sequence[str]) -> None:
        """These were destroyed."""
        for key in keys:
            self._keys[key] = None
        self._current = {whose: key for whose, key in self._current.items() if self._keys[key] is not None}


def _texts(event: Event) -> Any | None:
    """What is sealed of an event, None for one that has nothing of the kind."""
    if isinstance(event, EditApplied):
        return [event.op, event.digest]
    if isinstance(event, Posted | Imported | Edited):
        return event.text
    return None


def _black(event: Event) -> dict[str, Any]:
    """What is to be seen in its place."""
    if isinstance(event, EditApplied):
        return {"op": [_blacked(component) for component in event.op], "digest": ""}
    assert isinstance(event, Posted | Imported | Edited)
    return {"text": black_all(event.text)}


def _blacked(component: Component) -> Component:
    if isinstance(component, int):
        return component
    return black_all(component) if isinstance(component, str) else {"d": black_all(str(component["d"]))}


def _place(event: Event | Snapshot) -> bytes:
    """What is sealed can be read in its place alone."""
    return f"{event.originator_id}\n{event.originator_version}\n{type(event).TOPIC}".encode()


def _about(key: str, room: str, user: str) -> bytes:
    return f"{key}\n{room}\n{user}".encode()


def _aead(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


# The master key.


async def keyring_of(settings: Settings, database: Database) -> Keyring:
    """The keys of a store. Raises `StoreUnavailable`."""
    try:
        master = master_key_of(settings)
    except (OSError, ValueError) as error:
        # A command beside a server of another account cannot read its key, and seldom needs it.
        logger.warning("no master key: %s", error)
        master = None
    keyring = Keyring(database, master)
    await keyring.load()
    return keyring


def master_key_of(settings: Settings) -> bytes | None:
    """That of the settings, or the one of the data folder, which is made when there is none yet; None where
    there is neither. Raises `ValueError`, `OSError`.
    """
    if settings.master_key is not None:
        return read_master_key(settings.master_key)
    if settings.database_url is not None:
        return None
    path = settings.home / MASTER_KEY_FILE
    if not path.exists():
        write_once(path, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    return read_master_key(path)
