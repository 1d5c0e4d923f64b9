"""The tables of chat: whatever the pages are, each question is answered as by somebody who reads the whole
log and looks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from infrastructure.postgres.chat_view import ChatView
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import PAGE_EVENTS, Projector
from infrastructure.rebuild import Rebuild
from projections.chat import ChatMessage
from tests.infrastructure.projecting import TwiceView, empty
from tests.projections.chats import chats, messages_of, pointers_of
from tests.projections.histories import ROOMS

law = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),
)
PAGES = st.integers(1, 30)
AGAIN = st.sampled_from([0, 0, 1, 3, 30])


class Talk:
    """A log, and the tables of its chat."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.view = ChatView(database)

    async def write(self, events: Sequence[Event], page: int = PAGE_EVENTS, again: int = 0) -> None:
        """Append, and bring the tables up to the end of the log."""
        await self.log.append(events, [None] * len(events))
        async with await self.database.connect("test") as connection:
            projector = Projector(self.database, self.log, TwiceView(self.view, again), page_events=page)
            await projector.begin(connection)
            while await projector.step(connection):
                pass
            assert projector.parked == 0

    async def begin_anew(self, log: Sequence[Event], page: int = PAGE_EVENTS, again: int = 0) -> None:
        """Another log, for the next example of a property test."""
        await empty(self.database)
        await self.write(log, page, again)


@pytest.fixture
async def talk(database: Database) -> AsyncIterator[Talk]:
    talk = Talk(database)
    yield talk
    await talk.log.disconnect()


# Against the recounts.


@law
@given(log=chats(), page=PAGES, again=AGAIN)
async def test_messages_and_pointers_are_what_the_whole_log_tells(
    talk: Talk, log: list[Event], page: int, again: int
) -> None:
    await talk.begin_anew(log, page, again)
    messages = messages_of(log)
    for room in ROOMS:
        assert await talk.view.page(room, limit=100) == [m for m in messages if m.room == room]
        rows = await talk.database.fetch(
            'SELECT "user", delivered, read FROM chat_pointers WHERE room = %s', (room,)
        )
        assert {user: (delivered, read) for user, delivered, read in rows} == pointers_of(log, room)
    for message in messages:
        assert await talk.view.find(message.room, message.message) == message


@law
@given(log=chats(), pages=st.tuples(PAGES, PAGES))
async def test_rebuilt_tables_are_the_tables_as_they_live(
    talk: Talk, log: list[Event], pages: tuple[int, int]
) -> None:
    await talk.begin_anew(log, pages[0])
    rebuild = Rebuild(talk.database, talk.log, talk.view, page_events=pages[1])
    rebuilt = await rebuild.run(lambda position, end: None, is_comparing=True)
    assert (rebuilt.differences, rebuilt.parked) == ((), 0)


@law
@given(log=chats(), limit=st.integers(1, 5))
async def test_a_room_is_read_page_by_page_in_both_directions(
    talk: Talk, log: list[Event], limit: int
) -> None:
    await talk.begin_anew(log)
    for room in ROOMS:
        messages = [message for message in messages_of(log) if message.room == room]
        older: list[ChatMessage] = []
        while page := await talk.view.page(room, before=older[0].position if older else None, limit=limit):
            assert len(page) <= limit
            older = page + older
        newer: list[ChatMessage] = []
        while page := await talk.view.page(room, after=newer[-1].position if newer else 0, limit=limit):
            assert len(page) <= limit
            newer += page
        assert older == newer == messages
