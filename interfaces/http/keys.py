"""What the application holds for its handlers, and what the door holds for one request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final, Protocol

from aiohttp import web

from application.etherpad import Export
from application.identity import Identity
from application.log import Recorded
from application.past.bisect import Bisect, Judge, Question
from application.past.diff import Diffs
from application.past.moment import Moments
from application.past.past import Past
from application.past.phrases import Phrases
from application.past.redact import Redacting
from application.past.replay import Replay
from application.past.states import States
from application.past.watch import Watch
from application.services import Services
from domain.chain import Checkpoint
from domain.document import DocumentState
from domain.profile import Profile
from domain.receipts import Pointers
from domain.room import Room
from interfaces.ws.rates import TokenBucket
from projections.activity import ActivityFilter, Line
from projections.chat import ChatFilter, ChatMessage, Reader, Unread
from projections.chat_search import Findings, Place
from projections.directory import Entry
from projections.members import RoleSpan
from projections.presence import PresenceSpan, PresenceSummary
from projections.profiles import ProfileEntry
from projections.questions import Auditor
from projections.rooms import RoomEntry
from projections.stage import Stage
from projections.statistics import RoomStatistics


class PastReader(Protocol):
    """Looks back in the log. All raise `StoreUnavailable`."""

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None: ...

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None: ...

    async def at_position(self, stream: str, position: int) -> DocumentState | None: ...


class EtherpadSource(Protocol):
    """Reads exports of Etherpad."""

    async def read(self, data: bytes, *, document: str | None, ignores_unknown: bool) -> Export:
        """Raises `ImportInvalid` and other `ClientError`s."""
        ...


class Prover(Protocol):
    """Signs checkpoints, and proves by them. All raise `StoreUnavailable`."""

    async def checkpoints(self) -> list[Checkpoint]: ...

    def proof(
        self, room: str, first: int, last: int, checkpoint: Checkpoint
    ) -> AsyncGenerator[bytes, None]: ...


class Eraser(Protocol):
    """Removes all that a person has written."""

    async def erase(self, user: str, *, reason: str, actor: str) -> Mapping[str, Any]:
        """Returns the certificate. Raises `TextInvalid`, `LimitReached`, `Contended`, `StoreUnavailable`."""
        ...


class RedactionsReader(Protocol):
    """Tells what was removed from a room's past. Raises `StoreUnavailable`."""

    async def redactions(self, room: str) -> Sequence[Recorded]: ...


class DirectoryReader(Protocol):
    """Tells of the documents of a room. Raises `StoreUnavailable`."""

    async def of_room(self, room: str) -> Sequence[Entry]: ...


class RoomsReader(Protocol):
    """Tells of the rooms of a user. Raises `StoreUnavailable`."""

    async def of_user(self, user: str, after: int, limit: int) -> Sequence[RoomEntry]: ...


class MembersReader(Protocol):
    """Tells of the members of a room, now and then. All raise `StoreUnavailable`."""

    async def of_room(self, room: str, after: str, limit: int) -> Sequence[RoleSpan]: ...

    async def at(self, room: str, moment: datetime) -> Sequence[RoleSpan]: ...


class ProfilesReader(Protocol):
    """Tells of people. All raise `StoreUnavailable`."""

    async def get_many(self, users: Iterable[str]) -> Sequence[ProfileEntry]: ...

    async def find(self, prefix: str, after: str, limit: int) -> Sequence[ProfileEntry]: ...


class PresenceReader(Protocol):
    """Tells of who is and was where. All raise `StoreUnavailable`."""

    async def now(self, room: str) -> Sequence[PresenceSpan]: ...

    async def at(self, room: str, moment: datetime) -> Sequence[PresenceSpan]: ...

    async def summary(
        self, *, room: str | None, user: str | None, since: datetime, until: datetime, now: datetime
    ) -> Sequence[PresenceSummary]: ...


