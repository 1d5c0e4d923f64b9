"""What goes out over HTTP: the shapes of all answers, and what keeps them apart, their `ETag`s.

Times are microseconds since the epoch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from aiohttp import ETag, web
from pydantic import BaseModel, ConfigDict

from domain.aggregate import Aggregate
from domain.attendance import Status
from domain.instants import as_microseconds
from domain.profile import Profile, initials_of
from domain.rights import Role
from interfaces.http.keys import SERVICES
from interfaces.http.problems import PreconditionFailed
from projections.activity import Kind
from projections.profiles import ProfileEntry

# What somebody may see depends on who asks, and on rights that change: it may be kept, and must be asked
# for again.
CACHED: Final = "private, no-cache"


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoomAnswer(Answer):
    """`role`: of whoever asks."""

    room: str
    title: str
    role: Role
    everyone: Role | None
    sealed: bool
    documents: list[str]


class ListedRoom(Answer):
    room: str
    title: str
    everyone: Role | None
    created: int
    created_by: str


class RoomsAnswer(Answer):
    """`next` is the `after` of the next page, null on the last one."""

    rooms: list[ListedRoom]
    next: int | None


class MemberAnswer(Answer):
    """`since`, `by` and `invitation` are a moment behind the log, and null until they are known."""

    user: str
    role: Role
    since: int | None = None
    by: str | None = None
    invitation: str | None = None


class MembersAnswer(Answer):
    """`everyone`: the role of those who are no members."""

    members: list[MemberAnswer]
    everyone: Role | None
    next: str | None


class InvitationAnswer(Answer):
    """`uses`: how many may still accept it, null for any number."""

    invitation: str
    role: Role
    expires: int
    uses: int | None


class InvitationsAnswer(Answer):
    invitations: list[InvitationAnswer]


class AcceptedAnswer(Answer):
    """What one is in the room now."""

    room: str
    role: Role


class NewInvitationAnswer(Answer):
    """The secret and the link, which holds it, are told here and never again."""

    invitation: str
    role: Role
    expires: int
    uses: int | None
    secret: str
    link: str


class DocumentAnswer(Answer):
    room: str
    document: str
    revision: int
    modified: int


class TextAnswer(DocumentAnswer):
    text: str


class ListedDocument(Answer):
    """A moment behind the log: what is not known yet has revision 0 and nulls."""

    document: str
    revision: int
    created: int | None = None
    created_by: str | None = None
    modified: int | None = None
    modified_by: str | None = None


class DocumentsAnswer(Answer):
    documents: list[ListedDocument]


class Place(Answer):
    client: str
    session: str
    status: Status
    since: int


class Person(Answer):
    """`status`: of the liveliest of the places."""

    user: str
    name: str
    colour: str
    status: Status
    places: list[Place]


class PresenceAnswer(Answer):
    people: list[Person]


class Amount(Answer):
    present_seconds: float
    editing_seconds: float
    edits: int
    longest_seconds: float


class Day(Amount):
    day: str


class PersonSummary(Answer):
    user: str
    total: Amount
    days: list[Day]


class SummaryAnswer(Answer):
    """From when until when, and what everybody was doing in it, in all and day by day (UTC)."""

    since: int
    until: int
    users: list[PersonSummary]


class ActivityLine(Answer):
    """What `user` did from `at` to `until`, and in words: `line`. `id` is its place among the others;
    `changed` rises when it changes. `text` is that of the message that it is about, if that is there. What
    stands in `details` is each kind's own.
    """

    room: str
    id: int
    changed: int
    kind: Kind
    user: str
    document: str | None
    message: str | None
    at: int
    until: int
    text: str | None
    details: dict[str, Any]
    line: str


class ActivityAnswer(Answer):
    """`next` is the `before` of the next page, or the `after` where one has come; null on the last one. What
    has changed behind `position` in the log is told by `subscribe` after it.
    """

    position: int
    lines: list[ActivityLine]
    next: int | None


class Done(Answer):
    """What was done. `words` and `characters` are of messages as they were said, `inserted` and `deleted` are
    characters of documents; all `responses` together took `response_milliseconds`.
    """

    messages: int
    replies: int
    words: int
    characters: int
    message_edits: int
    message_deletions: int
    reactions_added: int
    reactions_removed: int
    document_edits: int
    inserted: int
    deleted: int
    responses: int
    response_milliseconds: int


class DoneByPerson(Done):
    user: str


class DoneOnDay(Done):
    day: str


class HourDone(Answer):
    hour: int
    messages: int
    reactions: int
    document_edits: int


class HourOfWeekDone(HourDone):
    """`weekday`: 1 for Monday to 7."""

    weekday: int


class BusyHourDone(Answer):
    since: int
    messages: int
    reactions: int
    document_edits: int


class UsedEmoji(Answer):
    emoji: str
    uses: int


class UsedWord(Answer):
    word: str
    uses: int


class ResponseTimesAnswer(Answer):
    """In seconds, null when there was no response; the median and the ninetieth percentile to 9 %."""

    responses: int
    mean: float | None
    median: float | None
    p90: float | None


class StatisticsAnswer(Answer):
    """`people`: those who did most; `hours`: of the day; `week`: only those with something in them; `emoji`
    and `words`: of the room as it is now, whatever the span.
    """

    room: str
    user: str | None
    since: int | None
    until: int | None
    offset_minutes: int
    totals: Done
    people: list[DoneByPerson]
    days: list[DoneOnDay]
    hours: list[HourDone]
    week: list[HourOfWeekDone]
    busiest: list[BusyHourDone]
    emoji: list[UsedEmoji]
    words: list[UsedWord]
    response_times: ResponseTimesAnswer


class ProfileAnswer(Answer):
    """`avatar`: the URL of an image, or "": then the initials stand there."""

    user: str
    name: str
    colour: str
    avatar: str
    initials: str


class ProfilesAnswer(Answer):
    profiles: list[ProfileAnswer]
    next: str | None


class MeAnswer(ProfileAnswer):
    """`expires`: when the token ends."""

    is_admin: bool
    expires: int


class GuestAnswer(Answer):
    user: str
    token: str
    expires: int


class TicketAnswer(Answer):
    ticket: str
    expires: int


class HealthAnswer(Answer):
    status: str


class ProjectionAnswer(Answer):
    """Up to where it has read, by how many positions it is behind, how many events it could not take in."""

    position: int
    lag: int
    parked: int


class ReadyAnswer(Answer):
    """`projections` is null when the database does not tell in time."""

    status: str
    position: int
    projections: dict[str, ProjectionAnswer] | None


class Problem(Answer):
    """What is wrong (RFC 9457): `code` is for programs, `detail` for people. Facts may stand beside them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str


