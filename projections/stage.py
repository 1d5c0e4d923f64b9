"""How was the whole room at a moment? Its documents, who was here and where their cursors were, who was
typing, and what was said last.

A stage is a fold of the room's events and of the frames of its presence log, in the order of a replay's
clock. It can be made of a moment's state as well as of the steps that lead to it: both give the same.

Cursors are told in the text that they stand in. Every edit moves those that are there, so a cursor's revision
is its document's, unless it was told in a text that is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from domain.aggregate import Event
from domain.attendance import Joined, Left, Status, StatusChanged
from domain.document import IMPORT, EditApplied
from domain.errors import Corrupt
from domain.ids import parse_stream
from domain.instants import as_microseconds
from domain.presence import HIDDEN, FrameRecorded, Move, Typing
from domain.profile import ProfileChanged, ProfileCreated
from domain.room import DocumentListed, DocumentUnlisted
from domain.text import Text
from domain.text_op import Components, transform_position
from projections import chat
from projections.chat import ChatMessage

# As many as somebody sees who comes to the room.
MESSAGES: Final = 50

# A sign of typing holds for so long, unless it is renewed or taken back, in a replay as in the present.
TYPING_MICROSECONDS: Final = 10_000_000


@dataclass(slots=True)
class StagedDocument:
    """Of a document that is not on the list any more the text goes on, unseen: it may be listed again."""

    name: str
    revision: int
    text: Text
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class StagedCursor:
    """Anchor and head are positions in the text of `revision`; it was told at `at`, in microseconds."""

    document: str
    revision: int
    anchor: int
    head: int
    at: int


@dataclass(frozen=True, slots=True)
class StagedTyping:
    """`where` is a document, or "" for the chat."""

    where: str
    at: int


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """One client that is here. Of several cursors it is the one that moved last that is shown."""

    client: str
    user: str
    name: str
    colour: str
    status: str
    cursor: StagedCursor | None
    typing: StagedTyping | None


@dataclass(slots=True)
class _Stay:
    joined: Joined
    status: str = Status.IDLE.value


@dataclass(frozen=True, slots=True)
class _Looks:
    """Version `version` of somebody's profile."""

    version: int
    name: str
    colour: str


