"""The rooms on this node: who has a socket here, and what of the feed they get to see.

The hub follows both feeds. Per commit batch, room and set of opened documents one frame is made and
pushed to everybody it concerns. A room is in memory while it has a session here; its roster and
last messages are read once and then kept up to date by the feed, so that a thousand clients that
come back at once cost one query.

What belongs to no room is about people: how they look goes to the rooms that know them, that they may not
come in any more to their sessions.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Protocol

from application.log import Recorded
from domain.aggregate import Event
from domain.attendance import Joined, Left, StatusChanged
from domain.document import EditApplied
from domain.ids import parse_stream
from domain.message import Edited, Posted
from domain.presence import FrameRecorded, KeyframeRecorded
from domain.profile import Disabled, ProfileChanged, ProfileCreated, SignedOut
from domain.receipts import Pointers, PointersByUser, ReceiptsRecorded
from domain.room import AccessChanged, Closed, MemberRemoved, RoleChanged
from interfaces.ws.chat_tail import MESSAGES_SHOWN, ChatTail
from interfaces.ws.roster import Roster
from interfaces.ws.wire import (
    Frame,
    encode_recorded,
    events_frame,
    mention_frame,
    presence_frame,
    without_deleted,
)

# Room events (not edits) that a resuming client is told one by one; beyond it takes the room afresh. Also
# how many a room keeps in memory for those who resume.
RESUME_EVENTS_MAX: Final = 1_000

# Profiles that have just been changed, for those whose stay was decided before it and comes after it: as many
# as can be changed within the seconds that an append may take.
PROFILES_REMEMBERED: Final = 1_000

ProfileEvent = ProfileCreated | ProfileChanged


class RoomHistory(Protocol):
    """What the hub reads of a room's past. All raise `StoreUnavailable`."""

    async def messages(self, room: str, until: int, limit: int) -> Sequence[Recorded]: ...

    async def receipts(self, room: str, until: int) -> tuple[dict[str, Pointers], Sequence[Recorded]]: ...

    async def open_stays(self, room: str | None) -> Sequence[Recorded]: ...

    async def profiles(self, users: Iterable[str]) -> Sequence[Recorded]: ...

    async def room_events(self, room: str, after: int, until: int, *, limit: int) -> Sequence[Recorded]: ...


class PresenceHistory(Protocol):
    """The same of the presence log."""

    async def frames(self, room: str, nodes: Sequence[str]) -> Sequence[Recorded]: ...


class Receiver(Protocol):
    """A session, as the hub sees it."""

    client: str
    user: str
    session_id: str
    connected: int
    documents: frozenset[str]
    is_welcomed: bool

    def push(self, frame: Frame) -> None: ...

    def on_superseded(self) -> None: ...

    def on_client_taken(self) -> None: ...

    def on_rights_changed(self) -> None: ...

    def on_account_changed(self) -> None: ...