def answer(
    value: Answer, status: int = 200, *, etag: str | None = None, cache: str | None = None
) -> web.Response:
    response = web.Response(
        status=status, body=value.model_dump_json().encode(), content_type="application/json"
    )
    return with_etag(response, etag, cache) if etag is not None else response


def with_etag(response: web.Response, etag: str, cache: str | None = None) -> web.Response:
    response.etag = etag
    response.headers["Cache-Control"] = cache or CACHED
    return response


# What is known already.


def version_etag(request: web.Request, aggregate: Aggregate) -> str:
    """Of what an aggregate shows. A store that begins anew counts from 1 again, so its epoch is in it."""
    return f"{request.app[SERVICES].epoch}.v{aggregate.version}"


def is_known(request: web.Request, etag: str) -> bool:
    """Whether `If-None-Match` names this: then 304 will do."""
    known = request.if_none_match
    return known is not None and any(tag.value in {etag, "*"} for tag in known)


def not_modified(etag: str, cache: str | None = None) -> web.Response:
    return with_etag(web.Response(status=304), etag, cache)


def check_precondition(request: web.Request, etag: str) -> None:
    """Raise `PreconditionFailed` when `If-Match` is there and does not name what is there: a version, or one
    of the views of it, whose tags go on behind a dot.
    """
    if "If-Match" in request.headers and not any(_matches(tag, etag) for tag in request.if_match or ()):
        raise PreconditionFailed("this has been changed since")


def _matches(tag: ETag, etag: str) -> bool:
    return tag.value == "*" or (not tag.is_weak and (tag.value == etag or tag.value.startswith(f"{etag}.")))


# Shapes that several resources show.


def profile_answer(profile: Profile | ProfileEntry) -> ProfileAnswer:
    return ProfileAnswer(
        user=profile.user,
        name=profile.name,
        colour=profile.colour,
        avatar=profile.avatar,
        initials=initials_of(profile.name),
    )


def microseconds(at: datetime | None) -> int | None:
    return None if at is None else as_microseconds(at)
