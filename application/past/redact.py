"""Removing text from a room's past: what has to go is looked for, replaced where it is still to be seen, and
then blacked out in all events that ever held it, in one step.

The present is changed by ordinary edits, so that everybody who is here or comes back goes on as after any
edit. Then nothing of what has to go is in any present text, and the past can be rewritten behind everybody's
back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, cast

from application.live import LiveAggregates
from application.log import Recorded
from application.past.revising import Outrun, Revising
from application.past.undo import Passage
from application.rooms import Rooms
from domain.aggregate import Event
from domain.attendance import Joined
from domain.attribution import Weave
from domain.document import REDACTION, Document, EditApplied, LastEdit
from domain.errors import Contended, LimitReached, NotFound
from domain.ids import Stream, message_stream, parse_stream
from domain.message import Deleted, Edited, Imported, Message, Posted, count_words
from domain.phrase import Phrase
from domain.profile import ProfileChanged, ProfileCreated
from domain.redaction import (
    Blackout,
    Redaction,
    Secrets,
    Sightings,
    black_all,
    black_edit,
    black_phrase,
    check_reason,
    mark,
    writer_of,
)
from domain.rights import Action
from domain.text_op import transform

# Events of a room that are read at a time: some milliseconds, then others get their turn.
PAGE_EVENTS: Final = 1_000

# All that is rewritten is in memory until it is, and written in one transaction: some tens of megabytes.
EVENTS_MAX: Final = 200_000

# Each time less has to be read, and what comes in between is what was written in those milliseconds.
ATTEMPTS: Final = 20

RETRY_AFTER_SECONDS: Final = 1.0

# What somebody is called of whom nothing is left.
ERASED_NAME: Final = "Erased person"

# How far what is in memory can be behind the log.
FEED_SECONDS: Final = 0.1

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What has to go: a phrase, wherever it was in the room or in one `document`; a passage of a document; a
    message; or all that `author` has written. One of them.
    """

    phrase: Phrase | None = None
    document: str | None = None
    passage: Passage | None = None
    message: str | None = None
    author: str | None = None


class Rewritten(NamedTuple):
    """An event as it is to stand in the log from now on."""

    position: int
    event: Event


class Rewriter(Protocol):
    """Changes events that are in the log."""

    async def rewrite(
        self, scan: Scan, tell: Callable[[str], Sequence[Event]], *, redaction: str
    ) -> Recorded | None:
        """Rewrite what `scan` has found, and append the event of `tell`, which is given the digest of what
        stands for it in the hash chain; all or nothing. None when what was appended meanwhile has more of it.

        Raises `Corrupt` for an event that is not as it was appended, `StoreUnavailable`.
        """
        ...


class RoomReader(Protocol):
    """Reads rooms from the log. Raises `StoreUnavailable`."""

    async def position(self) -> int: ...

    async def room_events(
        self, room: str, after: int, until: int, *, limit: int, with_edits: bool
    ) -> Sequence[Recorded]: ...


class _Said:
    """A message as it stands."""

    def __init__(self, text: str, author: str) -> None:
        self.text = text
        self.author = author
        self.is_deleted = False


