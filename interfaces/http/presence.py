"""`/api/rooms/{room}/presence`: who is here, who was, and for how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from domain.attendance import Status, liveliest
from domain.colours import colour_of
from domain.instants import as_microseconds
from interfaces.http.answers import (
    Amount,
    Day,
    Person,
    PersonSummary,
    Place,
    PresenceAnswer,
    SummaryAnswer,
    answer,
)
from interfaces.http.bodies import PresenceQuery, SummaryQuery
from interfaces.http.keys import PRESENCE, PROFILES, ROOM, SERVICES
from interfaces.http.problems import SpanInvalid
from projections.presence import PresenceSpan, PresenceSummary

# A summary that does not say of when is of the last week.
SUMMARY_SPAN: Final = timedelta(days=7)

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


async def look(request: web.Request, query: PresenceQuery) -> web.Response:
    """Everybody who is here, or was `at` a moment, once, with all their places; a moment behind the log."""
    presence, room = request.app[PRESENCE], request[ROOM].room
    spans = await (presence.now(room) if query.at is None else presence.at(room, query.at))
    places: dict[str, list[PresenceSpan]] = defaultdict(list)
    for span in spans:
        places[span.user].append(span)
    profiles = {p.user: p for p in await request.app[PROFILES].get_many(list(places))}
    people = []
    for user, held in sorted(places.items()):
        looks = profiles.get(user)
        name, colour = (looks.name, looks.colour) if looks is not None else (user, colour_of(user))
        people.append(_person(user, name, colour, held))
    return answer(PresenceAnswer(people=people))


def _person(user: str, name: str, colour: str, held: Sequence[PresenceSpan]) -> Person:
    return Person(
        user=user,
        name=name,
        colour=colour,
        status=liveliest([Status(span.status) for span in held]),
        places=[
            Place(
                client=span.client,
                session=span.session,
                status=Status(span.status),
                since=as_microseconds(span.since),
            )
            for span in held
        ],
    )


async def summarise(request: web.Request, query: SummaryQuery) -> web.Response:
    """How long everybody was here and wrote, and how many edits they made: in all, and by day (UTC)."""
    now = request.app[SERVICES].now()
    until = query.until or now
    since = query.since or until - min(SUMMARY_SPAN, until - _BEGINNING)
    if since > until:
        raise SpanInvalid("this ends before it begins", field="from")
    rows = await request.app[PRESENCE].summary(
        room=request[ROOM].room, user=query.user, since=since, until=until, now=now
    )
    by_user: dict[str, list[PresenceSummary]] = defaultdict(list)
    for row in rows:
        by_user[row.user].append(row)
    users = [_summary(user, found) for user, found in sorted(by_user.items())]
    return answer(SummaryAnswer(since=as_microseconds(since), until=as_microseconds(until), users=users))


def _summary(user: str, rows: Sequence[PresenceSummary]) -> PersonSummary:
    [total] = [row for row in rows if row.day is None]
    days = [Day(day=row.day.isoformat(), **_amount(row)) for row in rows if row.day is not None]
    return PersonSummary(user=user, total=Amount(**_amount(total)), days=days)


def _amount(row: PresenceSummary) -> dict[str, Any]:
    return {
        "present_seconds": row.present_seconds,
        "editing_seconds": row.editing_seconds,
        "edits": row.edits,
        "longest_seconds": row.longest_seconds,
    }
