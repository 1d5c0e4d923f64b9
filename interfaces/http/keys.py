"""What the application holds for its handlers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from aiohttp import web

from application.log import Recorded
from application.services import Services


class PastReader(Protocol):
    """Looks back in the log. All raise `StoreUnavailable`."""

    async def load_revision(self, stream: str, revision: int) -> Any | None: ...

    async def load_at(self, stream: str, at: datetime) -> Any | None: ...

    async def rooms(self, after: int, limit: int) -> Sequence[Recorded]: ...


SERVICES: Final = web.AppKey("services", Services)
HISTORY: Final[web.AppKey[PastReader]] = web.AppKey("history")