class ChatReader(Protocol):
    """Tells of messages and how far they were read. All raise `StoreUnavailable`."""

    async def find(self, room: str, message: str) -> ChatMessage | None: ...

    async def page(
        self,
        room: str,
        chosen: ChatFilter = ...,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> Sequence[ChatMessage]: ...

    async def everywhere(
        self, user: str, chosen: ChatFilter, *, before: int | None, limit: int
    ) -> Sequence[ChatMessage]: ...

    async def search(
        self, room: str, query: str, chosen: ChatFilter = ..., *, behind: Place | None = None, limit: int
    ) -> Findings:
        """Raises `Overloaded` when it would take too long."""
        ...

    async def pointers(self, room: str) -> Mapping[str, Pointers]: ...

    async def readers(self, message: ChatMessage) -> Sequence[Reader]: ...

    async def unread_in(self, room: str, user: str) -> int: ...

    async def unread(self, user: str, after: str, limit: int) -> Sequence[Unread]: ...


class ActivityReader(Protocol):
    """Tells of what went on in rooms, in lines. All raise `StoreUnavailable`."""

    async def position(self) -> int:
        """Up to where the log has been read."""
        ...

    async def page(
        self,
        room: str,
        asked: ActivityFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
        is_newest_first: bool = True,
    ) -> Sequence[Line]: ...

    async def of_user(self, user: str, *, asker: str, before: int | None, limit: int) -> Sequence[Line]: ...


class StatisticsReader(Protocol):
    """Tells of what is done in a room. Raises `StoreUnavailable`."""

    async def of_room(
        self,
        room: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        user: str | None = None,
        offset_minutes: int = 0,
    ) -> RoomStatistics: ...


class PlotSource(Protocol):
    """Draws statistics, elsewhere than in this process. Raises `Overloaded`."""

    async def plot(self, figure: bytes, etag: str) -> bytes:
        """`figure` is what is drawn, as JSON; `etag` names it, and the same is drawn once."""
        ...


class ReportSource(Protocol):
    """Makes reports, elsewhere than in this process."""

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
        ...


class TableSource(Protocol):
    """Exports tables, elsewhere than in this process."""

    def pieces(
        self, room: str, what: str, form: str, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[bytes, None]:
        """A file, piece by piece. Raises `StoreUnavailable` before the first one."""
        ...


class Judges(Protocol):
    """Makes those who say whether a text is as it should be."""

    def by(self, question: Question) -> Judge:
        """Raises `PatternInvalid`."""
        ...


class TokenSource(Protocol):
    """Verifies tokens, and signs those of guests."""

    def verify(self, token: str) -> Identity: ...

    def sign(
        self, user: str, *, name: str | None = None, lifetime: timedelta, is_admin: bool = False
    ) -> str: ...


class Operation(Protocol):
    """Tells those who run the server how it does."""

    def metrics(self) -> bytes: ...

    def trouble(self) -> str | None:
        """Why it is not ready for more clients, None when it is."""
        ...

    @property
    def position(self) -> int:
        """How far it has told what is in the log."""
        ...

    async def projections(self) -> Mapping[str, Mapping[str, int]] | None:
        """Position, lag and parked events of each projection; None when that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """How the server is reached, and by whom."""

    is_development: bool = True
    """There are no accounts: who comes from this machine is let in as a guest."""
    origins: frozenset[str] = frozenset()
    """Of the pages that may ask, in the letters that browsers send; empty: only this server's own."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Those who are believed when they say for whom they ask."""


# For all requests.

SERVICES: Final = web.AppKey("services", Services)
ENTRANCE: Final = web.AppKey("entrance", Entrance)
TOKENS: Final[web.AppKey[TokenSource]] = web.AppKey("tokens")
DESCRIPTION: Final[web.AppKey[Callable[[], bytes]]] = web.AppKey("description")
"""Makes the API's description, as JSON: some tenths of a second the first time, so in a thread."""
CAN_SEAL: Final = web.AppKey("can seal", bool)
ERASER: Final[web.AppKey[Eraser]] = web.AppKey("eraser")
REDACTING: Final = web.AppKey("redacting", Redacting)
REDACTIONS: Final[web.AppKey[RedactionsReader]] = web.AppKey("redactions")
CLEANING: Final[web.AppKey[Callable[[], None]]] = web.AppKey("cleaning")
"""Lets go, some time, of rows of which something was removed."""
PROVER: Final[web.AppKey[Prover]] = web.AppKey("prover")
OPERATION: Final[web.AppKey[Operation]] = web.AppKey("operation")
PAST: Final[web.AppKey[PastReader]] = web.AppKey("past")
REPLAY: Final[web.AppKey[Replay[Stage]]] = web.AppKey("replay")
STATES: Final = web.AppKey("states", States)
DIFFS: Final = web.AppKey("diffs", Diffs)
BISECT: Final = web.AppKey("bisect", Bisect)
ETHERPAD_READER: Final[web.AppKey[EtherpadSource]] = web.AppKey("etherpad reader")
JUDGES: Final[web.AppKey[Judges]] = web.AppKey("judges")
DIRECTORY: Final[web.AppKey[DirectoryReader]] = web.AppKey("directory")
ROOMS: Final[web.AppKey[RoomsReader]] = web.AppKey("rooms")
MEMBERS: Final[web.AppKey[MembersReader]] = web.AppKey("members")
PROFILES: Final[web.AppKey[ProfilesReader]] = web.AppKey("profiles")
PRESENCE: Final[web.AppKey[PresenceReader]] = web.AppKey("presence")
CHAT: Final[web.AppKey[ChatReader]] = web.AppKey("chat")
ACTIVITY: Final[web.AppKey[ActivityReader]] = web.AppKey("activity")
STATISTICS: Final[web.AppKey[StatisticsReader]] = web.AppKey("statistics")
AUDITOR: Final[web.AppKey[Auditor]] = web.AppKey("auditor")
PLOTS: Final[web.AppKey[PlotSource]] = web.AppKey("plots")
TABLES: Final[web.AppKey[TableSource]] = web.AppKey("tables")
REPORTS: Final[web.AppKey[ReportSource]] = web.AppKey("reports")
PAST_USE_CASES: Final = web.AppKey("past use cases", Past)
"""What is done with what `PAST` reads."""
WATCH: Final = web.AppKey("watch", Watch)
MOMENTS: Final = web.AppKey("moments", Moments)
PHRASES: Final = web.AppKey("phrases", Phrases)

# For one request, where the route's access says so.

IDENTITY: Final = web.RequestKey("identity", Identity)
PROFILE: Final = web.RequestKey("profile", Profile)
"""The live profile of whoever asks."""
ROOM: Final = web.RequestKey("room", Room)
"""The live room of the path, in which whoever asks may do what the route does."""
BUCKET: Final = web.RequestKey("bucket", TokenBucket)
"""From which the request was paid."""
