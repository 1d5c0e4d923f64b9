"""What the application holds for its handlers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from aiohttp import web

from application.log import Recorded
from application.services import Services
from projections.directory import Entry


class PastReader(Protocol):
    """Looks back in the log. All raise `StoreUnavailable`."""

    async def load_revision(self, stream: str, revision: int) -> Any | None: ...

    async def load_at(self, stream: str, at: datetime) -> Any | None: ...

    async def rooms(self, after: int, limit: int) -> Sequence[Recorded]: ...


class DirectoryReader(Protocol):
    """Tells of the documents of a room. Raises `StoreUnavailable`."""

    async def of_room(self, room: str) -> Sequence[Entry]: ...


DIRECTORY: Final[web.AppKey[DirectoryReader]] = web.AppKey("directory")
SERVICES: Final = web.AppKey("services", Services)
HISTORY: Final[web.AppKey[PastReader]] = web.AppKey("history")