class Stage:
    """Owned by whoever makes or folds it. `at` is in microseconds, `place` names what was shown by then."""

    def __init__(self) -> None:
        self.at = 0
        self.place = ""
        self.documents: dict[str, StagedDocument] = {}
        """By name, in the order in which they were first listed."""
        self._messages: dict[str, ChatMessage] = {}
        self._stays: dict[str, _Stay] = {}
        self._looks: dict[str, _Looks] = {}
        self._cursors: dict[tuple[str, str], dict[str, StagedCursor]] = {}
        """By node, client and document: a client that has gone to another node has its cursors from there."""
        self._typing: dict[tuple[str, str], dict[str, int]] = {}

    # What is told.

    @property
    def people(self) -> list[StagedPerson]:
        """Who is here: each client once, in the order in which they came."""
        newest: dict[str, _Stay] = {}
        for stay in self._stays.values():
            known = newest.get(stay.joined.client)
            if known is None or known.joined.connected <= stay.joined.connected:
                newest[stay.joined.client] = stay
        return [self._person(stay) for stay in newest.values()]

    def _person(self, stay: _Stay) -> StagedPerson:
        joined = stay.joined
        looks = self._looks[joined.actor]
        since = as_microseconds(joined.timestamp)
        return StagedPerson(
            client=joined.client,
            user=joined.actor,
            name=looks.name,
            colour=looks.colour,
            status=stay.status,
            cursor=self._cursor(joined, since),
            typing=self._sign(joined, since),
        )

    def _cursor(self, joined: Joined, since: int) -> StagedCursor | None:
        """Not what was told in an earlier stay."""
        told = self._cursors.get((joined.node, joined.client), {})
        cursors = [cursor for cursor in told.values() if cursor.at >= since]
        return max(cursors, key=lambda cursor: (cursor.at, cursor.document), default=None)

    def _sign(self, joined: Joined, since: int) -> StagedTyping | None:
        told = self._typing.get((joined.node, joined.client), {})
        since = max(since, self.at - TYPING_MICROSECONDS + 1)
        signs = [StagedTyping(where, at) for where, at in told.items() if at >= since]
        return max(signs, key=lambda sign: (sign.at, sign.where), default=None)

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The last ones, as they stand, oldest first."""
        return tuple(self._messages.values())

    @property
    def nodes(self) -> list[str]:
        """The nodes that hold the sockets of who is here."""
        return sorted({stay.joined.node for stay in self._stays.values()})

    @property
    def revisions(self) -> Mapping[str, int]:
        return {document.name: document.revision for document in self.documents.values()}

    # What changes it.

    def advance(self, at: int, place: str) -> None:
        """It is later now, whether or not something has happened."""
        assert at >= self.at
        self.at = at
        self.place = place

    def put(self, name: str, revision: int, text: str, *, is_listed: bool) -> None:
        """A document as it is at the beginning."""
        self.documents[name] = StagedDocument(name, revision, Text(text), is_listed)

    def take(self, position: int, event: Event) -> None:
        """One more event of the room, or of somebody's profile; or a frame of its presence log. Raises
        `Corrupt` for an edit of a text that is not here.
        """
        match event:
            case EditApplied():
                self._edit(event)
            case FrameRecorded():
                self.show(event.actor, event.moves, event.typing)
            case Joined():
                self._stays[event.session] = _Stay(event)
                self._look(event.actor, _Looks(event.profile, event.name, event.colour))
            case StatusChanged():
                stay = self._stays.get(parse_stream(event.originator_id).name)
                if stay is not None:
                    stay.status = event.status
            case Left():
                self._leave(event)
            case ProfileCreated() | ProfileChanged():
                user = parse_stream(event.originator_id).name
                self._look(user, _Looks(event.originator_version, event.name, event.colour))
            case DocumentListed() | DocumentUnlisted():
                self._list(event.document, is_listed=isinstance(event, DocumentListed))
            case _:
                self._say(position, event)

    def show(self, node: str, moves: Sequence[Move], typing: Sequence[Typing]) -> None:
        """What a node tells in a frame. A cursor of whoever is not known here yet waits for them."""
        for client, document, revision, anchor, head, at in moves:
            cursors = self._cursors.setdefault((node, str(client)), {})
            cursors.pop(str(document), None)
            if anchor != HIDDEN:
                cursors[str(document)] = StagedCursor(
                    str(document), int(revision), int(anchor), int(head), int(at)
                )
        for client, where, is_typing, at in typing:
            signs = self._typing.setdefault((node, str(client)), {})
            signs.pop(str(where), None)
            if is_typing:
                signs[str(where)] = int(at)

    def _edit(self, event: EditApplied) -> None:
        name = parse_stream(event.originator_id).name
        document = self.documents.get(name)
        if document is None and event.cause == IMPORT and event.revision == 1:
            document = self.documents[name] = StagedDocument(name, 0, Text(), is_listed=False)
        if document is None:
            return  # it was never listed, so nobody can have seen it
        if event.revision != document.revision + 1:
            raise Corrupt(f"revision {document.revision + 1} of {event.originator_id} is missing")
        document.text.apply(event.op)
        document.revision = event.revision
        for cursors in self._cursors.values():
            cursor = cursors.get(name)
            if cursor is not None and cursor.revision == event.revision - 1:
                cursors[name] = _moved(cursor, event.op)

    def _list(self, name: str, *, is_listed: bool) -> None:
        document = self.documents.get(name)
        if document is not None:
            document.is_listed = is_listed
        elif is_listed:
            self.documents[name] = StagedDocument(name, 0, Text())

    def _leave(self, event: Left) -> None:
        stay = self._stays.pop(parse_stream(event.originator_id).name, None)
        if stay is None:
            return
        gone = (stay.joined.node, event.client)
        if all((other.joined.node, other.joined.client) != gone for other in self._stays.values()):
            self._cursors.pop(gone, None)
            self._typing.pop(gone, None)

    def _look(self, user: str, looks: _Looks) -> None:
        known = self._looks.get(user)
        if known is None or known.version <= looks.version:
            self._looks[user] = looks

    def _say(self, position: int, event: Event) -> None:
        named = chat.message_of(event)
        if named is None:
            return
        _, name = named
        changed = chat.after(self._messages.get(name), position, event)
        if changed is None:
            return  # of one that was said too long ago
        self._messages[name] = changed
        if len(self._messages) > MESSAGES:
            del self._messages[next(iter(self._messages))]


def _moved(cursor: StagedCursor, op: Components) -> StagedCursor:
    return replace(
        cursor,
        revision=cursor.revision + 1,
        anchor=transform_position(cursor.anchor, op),
        head=transform_position(cursor.head, op),
    )