class RoomOnNode:
    """One room's sessions on this node, its roster and its recent past. Owned by the hub."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.sessions: dict[str, Receiver] = {}
        self.roster = Roster()
        self.chat = ChatTail()
        self.pointers = PointersByUser()
        """How far everybody has got and read."""
        self.loading: asyncio.Task[None] | None = None
        self.has_loaded = False
        self._recent: deque[tuple[int, bytes]] = deque()
        self._recent_after = 0
        self._missed: list[Recorded] = []
        self._missed_frames: list[FrameRecorded | KeyframeRecorded] = []

    # The feed.

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """The part of a commit batch that belongs to this room. Whoever loses their rights by it hears of
        that, and of nothing behind it.
        """
        for part in _until_rights(batch):
            self._on_events(part)
            if isinstance(part[-1].event, _RIGHTS):
                for session in tuple(self.sessions.values()):
                    session.on_rights_changed()

    def _on_events(self, batch: Sequence[Recorded]) -> None:
        encoded: list[tuple[str | None, bytes]] = []
        for recorded in batch:
            event = recorded.event
            data = encode_recorded(recorded)
            if isinstance(event, EditApplied):
                assert data is not None
                encoded.append((parse_stream(event.originator_id).name, data))
                self.roster.on_activity(event.client, event.timestamp)
                continue
            if not self.has_loaded:
                self._missed.append(recorded)
            else:
                self._take(recorded, data)
            if data is not None:
                encoded.append((None, data))
        if encoded:
            self._broadcast(batch[-1].position, encoded)

    def on_profile(self, position: int, user: str, event: ProfileEvent, data: bytes) -> None:
        """Somebody looks different: told to who knows them."""
        if user in self.roster.people or not self.has_loaded:
            self.roster.on_profile(user, event)
            frame = events_frame(position, [data])
            for session in self.sessions.values():
                session.push(frame)

    def _broadcast(self, position: int, encoded: Sequence[tuple[str | None, bytes]]) -> None:
        frames: dict[frozenset[str], Frame | None] = {}
        for session in self.sessions.values():
            documents = session.documents
            if documents not in frames:
                seen = [data for document, data in encoded if document is None or document in documents]
                frames[documents] = events_frame(position, seen) if seen else None
            frame = frames[documents]
            if frame is not None:
                session.push(frame)

    def _supersede(self, joined: Joined) -> None:
        """A client has begun a stay: its older sockets here are ended. A newer one is not: a stay that
        began on a slow node is logged late.

        Two users may have come as the same client on two nodes at once. Whose stay is in the log first keeps
        it.
        """
        for session in tuple(self.sessions.values()):
            if session.client != joined.client:
                continue
            if session.user == joined.actor:
                if session.connected < joined.connected:
                    session.on_superseded()
            elif session.is_welcomed and session.session_id not in self.roster.places:
                session.on_client_taken()

    def on_presence(self, position: int, frames: Sequence[FrameRecorded | KeyframeRecorded]) -> None:
        """Keyframes tell nothing new to who has seen the frames before them."""
        if not self.has_loaded:
            self._missed_frames += frames
        else:
            self.roster.on_frames(frames)
        shown = [frame for frame in frames if isinstance(frame, FrameRecorded)]
        if shown:
            frame = presence_frame(position, shown)
            for session in self.sessions.values():
                session.push(frame)

    def _take(self, recorded: Recorded, data: bytes | None) -> None:
        event = recorded.event
        if isinstance(event, Joined):
            self._supersede(event)
            self.roster.on_joined(event)
        elif isinstance(event, StatusChanged):
            self.roster.on_status_changed(event)
        elif isinstance(event, Left):
            self.roster.on_left(event)
        if data is None:
            return
        if isinstance(event, Posted):
            self.roster.on_activity(event.client, event.timestamp)
        elif isinstance(event, ReceiptsRecorded):
            self.pointers.take(event.receipts)
        self.chat.take(recorded)
        self._recent.append((recorded.position, data))
        if len(self._recent) > RESUME_EVENTS_MAX:
            self._recent_after = self._recent.popleft()[0]

    # Reading.

    def start_loading(self, history: RoomHistory, presence: PresenceHistory, position: int) -> None:
        """Read roster and last messages as of `position`, where the feed stands; from here on what it
        brings waits in `_missed`.
        """
        self._missed.clear()
        self._missed_frames.clear()
        self._recent_after = position
        self.loading = asyncio.ensure_future(self._load(history, presence, position))

    async def _load(self, history: RoomHistory, presence: PresenceHistory, position: int) -> None:
        stays = await history.open_stays(self.room)
        messages = await history.messages(self.room, position, MESSAGES_SHOWN)
        self.chat.extend(messages)
        pointers, receipts = await history.receipts(self.room, position)
        self.pointers.update(pointers)
        for recorded in receipts:
            if isinstance(recorded.event, ReceiptsRecorded):  # and not one that cannot be read
                self.pointers.take(recorded.event.receipts)
        users = {recorded.event.actor for recorded in stays} | self.chat.people
        profiles = await history.profiles(users)
        self.roster.begin(stays, profiles)
        frames = await presence.frames(self.room, self.roster.nodes) if self.roster.places else ()
        self.roster.on_frames(_frames(frames))
        self.has_loaded = True
        missed, self._missed = self._missed, []
        for recorded in missed:
            self._take(recorded, encode_recorded(recorded))
        missed_frames, self._missed_frames = self._missed_frames, []
        self.roster.on_frames(missed_frames)

    async def events_after(self, history: RoomHistory, after: int) -> Sequence[tuple[int, bytes]] | None:
        """The room's events behind `after`, up to where the feed stands on return; None when there
        are too many.
        """
        if after < self._recent_after:
            until = self._recent_after
            older = await history.room_events(self.room, after, until, limit=RESUME_EVENTS_MAX + 1)
            if until != self._recent_after:  # something fell out of memory meanwhile
                return await self.events_after(history, after)
            if len(older) + len(self._recent) > RESUME_EVENTS_MAX:
                return None
            # The next one who was away need not read them.
            encoded = [(r.position, data) for r in older if (data := encode_recorded(r))]
            self._recent.extendleft(reversed(encoded))
            self._recent_after = after
        return without_deleted([(position, data) for position, data in self._recent if position > after])

    @property
    def people(self) -> dict[str, dict[str, str]]:
        """How those look who are here or have said what is shown."""
        present = {place.joined.actor for place in self.roster.places.values()}
        return self.roster.people_as_json(sorted(self.chat.people | present))


def _called_by(event: Event) -> Sequence[str]:
    """Whom an event speaks to who were not spoken to by that message before."""
    match event:
        case Posted():
            return event.mentions
        case Edited():
            return event.newly
        case _:
            return ()


_RIGHTS: Final = (AccessChanged, Closed, MemberRemoved, RoleChanged)
"""After these somebody may have to go."""


def _until_rights(batch: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """A batch in parts that end where rights are changed."""
    begin = 0
    for end, recorded in enumerate(batch, 1):
        if end == len(batch) or isinstance(recorded.event, _RIGHTS):
            yield batch[begin:end]
            begin = end


def _frames(batch: Iterable[Recorded]) -> list[FrameRecorded | KeyframeRecorded]:
    return [r.event for r in batch if isinstance(r.event, FrameRecorded | KeyframeRecorded)]


class Hub:
    """Follows the feeds; sessions enter and leave rooms. One per node."""

    def __init__(self, history: RoomHistory, presence: PresenceHistory) -> None:
        self._history = history
        self._presence = presence
        self._rooms: dict[str, RoomOnNode] = {}
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self._profiles: OrderedDict[str, Recorded] = OrderedDict()  # the last to be changed, by user
        self.position = 0
        """Up to where the feed of the record has come."""
        self.hash_mismatches = 0
        """How often a client's text was found to be another than ours."""

    # Followers of the feeds.

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the record's feed."""
        self.position = batch[-1].position
        for run in _runs(batch):
            for name, part in _by_room(run):
                if not name:
                    self._on_people(part)
                    continue
                if (room := self._rooms.get(name)) is not None:
                    room.on_events(part)
                    self._tell_late_profiles(room, part)
                self._tell_mentions(name, part)
        if self._awaited:
            self._tell_reached()

    def _tell_mentions(self, room: str, part: Sequence[Recorded]) -> None:
        """Who is spoken to hears of it in whatever room they are; in this one, by the message itself."""
        for recorded in part:
            event = recorded.event
            called = _called_by(event)
            if called:
                frame = mention_frame(recorded)
                elsewhere = (other for name, other in self._rooms.items() if name != room)
                for session in (session for other in elsewhere for session in other.sessions.values()):
                    if session.user in called:
                        session.push(frame)

    def _tell_reached(self) -> None:
        awaited, self._awaited = self._awaited, []
        for position, reached in awaited:
            if position > self.position and not reached.done():
                self._awaited.append((position, reached))
            elif not reached.done():
                reached.set_result(None)

    def _on_people(self, batch: Sequence[Recorded]) -> None:
        """What belongs to no room."""
        for recorded in batch:
            event = recorded.event
            user = parse_stream(event.originator_id).name
            if isinstance(event, ProfileCreated | ProfileChanged):
                self._profiles[user] = recorded
                self._profiles.move_to_end(user)
                if len(self._profiles) > PROFILES_REMEMBERED:
                    self._profiles.popitem(last=False)
                for room in self._rooms.values():
                    self._tell_profile(room, recorded)
            elif isinstance(event, SignedOut | Disabled):
                for session in self.sessions:
                    if session.user == user:
                        session.on_account_changed()

    @staticmethod
    def _tell_profile(room: RoomOnNode, recorded: Recorded) -> None:
        event = recorded.event
        assert isinstance(event, ProfileCreated | ProfileChanged)
        data = encode_recorded(recorded)
        assert data is not None
        room.on_profile(recorded.position, parse_stream(event.originator_id).name, event, data)

    def _tell_late_profiles(self, room: RoomOnNode, part: Sequence[Recorded]) -> None:
        """A stay carries its user's profile as it was when it was decided. It may have been changed before
        the stay came into the log: then the change has passed when this room did not know the user yet.
        """
        for recorded in part:
            if isinstance(joined := recorded.event, Joined):
                changed = self._profiles.get(joined.actor)
                if changed is not None and changed.event.originator_version > joined.profile:
                    # Everybody has heard the whole part by now, and goes by the last place told.
                    self._tell_profile(room, Recorded(part[-1].position, changed.event))

    def on_presence(self, batch: Sequence[Recorded]) -> None:
        """Called by the presence log's feed."""
        for name, part in _by_room(batch):
            if (room := self._rooms.get(name)) is not None and (frames := _frames(part)):
                room.on_presence(part[-1].position, frames)

    # Sessions.

    def enter(self, name: str, session: Receiver) -> RoomOnNode:
        """From here on `session` gets the room's frames, and the room is kept until it leaves.

        Of two sessions of the same client on this node the older one is ended, which may be `session`.
        """
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = RoomOnNode(name)
        for other in tuple(room.sessions.values()):
            if other.client == session.client and other.user == session.user:
                older = session if other.connected > session.connected else other
                older.on_superseded()
        room.sessions[session.session_id] = session
        return room

    async def load(self, room: RoomOnNode) -> None:
        """Return when the room's roster and messages are known. Raises `StoreUnavailable`."""
        if room.has_loaded:
            return
        if room.loading is None or room.loading.done():
            room.start_loading(self._history, self._presence, self.position)
        assert room.loading is not None
        await asyncio.shield(room.loading)

    async def reach(self, position: int) -> None:
        """Return when the feed has come to `position`."""
        if position > self.position:
            reached = asyncio.get_running_loop().create_future()
            self._awaited.append((position, reached))
            await reached

    async def is_behind(self, room: RoomOnNode, position: int) -> bool:
        """Whether the log has events of the room, up to `position`, that the feed has not brought yet."""
        return bool(await self._history.room_events(room.room, self.position, position, limit=1))

    async def events_after(self, room: RoomOnNode, after: int) -> Sequence[tuple[int, bytes]] | None:
        """See `RoomOnNode.events_after`."""
        return await room.events_after(self._history, after)

    def leave(self, room: RoomOnNode, session: Receiver) -> None:
        """`session` is gone; a room without sessions is forgotten."""
        room.sessions.pop(session.session_id, None)
        if not room.sessions and self._rooms.get(room.room) is room:
            del self._rooms[room.room]

    @staticmethod
    def find_session(room: RoomOnNode, client: str) -> Receiver | None:
        """A session of `client` here that has been welcomed. One that has not may be anybody's."""
        sessions = room.sessions.values()
        return next((other for other in sessions if other.client == client and other.is_welcomed), None)

    @classmethod
    def find_client_user(cls, room: RoomOnNode, client: str) -> str | None:
        """Who is here as `client`, as far as this node knows."""
        known = room.roster.find_user(client)
        if known is None and (session := cls.find_session(room, client)) is not None:
            known = session.user
        return known

    @property
    def sessions(self) -> list[Receiver]:
        """All sessions on this node."""
        return [session for room in self._rooms.values() for session in room.sessions.values()]

    @property
    def rooms(self) -> int:
        return len(self._rooms)


def _runs(batch: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """A batch in parts that are each of rooms only or of people only. Within a part rooms may be served one
    after the other; over its borders everybody must hear of everything in order.
    """
    if all(_is_of_room(recorded) for recorded in batch):
        yield batch
        return
    for _, run in groupby(batch, _is_of_room):
        yield list(run)


def _is_of_room(recorded: Recorded) -> bool:
    return bool(parse_stream(recorded.event.originator_id).room)


def _by_room(batch: Sequence[Recorded]) -> Iterable[tuple[str, list[Recorded]]]:
    """A batch by rooms; each room's events stay in order."""
    if len(batch) == 1:
        return [(parse_stream(batch[0].event.originator_id).room, list(batch))]
    key = lambda recorded: parse_stream(recorded.event.originator_id).room  # noqa: E731
    return [(room, list(part)) for room, part in groupby(sorted(batch, key=key), key)]
