"""From a hello to its welcome: who may come in, what they are told of the room, and what they have missed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from application.services import Services
from domain.attendance import Appearance
from domain.errors import BadFrame, Forbidden, StoreError, StoreUnavailable, Unauthenticated
from domain.instants import as_microseconds
from domain.limits import FRAME_BYTES, OP_COMPONENTS
from domain.profile import Profile
from domain.receipts import PointersByUser
from domain.rights import Action
from domain.room import Room
from interfaces.ws import closes
from interfaces.ws.frames import Hello
from interfaces.ws.hub import Hub, RoomOnNode
from interfaces.ws.rates import Limits
from interfaces.ws.roster import TYPING_SECONDS
from interfaces.ws.session import PING_SECONDS, PONG_SECONDS, Session
from interfaces.ws.wire import error_frame, events_frame, fragments, frame

PROTOCOL: Final = 1

# A client that was on another node may be ahead of this one, which looks for news every 250 ms.
BEHIND_SECONDS: Final = 2.0


class Welcomes:
    """For all sessions of a node. Has no state."""

    def __init__(self, services: Services, hub: Hub, limits: Limits) -> None:
        self._services = services
        self._hub = hub
        self._limits = limits

    async def on_hello(self, session: Session, hello: Hello) -> None:
        if session.is_greeted:
            raise BadFrame("one hello is enough", field="type")
        if hello.protocol != PROTOCOL:
            session.reply(
                error_frame(hello.ref, BadFrame("this server speaks another version", expected=PROTOCOL))
            )
            session.close(closes.OTHER_PROTOCOL)
            return
        if session.holder.identity is None:
            if hello.ticket is None:
                raise Unauthenticated
            await session.redeem(hello.ticket)
        await self._services.rooms.enter(session.room, session.user, Action.READ, from_log=True)
        if not session.is_closed:
            await self._enter(session, hello)

    async def _enter(self, session: Session, hello: Hello) -> None:
        """From here on the session is one of the room's."""
        session.client = hello.client
        session.connected = hello.at if hello.at is not None else as_microseconds(self._services.now())
        on_node = session.on_node = self._hub.enter(session.room, session)
        if session.is_closed:
            return  # the client has a newer socket here
        try:
            await self._hub.load(on_node)
            await self._check_client(session, on_node)
            profile = await self._services.profiles.get(session.user)
            await session.positions.read_for(on_node.roster)
            await self._services.rooms.get(session.room)  # it may have been let go meanwhile
            missed = await self._missed_events(hello, on_node)  # last: it tells up to where the feed stands
        except StoreError:
            session.close(closes.STORE_UNAVAILABLE)
            return
        # No await from here on: what the welcome tells and what follows from the feed fit together.
        room = self._services.rooms.find(session.room)
        if not session.holder.is_let_in(profile):
            session.close(closes.ACCESS_REMOVED)
        elif room is None or not room.allows(session.user, Action.READ):
            # Let go from memory while we were reading; or this node is behind the log, which lets them in; or
            # they were removed this moment. The next hello will tell.
            session.close(closes.STORE_UNAVAILABLE)
        else:
            _check_owner(session, self._hub.find_client_user(on_node, session.client))  # since it was asked
            self._begin(session, hello, room, profile, on_node, missed)

    def _begin(
        self,
        session: Session,
        hello: Hello,
        room: Room,
        profile: Profile,
        on_node: RoomOnNode,
        missed: Sequence[tuple[int, bytes]] | None,
    ) -> None:
        if session.is_closed:
            return
        stay = self._services.attendances.stay(
            session.room,
            session.session_id,
            client=session.client,
            appearance=Appearance(profile.name, profile.colour, profile.avatar, profile.version),
            actor=session.user,
            connected=session.connected,
        )
        session.begin(stay)
        resume = hello.resume
        session.is_of_other_history = resume is not None and resume.epoch != self._services.epoch
        self._welcome(session, hello, room, profile, on_node, missed)

    async def _check_client(self, session: Session, on_node: RoomOnNode) -> None:
        """A client belongs to the user who was the first to come as it: its edits are numbered, and its
        sockets replace each other. Raises `Forbidden`.
        """
        known = self._hub.find_client_user(on_node, session.client)
        if known is None:
            known = await self._services.history.find_client_user(session.room, session.client)
        _check_owner(session, known)

    async def _missed_events(self, hello: Hello, on_node: RoomOnNode) -> Sequence[tuple[int, bytes]] | None:
        """What a resuming client has not seen; None when it has to start anew."""
        resume = hello.resume
        if resume is None or resume.epoch != self._services.epoch:
            return None
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                await self._hub.reach(resume.position)
        except TimeoutError:
            if await self._hub.is_behind(on_node, resume.position):
                raise StoreUnavailable("this node is behind the client") from None
            return None
        return await self._hub.events_after(on_node, resume.position)

    def _welcome(
        self,
        session: Session,
        hello: Hello,
        room: Room,
        profile: Profile,
        on_node: RoomOnNode,
        missed: Sequence[tuple[int, bytes]] | None,
    ) -> None:
        position = self._hub.position
        role = room.role_of(session.user)
        assert role is not None
        session.reply(
            frame(
                type="welcome",
                ref=hello.ref,
                protocol=PROTOCOL,
                epoch=self._services.epoch,
                position=position,
                resumed=missed is not None,
                session=session.session_id,
                node=self._services.node,
                you={
                    "user": session.user,
                    "role": role,
                    "name": profile.name,
                    "colour": profile.colour,
                    "avatar": profile.avatar,
                },
                room={"id": room.room, "title": room.title, "everyone": room.everyone},
                members=[{"user": user, "role": held} for user, held in room.members.items()],
                documents=list(room.documents),
                people=on_node.people,
                roster=on_node.roster.as_json(self._services.now(), session.positions.moved),
                messages=fragments(on_node.chat.encoded) if missed is None else [],
                receipts=_receipts(on_node.pointers),
                heartbeat={"interval": PING_SECONDS, "timeout": PONG_SECONDS},
                limits={
                    "frame_bytes": FRAME_BYTES,
                    "op_components": OP_COMPONENTS,
                    "edits_per_second": self._limits.edits_per_second,
                    "chat_per_second": self._limits.chat_per_second,
                    "typing_seconds": TYPING_SECONDS,
                },
            )
        )
        if missed:
            session.reply(events_frame(position, [data for _, data in missed]))


def _check_owner(session: Session, user: str | None) -> None:
    if user not in (None, session.user):
        raise Forbidden("this client is somebody else's")


def _receipts(pointers: PointersByUser) -> list[dict[str, Any]]:
    return [{"user": user, "delivered": p.delivered, "read": p.read} for user, p in pointers.items()]