class Scan:
    """A room's events on their way through twice: once to find what has to go, and once to take it away."""

    def __init__(self, room: str, target: Target, redaction: str) -> None:
        self.room = room
        self.looked = self.blacked = 0
        """The positions up to which it has come, the first time and the second."""
        self.rewritten: list[Rewritten] = []
        self.characters = 0
        self.documents: set[str] = set()
        self.messages: set[str] = set()
        self._target = target
        self._redaction = redaction
        self._secrets = Secrets()
        self._sightings: dict[str, Sightings] = {}
        self._weave = Weave()
        self._blackouts: dict[str, Blackout] = {}
        self._said: dict[str, _Said] = {}

    def is_all_gone(self, event: Event) -> bool:
        """Whether nothing of what is left of it is anybody's text."""
        return self._target.author is not None and writer_of(event) == self._target.author

    # Finding.

    def look(self, events: Iterable[Recorded]) -> bool:
        """Go on behind these. Whether they hold something that was not known to have to go: then all begins
        again with taking it away.
        """
        before = len(self._secrets)
        for recorded in events:
            self.looked = recorded.position
            if isinstance(recorded.event, EditApplied):
                self._look_at(recorded.event)
        has_more = len(self._secrets) > before
        if has_more:
            self._begin()
        return has_more

    def _look_at(self, edit: EditApplied) -> None:
        document, target = parse_stream(edit.originator_id).name, self._target
        if target.author is not None:
            if edit.writer == target.author:
                self._secrets.add_all(document, edit.revision)
        elif target.passage is not None:
            if document == target.document and edit.revision <= target.passage.revision:
                self._weave.apply(edit)
                if edit.revision == target.passage.revision:
                    mark(document, self._weave, target.passage.start, target.passage.end, self._secrets)
        elif target.phrase is not None and target.document in (None, document):
            if document not in self._sightings:
                self._sightings[document] = Sightings(document, target.phrase, self._secrets)
            self._sightings[document].take(edit)

    # Taking away.

    def _begin(self) -> None:
        self.blacked = 0
        self._blackouts.clear()
        self._said.clear()
        self.rewritten.clear()
        self.documents.clear()
        self.messages.clear()
        self.characters = 0

    def black(self, events: Iterable[Recorded]) -> list[Rewritten]:
        """Go on behind these; returns what has to be rewritten of them. Raises `LimitReached`."""
        found = []
        for recorded in events:
            self.blacked = recorded.position
            left = self._black(recorded.event)
            if left is not None:
                found.append(Rewritten(recorded.position, left))
        self.rewritten += found
        if len(self.rewritten) > EVENTS_MAX:
            raise LimitReached("this is in too many events; remove it in parts", limit=EVENTS_MAX)
        return found

    def _black(self, event: Event) -> Event | None:
        stream = parse_stream(event.originator_id)
        if isinstance(event, EditApplied):
            return self._black_edit(event, stream.name)
        if isinstance(event, Posted | Imported | Edited | Deleted):
            return self._black_said(event, stream.name)
        if isinstance(event, ProfileCreated | ProfileChanged | Joined):
            return self._black_looks(event, stream)
        return None

    def _black_looks(self, event: ProfileCreated | ProfileChanged | Joined, stream: Stream) -> Event | None:
        """Of somebody of whom all goes, the name and the picture."""
        user = event.actor if isinstance(event, Joined) else stream.name
        name = event.name if event.name == ERASED_NAME else black_all(event.name)
        if user != self._target.author or (event.name, event.avatar) == (name, ""):
            return None
        self.characters += len(name) + len(event.avatar)
        left: Event = replace(cast("Any", event), name=name, avatar="")
        return left

    def _black_edit(self, edit: EditApplied, document: str) -> EditApplied | None:
        if document not in self._blackouts:
            self._blackouts[document] = Blackout(document, self._secrets)
        found = self._blackouts[document].take(edit)
        if found is None or found.op == edit.op:  # it is black already
            return None
        self.documents.add(document)
        self.characters += found.characters
        return black_edit(edit, found.op, self._redaction)

    def _black_said(self, event: Posted | Imported | Edited | Deleted, message: str) -> Event | None:
        if isinstance(event, Deleted):
            self._said[message].is_deleted = True
            return None
        if isinstance(event, Edited):
            said = self._said[message]
            said.text = event.text
        else:
            author = event.author if isinstance(event, Imported) else event.actor
            said = self._said[message] = _Said(event.text, author)
            said.is_deleted = isinstance(event, Imported) and event.deleted is not None
        text = self._black_text(message, said)
        if text == event.text:
            return None
        self.messages.add(message)
        self.characters += sum(was != now for was, now in zip(event.text, text, strict=True))
        words = (
            {} if isinstance(event, Edited) or event.words is not None else {"words": count_words(event.text)}
        )
        left: Event = replace(cast("Any", event), text=text, **words)
        return left

    def _black_text(self, message: str, said: _Said) -> str:
        target = self._target
        if message == target.message or (target.author is not None and said.author == target.author):
            return black_all(said.text)
        if target.phrase is not None and target.document is None:
            return black_phrase(said.text, target.phrase)
        return said.text

    # The present.

    @property
    def shown_messages(self) -> dict[str, str]:
        """The messages that still show something of it, and what they are to be instead."""
        shown = {
            message: self._black_text(message, said)
            for message, said in self._said.items()
            if not said.is_deleted
        }
        return {message: text for message, text in shown.items() if text != self._said[message].text}

    def blackout(self, document: str) -> Blackout:
        return self._blackouts[document]


