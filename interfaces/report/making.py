"""Makes reports beside the server (see `infrastructure.aside`): reading a room from end to end, and putting a
page together, are seconds of a whole core.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson

from domain.errors import ChronoscribeError, LimitReached, NotFound, Overloaded, StoreUnavailable
from infrastructure.aside import Aside, AsideFailed, AsideTooSlow
from infrastructure.beside import work_off
from infrastructure.reporting import read_report
from interfaces.report.page import render

# A hundred people's week. It is about ten seconds of a core; whoever wants more has the command, which has no
# such limit.
EVENTS_MAX: Final = 400_000

# Several times what so many events take.
MAKE_SECONDS: Final = 60.0

_ERRORS: Final = {kind.__name__: kind for kind in (LimitReached, NotFound, StoreUnavailable)}
_DONE: Final = b"+"


class Reports:
    """One per server, makes one report at a time. Whoever makes one closes it."""

    def __init__(self, conninfo: str, *, events_max: int = EVENTS_MAX, seconds: float = MAKE_SECONDS) -> None:
        self._conninfo = conninfo
        self._events_max = events_max
        self._seconds = seconds
        self._aside = Aside("interfaces.report.making")

    async def page(
        self,
        room: str,
        since: datetime | None,
        until: datetime | None,
        *,
        made: datetime,
        offset_minutes: int,
    ) -> bytes:
        """Raises `LimitReached`, `NotFound`, `StoreUnavailable`, `Overloaded`."""
        asked = {
            # Through a pipe: nobody sees there how the database is reached.
            "conninfo": self._conninfo,
            "events_max": self._events_max,
            "room": room,
            "since": since,
            "until": until,
            "made": made,
            "offset_minutes": offset_minutes,
        }
        try:
            answer = await self._aside.ask(orjson.dumps(asked), self._seconds)
        except AsideTooSlow:
            raise Overloaded("the report took too long", retry_after=self._seconds) from None
        except AsideFailed:
            raise StoreUnavailable("the report could not be made", retry_after=self._seconds) from None
        if answer.startswith(_DONE):
            return answer.removeprefix(_DONE)
        kind, message, facts = orjson.loads(answer)
        raise _ERRORS.get(kind, StoreUnavailable)(message, **facts)

    async def close(self, _: object = None) -> None:
        """End what runs beside."""
        await self._aside.close()


def make(asked: bytes) -> bytes:
    given = orjson.loads(asked)
    try:
        return _DONE + _page(given)
    except ChronoscribeError as error:
        return orjson.dumps((type(error).__name__, error.message, error.facts))


def _page(given: Any) -> bytes:
    read = read_report(
        given["conninfo"],
        given["room"],
        _moment(given["since"]),
        _moment(given["until"]),
        events_max=given["events_max"],
    )
    made = datetime.fromisoformat(given["made"])
    page = render(read.report, read.looks, made=made, offset_minutes=given["offset_minutes"])
    return page.encode()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def main() -> None:
    """The program."""
    work_off(make)
