"""What the application holds for its handlers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from aiohttp import web

from application.log import Recorded
from application.services import Services
from domain.document import DocumentState
from projections.directory import Entry


class PastReader(Protocol):
    """Looks back in the log. All raise `StoreUnavailable`."""

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None: ...

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None: ...


class RoomReader(Protocol):
    """Tells of the rooms that there are. Raises `StoreUnavailable`."""

    async def rooms(self, after: int, limit: int) -> Sequence[Recorded]: ...


class DirectoryReader(Protocol):
    """Tells of the documents of a room. Raises `StoreUnavailable`."""

    async def of_room(self, room: str) -> Sequence[Entry]: ...


DIRECTORY: Final[web.AppKey[DirectoryReader]] = web.AppKey("directory")
SERVICES: Final = web.AppKey("services", Services)
PAST: Final[web.AppKey[PastReader]] = web.AppKey("past")
ROOMS: Final[web.AppKey[RoomReader]] = web.AppKey("rooms")