class Redacting:
    """Removes text from rooms."""

    def __init__(
        self,
        lives: LiveAggregates,
        reader: RoomReader,
        rooms: Rooms,
        revising: Revising,
        rewriter: Rewriter,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._lives = lives
        self._reader = reader
        self._rooms = rooms
        self._revising = revising
        self._rewriter = rewriter
        self._now = now
        self._new_id = new_id

    async def find(
        self, room: str, target: Target, *, on_progress: OnProgress = lambda done, end: None
    ) -> Scan:
        """What would be rewritten. Raises `LimitReached`, `StoreUnavailable`."""
        scan = Scan(room, target, "")
        await self._advance(scan, on_progress)
        return scan

    async def redact(
        self,
        room: str,
        target: Target,
        *,
        reason: str,
        actor: str,
        is_operator: bool = False,
        on_progress: OnProgress = lambda done, end: None,
    ) -> Recorded | None:
        """Remove it: the event that says so, None where there was nothing of it. `is_operator`: for somebody
        who runs the server, whatever they are in the room.

        Raises `NotFound`, `Forbidden` unless `actor` is an owner of the room; `TextInvalid`, `LimitReached`,
        `Contended`, `Corrupt`, `StoreUnavailable`.
        """
        check_reason(reason)
        if not is_operator:
            await self._rooms.enter(room, actor, Action.MANAGE)
        redaction = self._new_id()
        scan = Scan(room, target, redaction)

        def tell(digest: str) -> Sequence[Event]:
            made = Redaction.make(
                room,
                redaction,
                reason=reason,
                actor=actor,
                at=self._now(),
                author=target.author,
                documents=sorted(scan.documents),
                messages=sorted(scan.messages),
                events=len(scan.rewritten),
                characters=scan.characters,
                digest=digest,
            )
            return [event for event in made.collect_events() if isinstance(event, Event)]

        for _ in range(ATTEMPTS):
            await self._advance(scan, on_progress)
            if not scan.rewritten:
                return None
            if await self._remove_present(scan, actor, is_operator=is_operator):
                continue
            done = await self._rewriter.rewrite(scan, tell, redaction=redaction)
            if done is not None:
                return done
        raise Contended("it is written again and again", retry_after=RETRY_AFTER_SECONDS)

    async def _advance(self, scan: Scan, on_progress: OnProgress) -> None:
        """Look at all that has been appended since."""
        end = await self._reader.position()
        async for page in self._pages(scan.room, scan.looked, end):
            scan.look(page)
            on_progress(page[-1].position, 2 * end)
        async for page in self._pages(scan.room, scan.blacked, end):
            scan.black(page)
            on_progress(end + page[-1].position, 2 * end)

    async def _pages(self, room: str, after: int, until: int) -> AsyncGenerator[Sequence[Recorded], None]:
        while True:
            page = await self._reader.room_events(room, after, until, limit=PAGE_EVENTS, with_edits=True)
            if page:
                yield page
                after = page[-1].position
            if len(page) < PAGE_EVENTS:
                return

    # The present.

    async def _remove_present(self, scan: Scan, actor: str, *, is_operator: bool) -> bool:
        """Replace what can still be seen of it. Whether there was something."""
        was_something = False
        for document in sorted(scan.documents):
            removal = _Removal(scan.blackout(document), actor, self._now())
            done = await self._revising.submit(
                scan.room, document, removal, actor=actor, is_guarded=not is_operator
            )
            was_something |= done is not None
        for message, text in scan.shown_messages.items():
            stream = message_stream(scan.room, message)
            was_something |= bool(await self._lives.submit(stream, self._saying(text, actor)))
        return was_something

    def _saying(self, text: str, actor: str) -> Callable[[Message | None], Message]:
        def decide(head: Message | None) -> Message:
            if head is None:
                raise NotFound("there is no such message")
            head.redact(text, actor=actor, at=self._now())
            return head

        return decide


class _Removal:
    """Puts blocks where something stood in the text that was looked at, wherever that is by now."""

    def __init__(self, blackout: Blackout, actor: str, at: datetime) -> None:
        self._blackout = blackout
        self._actor = actor
        self._at = at

    async def read(self, document: Document) -> None:
        if document.revision < self._blackout.revision:
            await asyncio.sleep(FEED_SECONDS)

    def decide(self, head: Document, last: LastEdit | None) -> None:
        revision = self._blackout.revision
        if head.revision < revision:
            raise Outrun("the feed is behind the log")
        op = self._blackout.removal(head.text_at(revision))
        for committed in head.ops_since(revision):
            op = transform(op, committed, "left")
        if op:
            head.revise(op, actor=self._actor, at=self._at, cause=REDACTION, last=last)
