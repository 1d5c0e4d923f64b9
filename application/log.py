"""What the use cases need of the log: one way in (`Log`), one way to look back (`History`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.aggregate import Event
from domain.document import EditApplied, LastEdit
from domain.receipts import Pointers


@dataclass(frozen=True, slots=True)
class Recorded:
    """A committed event and its notification id: its place in the log."""

    position: int
    event: Event


class Owner(Protocol):
    """The live aggregate that decided the events of a submission."""

    @property
    def generation(self) -> int:
        """Raised whenever what was decided before can no longer come true."""
        ...

    def on_refused(self, generation: int) -> None:
        """The log did not take events of this generation; whether others stand there must be read."""
        ...

    def on_stalled(self) -> None:
        """The log has not answered for so long that whoever waits must be told."""
        ...


Guarded = tuple[str, int] | None
"""A stream and the version of it that a decision has relied on: the events are taken only while nothing
newer is there.
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """Events of one stream, decided together under one generation of their live aggregate."""

    owner: Owner
    generation: int
    events: Sequence[Event]
    guard: Guarded = None

    @property
    def stream(self) -> str:
        return self.events[0].originator_id

    @property
    def is_current(self) -> bool:
        """False once the events were decided again: then nobody waits for these."""
        return self.generation == self.owner.generation


class Log(Protocol):
    """Takes decided events in the order of their decisions. Written by one committer per node."""

    def check_capacity(self) -> None:
        """Raise `Overloaded` when no more can be taken in. Asked before deciding, never after."""
        ...

    def submit(self, submission: Submission) -> None:
        """Take the events. What became of them comes back through the feed or through the owner."""
        ...


class History(Protocol):
    """Reads streams from the log. Every method raises `StoreUnavailable`."""

    async def load(self, stream: str) -> Any | None:
        """The aggregate of `stream` at its newest version, from a snapshot where there is one."""
        ...

    async def events_after(self, stream: str, version: int) -> Sequence[Event]:
        """All events of `stream` behind `version`, oldest first."""
        ...

    async def recorded(self, stream: str, after: int = 0, *, limit: int | None = None) -> Sequence[Recorded]:
        """The events of `stream` behind version `after` with their places in the log, at most `limit`, oldest
        first.
        """
        ...

    async def begun(self, streams: Sequence[str]) -> Sequence[Recorded]:
        """How those of `streams` began that there are, in log order."""
        ...

    async def position(self) -> int:
        """The newest notification id, 0 in an empty log."""
        ...

    async def receipts(self, room: str, until: int) -> tuple[dict[str, Pointers], Sequence[Recorded]]:
        """How far everybody has read in `room`, as far as a table knows, and the receipts behind it."""
        ...

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        """The edits of revisions `after + 1` to `until` of a document, oldest first."""
        ...

    async def find_last_edit(self, stream: str, client: str) -> LastEdit | None:
        """The last accepted edit of `client` in a document."""
        ...

    async def find_client_user(self, room: str, client: str) -> str | None:
        """Who was the first to come to `room` as `client`."""
        ...
