"""What can be done with chat messages: post."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from application.live import LiveAggregates
from application.log import Recorded
from application.rooms import guard
from domain.ids import message_stream
from domain.message import Message
from domain.rights import Action


class Messages:
    def __init__(self, lives: LiveAggregates, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._now = now

    def post(
        self, room: str, message: str, *, client: str, text: str, documents: dict[str, int], actor: str
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Say `text` under the client's own id `message`; a resend finds itself and adds nothing.

        The future raises `NotFound`, `Forbidden`, `TextInvalid`, `OpTooLarge`, `IdReused`, `Contended`,
        `Overloaded`, `StoreUnavailable`.
        """
        at = self._now()

        def decide(head: Message | None) -> Message:
            if head is not None:
                head.check_resend(client=client, text=text)
                return head
            return Message.post(
                room, message, client=client, text=text, documents=documents, actor=actor, at=at
            )

        may_post = guard(room, actor, Action.POST)
        return self._lives.submit(message_stream(room, message), decide, is_new=True, guard=may_post)
