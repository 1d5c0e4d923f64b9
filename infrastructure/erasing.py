"""Everything that a person has written, removed: from every room's past and present, from their profile, and
from copies of the log that were made before, by destroying the keys under which it was stored there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import psycopg

from application.past.redact import ERASED_NAME, Redacting, Target
from application.services import Services
from domain.aggregate import Event
from domain.erasure import Erasure
from domain.errors import NotFound, StoreUnavailable
from domain.instants import as_microseconds
from domain.redaction import RedactionMade, check_reason
from infrastructure.node import Node
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.postgres.wakeup import CHANNEL
from infrastructure.proof.certificates import FORMAT, VERSION, sign_certificate

OnProgress = Callable[[int, int], None]

# Where something of theirs can be; their profile is in no room.
_ROOMS: Final = """
SELECT room FROM record WHERE actor = %s AND kind IN ('document', 'message', 'attendance') AND room <> ''
UNION SELECT room FROM chat_messages WHERE author = %s ORDER BY room
"""
_DESTROY: Final = b'DELETE FROM person_keys WHERE "user" = %s RETURNING id, room'


class Erasing:
    """Erases people, on one node."""

    def __init__(self, node: Node, services: Services) -> None:
        self._node = node
        self._services = services
        self._redacting: Redacting = node.redacting(services)

    async def rooms(self, user: str) -> list[str]:
        """Where there is something of theirs. Raises `StoreUnavailable`."""
        return [room for (room,) in await self._node.database.fetch(_ROOMS, (user, user))]

    async def erase(
        self, user: str, *, reason: str, actor: str, on_progress: OnProgress = lambda done, end: None
    ) -> dict[str, Any]:
        """Do it; returns the certificate, signed where there is a key for it. What was erased already is
        passed over, so it can be done again after it was broken off.

        Raises `TextInvalid`, `LimitReached`, `Contended`, `Corrupt`, `StoreUnavailable`.
        """
        check_reason(reason)
        made: list[tuple[int, RedactionMade]] = []
        await self._rename(user, actor)
        rooms = [*await self.rooms(user), ""]
        for number, room in enumerate(rooms):
            on_progress(number, len(rooms))
            done = await self._redacting.redact(
                room, Target(author=user), reason=reason, actor=actor, is_operator=True
            )
            if done is not None:
                assert isinstance(done.event, RedactionMade)
                made.append((done.position, done.event))
        event, position, keys = await self._destroy_keys(user, made, reason=reason, actor=actor)
        certificate = {
            "format": FORMAT,
            "version": VERSION,
            "epoch": self._services.epoch,
            "user": user,
            "at": as_microseconds(event.timestamp),
            "by": actor,
            "reason": reason,
            "position": position,
            "redactions": [_told(at, redaction) for at, redaction in made],
            "keys": [{"key": key, "room": room} for key, room in keys],
        }
        vouching = self._node.vouching
        if vouching is not None:
            certificate["checkpoints"] = [one.as_json() for one in await vouching.vouch()]
            return sign_certificate(certificate, vouching.key)
        return certificate

    async def _rename(self, user: str, actor: str) -> None:
        try:
            await self._services.profiles.change(user, name=ERASED_NAME, colour=None, avatar="", actor=actor)
        except NotFound:
            return  # who was never here has no profile

    async def _destroy_keys(
        self, user: str, made: list[tuple[int, RedactionMade]], *, reason: str, actor: str
    ) -> tuple[Event, int, list[tuple[str, str]]]:
        """In one step with the event that says so."""
        database: Database = self._node.database
        try:
            connection = await database.connect("erasure")
            async with connection:
                async with connection.transaction():
                    keys = await (await connection.execute(_DESTROY, (user,))).fetchall()
                    erasure = Erasure.make(
                        self._services.new_id(),
                        user=user,
                        reason=reason,
                        redactions=[[redaction.room, redaction.redaction] for _, redaction in made],
                        keys=[key for key, _ in keys],
                        actor=actor,
                        at=self._services.now(),
                    )
                    [event] = [one for one in erasure.collect_events() if isinstance(one, Event)]
                    appended = await PostgresLog(database, "record").append_on(connection, [event], [None])
                await connection.execute(b"SELECT pg_notify(%s, %s)", (CHANNEL, "erasure record"))
                await connection.execute(b"VACUUM person_keys")
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailable("the store was away: the keys are still there") from error
        return event, appended.positions[0], [(key, room) for key, room in keys]


def _told(position: int, redaction: RedactionMade) -> dict[str, Any]:
    return {
        "room": redaction.room,
        "redaction": redaction.redaction,
        "position": position,
        "documents": len(redaction.documents),
        "messages": len(redaction.messages),
        "events": redaction.events,
        "characters": redaction.characters,
    }
