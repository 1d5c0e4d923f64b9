"""What can be done with chat messages: post, edit, delete, react, pin, bring in from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from application.documents import Documents
from application.live import Guard, LiveAggregates, abandonable
from application.log import Recorded
from application.rooms import guard
from domain.errors import NotFound, OpInvalid
from domain.ids import message_stream, room_stream
from domain.message import Link, Message, mentioned_in
from domain.rights import Action
from domain.room import Room

Committed = asyncio.Future[Sequence[Recorded]]
"""What came of a command: its events, none for one that has been done before. Apart from what each method
names it raises `NotFound`, `Forbidden`, `Contended`, `Overloaded`, `StoreUnavailable`.
"""


class Messages:
    def __init__(self, lives: LiveAggregates, documents: Documents, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._documents = documents
        self._now = now

    async def check_references(self, room: str, reply_to: str | None, link: Link | None) -> None:
        """Raise `NotFound`, `RevisionAhead` or `OpInvalid` when what a message refers to is not there."""
        if reply_to is not None:
            await self.get(room, reply_to)
        if link is not None:
            document = await self._documents.reached(room, link["document"], link["revision"])
            is_present = link["revision"] == document.revision
            if link["start"] > link["end"] or (is_present and link["end"] > len(document.text)):
                raise OpInvalid("there is no such range", length=len(document.text))

    async def get(self, room: str, message: str) -> Message:
        """The live, committed message, also a deleted one. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.get(message_stream(room, message))
        if found is None:
            raise NotFound("there is no such message")
        assert isinstance(found, Message)
        return found

    async def recorded(self, room: str, message: str) -> Sequence[Recorded]:
        """All that became of a message, with its places in the log. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.history.recorded(message_stream(room, message))
        if not found:
            raise NotFound("there is no such message")
        return found

    def post(
        self,
        room: str,
        message: str,
        *,
        client: str,
        text: str,
        documents: dict[str, int],
        actor: str,
        reply_to: str | None = None,
        link: Link | None = None,
    ) -> Committed:
        """Say `text` under the client's own id `message`; a resend finds itself and adds nothing. What it
        refers to is checked before, by `check_references`.

        The future raises `TextInvalid`, `OpTooLarge`, `IdReused`.
        """
        at = self._now()
        may_post, mentions = _addressing(room, actor, text)

        def decide(head: Message | None) -> Message:
            if head is not None:
                head.check_resend(client=client, text=text, reply_to=reply_to, link=link)
                return head
            return Message.post(
                room,
                message,
                client=client,
                text=text,
                documents=documents,
                reply_to=reply_to,
                link=link,
                mentions=mentions,
                actor=actor,
                at=at,
            )

        return self._lives.submit(message_stream(room, message), decide, is_new=True, guard=may_post)

    def edit(self, room: str, message: str, text: str, *, actor: str) -> Committed:
        """Say it otherwise. The future raises `TextInvalid`, `OpTooLarge`, `LimitReached`."""
        at = self._now()
        may_post, mentions = _addressing(room, actor, text)
        return self._change(
            room, message, lambda head: head.edit(text, mentions=mentions, actor=actor, at=at), may_post
        )

    async def delete(self, room: str, message: str, *, actor: str) -> Sequence[Recorded]:
        """Take a message back: one's own, or as an owner of the room anybody's. See `Committed`."""
        at = self._now()
        author = (await self.get(room, message)).author  # which never changes
        allowed = guard(room, actor, Action.POST if author == actor else Action.MANAGE)
        return await abandonable(
            self._change(room, message, lambda head: head.delete(actor=actor, at=at), allowed)
        )

    def react(self, room: str, message: str, emoji: str, *, is_on: bool, actor: str) -> Committed:
        """Add a reaction of `actor`, or take it back. `emoji` is checked at the edge.

        The future raises `LimitReached`.
        """
        at = self._now()

        def change(head: Message) -> None:
            (head.react if is_on else head.unreact)(emoji, actor=actor, at=at)

        return self._change(room, message, change, guard(room, actor, Action.POST))

    def pin(self, room: str, message: str, *, is_pinned: bool, actor: str) -> Committed:
        """Keep a message in everybody's sight, or not any more: for those who edit here."""
        at = self._now()

        def change(head: Message) -> None:
            head.pin(is_pinned=is_pinned, actor=actor, at=at)

        return self._change(room, message, change, guard(room, actor, Action.EDIT))

    def bring(
        self, room: str, message: str, *, actor: str, is_new: bool = False, **as_it_stood: Any
    ) -> Committed:
        """Import a message, with the fields of `Imported`; once more it adds nothing. For owners. With
        `is_new` it is taken not to be there: see `LiveAggregates.submit`.

        The future raises `TextInvalid`, `OpTooLarge`, `LimitReached`, `IdReused`.
        """
        at = self._now()

        def decide(head: Message | None) -> Message:
            if head is None:
                return Message.bring(room, message, actor=actor, at=at, **as_it_stood)
            head.check_resend(
                client=None,
                text=as_it_stood["text"],
                reply_to=as_it_stood["reply_to"],
                link=as_it_stood["link"],
            )
            return head

        stream = message_stream(room, message)
        may_manage = guard(room, actor, Action.MANAGE)
        return self._lives.submit(stream, decide, is_new=is_new, guard=may_manage)

    def _change(
        self, room: str, message: str, change: Callable[[Message], None], allowed: Guard
    ) -> Committed:
        def decide(head: Message | None) -> Message:
            if head is None:
                raise NotFound("there is no such message")
            change(head)
            return head

        return self._lives.submit(message_stream(room, message), decide, guard=allowed)


def _addressing(room: str, actor: str, text: str) -> tuple[Guard, list[str]]:
    """The guard of what speaks in `room`, and whom of its people `text` mentions, as of the guard's last
    look: nobody is told of a room that does not exist for them.
    """
    may_post = guard(room, actor, Action.POST)
    asked = [user for user in mentioned_in(text) if user != actor]
    mentions: list[str] = []

    def check(found: Room | None) -> None:
        may_post.check(found)
        assert found is not None
        mentions[:] = [user for user in asked if found.role_of(user) is not None]

    return Guard(room_stream(room), actor, check), mentions
