"""The tables of chat: whatever the pages are, each question is answered as by somebody who reads the whole
log and looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from application.log import Recorded
from domain.aggregate import Event
from domain.errors import Overloaded, StoreUnavailable
from domain.ids import room_stream
from domain.message import Message, mentioned_in
from domain.receipts import PointersByUser, ReceiptsRecorded
from infrastructure.postgres import chat_search, chat_view
from infrastructure.postgres.chat_view import EVERYTHING, SEARCHES_AT_ONCE, UNREAD_MAX, ChatView
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.members_view import MembersView
from infrastructure.postgres.rooms_view import RoomsView
from infrastructure.projector import PAGE_EVENTS, Projector, View
from infrastructure.rebuild import Rebuild
from projections.chat import ChatFilter, ChatMessage, Unread
from projections.chat_search import Findings, Found, Piece, Place, terms_of, text_key
from tests.domain.events import NOON, collect, fold, later
from tests.infrastructure.projecting import TwiceView, empty
from tests.projections.chats import DOCUMENTS, EMOJI, MESSAGES, TEXTS, chats, messages_of, pointers_of
from tests.projections.histories import ROOMS, START, USERS, histories

law = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # it takes minutes, for little
)
PAGES = st.integers(1, 30)
AGAIN = st.sampled_from([0, 0, 1, 3, 30])


class Talk:
    """A log, and the tables of its chat."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.view = ChatView(database)

    async def append(self, events: Sequence[Event]) -> None:
        await self.log.append(events, [None] * len(events))

    async def fold(self, *views: View, page: int = PAGE_EVENTS) -> None:
        """Bring tables up to the end of the log."""
        async with await self.database.connect("test") as connection:
            for view in views:
                projector = Projector(self.database, self.log, view, page_events=page)
                await projector.begin(connection)
                while await projector.step(connection):
                    pass
                assert projector.parked == 0

    async def write(self, events: Sequence[Event], page: int = PAGE_EVENTS, again: int = 0) -> None:
        """Append, and bring the tables of chat up to the end of the log."""
        await self.append(events)
        await self.fold(TwiceView(self.view, again), page=page)

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
@given(log=chats(), length=st.integers(1, 20))
async def test_any_part_of_the_log_that_is_told_again_long_after_changes_nothing(
    talk: Talk, log: list[Event], length: int
) -> None:
    await talk.begin_anew(log)
    recorded = [Recorded(at, event) for at, event in enumerate(log, 1)]
    async with await talk.database.connect("test") as connection:
        for begin in reversed(range(0, len(log), 3)):  # the other way would mend what it breaks
            await talk.view.apply(connection, recorded[begin : begin + length])
    for room in ROOMS:
        assert await talk.view.page(room, limit=100) == [m for m in messages_of(log) if m.room == room]
        assert await talk.view.pointers(room) == pointers_of(log, room)


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


# Questions, against the recounts.

FILTERS = st.builds(
    ChatFilter,
    author=st.none() | st.sampled_from(USERS),
    since=st.none() | st.integers(-10, 300).map(lambda seconds: START + timedelta(seconds=seconds)),
    until=st.none() | st.integers(0, 600).map(lambda seconds: START + timedelta(seconds=seconds)),
    emoji=st.none() | st.sampled_from(["", *EMOJI]),
    mentions=st.none() | st.sampled_from(USERS),
    document=st.none() | st.sampled_from(DOCUMENTS),
    reply_to=st.none() | st.sampled_from(MESSAGES),
    is_pinned=st.none() | st.booleans(),
)


def applies(chosen: ChatFilter, message: ChatMessage) -> bool:
    """Whether a filter lets a message pass, said in the plainest way."""
    linked = message.link["document"] if message.link else None
    return all(
        (
            chosen.author in (None, message.author),
            chosen.since is None or chosen.since <= message.posted,
            chosen.until is None or message.posted < chosen.until,
            chosen.emoji is None
            or (message.reactors if chosen.emoji == "" else chosen.emoji in message.reactors),
            chosen.mentions is None or chosen.mentions in message.mentions,
            chosen.document is None or chosen.document in {linked, *message.documents},
            chosen.reply_to in (None, message.reply_to),
            chosen.is_pinned in (None, message.pinned is not None),
        )
    )


@law
@given(log=chats(), choices=st.lists(FILTERS, min_size=10, max_size=10))
async def test_a_filter_lets_pass_what_it_applies_to(
    talk: Talk, log: list[Event], choices: list[ChatFilter]
) -> None:
    await talk.begin_anew(log)
    messages = messages_of(log)
    for chosen in choices:
        for room in ROOMS:
            expected = [m for m in messages if m.room == room and applies(chosen, m)]
            assert await talk.view.page(room, chosen, limit=100) == expected
            middle = len(log) // 2
            assert (
                await talk.view.page(room, chosen, after=middle, limit=2)
                == [message for message in expected if message.position > middle][:2]
            )
            assert (
                await talk.view.page(room, chosen, before=middle, limit=2)
                == [message for message in expected if message.position < middle][-2:]
            )


@law
@given(log=chats())
async def test_readers_and_what_is_unread_are_told_by_the_pointers(talk: Talk, log: list[Event]) -> None:
    await talk.begin_anew(log)
    messages = messages_of(log)
    for message in messages:
        pointers = pointers_of(log, message.room)
        assert await talk.view.readers(message) == [
            (user, read >= message.position)
            for user, (delivered, read) in sorted(pointers.items())
            if delivered >= message.position and user != message.author
        ]
    for room in ROOMS:
        pointers = pointers_of(log, room)
        assert await talk.view.pointers(room) == pointers
        for user in (*USERS, "nobody"):
            _, read = pointers.get(user, (0, 0))
            assert await talk.view.unread_in(room, user) == sum(
                m.room == room and m.position > read and m.author != user and m.deleted is None
                for m in messages
            )


async def _unread(talk: Talk, user: str) -> list[Unread]:
    """Page by page, one room each."""
    found: list[Unread] = []
    while page := await talk.view.unread(user, found[-1].room if found else "", 1):
        found += page
    return found


@law
@given(log=chats(), people=histories())
async def test_over_all_rooms_only_those_count_that_one_may_read(
    talk: Talk, log: list[Event], people: list[Event]
) -> None:
    await talk.begin_anew([*people, *(event for event in log)])
    await talk.fold(RoomsView(talk.database), MembersView(talk.database))
    messages = messages_of([*people, *log])
    for user in USERS:
        readable, own = set(), set()
        for room in ROOMS:
            found = fold([event for event in people if event.originator_id == room_stream(room)])
            if found is not None and found.role_of(user) is not None:
                readable.add(room)
                own |= {room} if user in found.members else set()
        unread = await _unread(talk, user)
        pointers = {room: pointers_of(log, room).get(user) for room in readable}
        known = [room for room in sorted(readable) if room in own or pointers[room] is not None]
        assert [(u.room, (u.delivered, u.read)) for u in unread] == [
            (room, pointers[room] or (0, 0)) for room in known
        ]
        assert [u.messages for u in unread] == [await talk.view.unread_in(room, user) for room in known]
        for chosen in (ChatFilter(mentions=user), ChatFilter(author="ada")):
            told: list[ChatMessage] = []
            while page := await talk.view.everywhere(
                user, chosen, before=told[-1].position if told else None, limit=2
            ):
                told += page
            assert told == [m for m in reversed(messages) if m.room in readable and applies(chosen, m)]


@law
@given(log=chats(), read=st.integers(0, 40), until=st.integers(0, 80))
async def test_a_room_in_memory_is_told_of_the_table_and_of_what_is_behind_it(
    talk: Talk, log: list[Event], read: int, until: int
) -> None:
    """As the hub asks when the first session comes: however far the table is, nothing is missed."""
    await talk.begin_anew(log[:read])
    await talk.append(log[read:])
    for room in ROOMS:
        known, behind = await PostgresHistory(talk.database).receipts(room, until)
        pointers = PointersByUser(known)
        for recorded in behind:
            assert read < recorded.position <= until
            assert isinstance(recorded.event, ReceiptsRecorded)
            pointers.take(recorded.event.receipts)
        assert pointers == pointers_of(log[: max(read, until)], room)


async def test_unread_are_counted_up_to_a_limit(talk: Talk) -> None:
    messages = [said(f"m{number}", "Hello") for number in range(UNREAD_MAX + 1)]
    await talk.write([event for message in messages for event in collect(message)])
    assert await talk.view.unread_in("demo", "ben") == UNREAD_MAX
    assert await talk.view.unread_in("demo", "ada") == 0
    assert await talk.view.unread_in("elsewhere", "ben") == 0


async def test_what_begins_before_the_log_is_no_message(talk: Talk, database: Database) -> None:
    """As after an event that could not be read: what follows on it is about nothing."""
    message = said("m1", "Hello")
    message.react("👍", actor="ben", at=later(1))
    _, reacted = collect(message)
    async with await database.connect("test") as connection:
        await talk.view.apply(connection, [Recorded(2, reacted)])
    assert await talk.view.find("demo", "m1") is None


# Search.


def said(message: str, text: str, *, author: str = "ada", at: datetime = NOON) -> Message:
    return Message.post(
        "demo", message, client="c", text=text, documents={}, mentions=mentioned_in(text), actor=author, at=at
    )


async def say(talk: Talk, *texts: str) -> None:
    """All at the same moment."""
    messages = [said(f"m{number}", text) for number, text in enumerate(texts)]
    await talk.write([event for message in messages for event in collect(message)])


async def found(talk: Talk, query: str, chosen: ChatFilter = EVERYTHING) -> list[str]:
    """What is found that is no guess, the best first."""
    findings = await talk.view.search("demo", query, chosen, limit=100)
    return [] if findings.is_guess else [one.message.text for one in findings.found]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Hello, world", "hello"),
        ("Hello, world", "WORLD hello"),
        ("Hello, world", '"hello world"'),
        ("Hello, world", '"hello, world"'),
        ("Hello, world", "orl"),
        ("go to C", "go"),
        ("Crème brûlée", "creme"),
        ("creme brulee", "BRÛLÉE"),
        ("see config.yaml there", "config.yaml"),
        ("see config.yaml there", "yaml"),
        ("camelCaseName", "casena"),
        ("snake_case_name", "snake_case"),
        ("x[i] -> None", "x[i]"),
        ("x[i] -> None", "-> none"),
        ("if a != b: return", "!="),
        ("C++ or C#", "c++"),
        ("C++ or C#", "c#"),
        ("50% off", "50%"),
        ("日本語の文章", "日"),
        ("日本語の文章", "文章"),
        ("日本語の文章", "語の文"),
        ("日本語の文章", "章"),
        ("東京タワーへ行く", "タワー"),
        ("한국어를 공부한다", "공부"),
        ("Pythonの本", "pythonの"),
        ("Москва", "москв"),
        ("😀 smile", "😀"),
        ("mail ada@example.org now", "ada@example.org"),
        ("https://example.org/a/b?c=d", "example.org/a"),
        ("it's -5 °C", "-5"),
        ("don't", "don't"),
    ],
)
async def test_what_was_said_is_found(talk: Talk, text: str, query: str) -> None:
    await say(talk, text, "something else altogether 何か")
    assert await found(talk, query) == [text]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Hello, world", "hello moon"),
        ("world, hello", '"hello world"'),
        ("worlds", '"a world"'),
        ("日本語", "本日"),
        ("日x本", "日本"),
        ("a -> b", "=>"),
        ("a c", "c++"),
        ("abc", "a_c"),
        ("abc", "%"),
        ("abc", "a%c"),
        ("one two", "one or three"),
        ("one", "-one"),
    ],
)
async def test_what_was_not_said_is_not_found(talk: Talk, text: str, query: str) -> None:
    await say(talk, text)
    assert await found(talk, query) == []


HOSTILE = (
    "(a+)+$",
    "%_%_%",
    "'; drop table chat_messages; --",
    "$$",
    "$1 %s %(x)s {0}",
    "\\",
    "\\\\ \\' \\\"",
    "a\\",
    "'",
    "''",
    '"',
    '""',
    '"""',
    "a & b | !c <-> d:*",
    ":*",
    "'x':A",
    "<script>alert(1)</script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "\x01\x1f\x7f",
    "\n\t a \r",
    "((((((((((((((((((((",
    "-" * 256,
    "a " * 128,
    "日 " * 128,
    "%" * 256,
    "\U0010ffff",
    "e\u0301" * 100,
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_means_something_elsewhere_is_said_and_found_literally(talk: Talk, text: str) -> None:
    await say(talk, f"x{text}y", f"{text} z", "something else altogether")
    assert [m.text for m in await talk.view.page("demo", limit=10)][:2] == [f"x{text}y", f"{text} z"]
    assert f"{text} z" in await found(talk, text)
    assert "something else altogether" not in await found(talk, text)
    assert await talk.database.fetch("SELECT count(*) FROM chat_messages") == [(3,)]


@law
@given(texts=st.lists(st.sampled_from([*HOSTILE, *TEXTS]), min_size=1, max_size=5), data=st.data())
async def test_any_part_of_a_text_that_has_a_word_or_three_letters_finds_it(
    talk: Talk, texts: list[str], data: st.DataObject
) -> None:
    await empty(talk.database)
    await say(talk, *texts)
    text = data.draw(st.sampled_from(texts))
    begin = data.draw(st.integers(0, len(text) - 1))
    part = text[begin : data.draw(st.integers(begin + 1, len(text)))].strip()
    is_something = bool(text_key(part).strip()) and '"' not in part  # and not an accent alone
    terms = terms_of(f'"{part}"') if is_something else ()
    if terms and (terms[0].has_part or not any(character.isalnum() for character in part)):
        assert text in await found(talk, f'"{part}"')


@law
@given(query=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=256))
async def test_whatever_is_looked_for_is_answered(talk: Talk, query: str) -> None:
    findings = await talk.view.search("demo", query, limit=10)
    assert findings.found == ()


async def test_whole_words_come_first_then_the_newest(talk: Talk) -> None:
    year = timedelta(days=365)
    messages = [
        said("m1", "a category of cats", at=NOON - 2 * year),
        said("m2", "concatenate", at=NOON),
        said("m3", "the cat", at=NOON - timedelta(days=1)),
        said("m4", "the cat", at=NOON),
        said("m5", "an old cat", at=NOON - year),
    ]
    await talk.write([event for message in messages for event in collect(message)])
    findings = await talk.view.search("demo", "cat", limit=10)
    assert [one.message.message for one in findings.found] == ["m4", "m3", "m2", "m5", "m1"]


async def test_words_that_stand_together_come_before_those_that_do_not(talk: Talk) -> None:
    await say(talk, "green is the colour of this tea", "green tea", "tea, not green")
    assert (await found(talk, "green tea"))[0] == "green tea"


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_what_is_found_is_read_page_by_page(talk: Talk, limit: int) -> None:
    texts = [f"{'tea ' * (number % 4 + 1)}{number}" for number in range(10)]
    await say(talk, *texts, "coffee")
    whole = await talk.view.search("demo", "tea", limit=100)
    assert len(whole.found) == 10
    pages: list[Found] = []
    behind: Place | None = None
    while True:
        page = await talk.view.search("demo", "tea", behind=behind, limit=limit)
        assert 0 < len(page.found) <= limit
        pages += page.found
        behind = page.following
        if behind is None:
            break
    assert tuple(pages) == whole.found


async def test_a_search_is_narrowed_by_a_filter_and_to_a_room(talk: Talk) -> None:
    messages = [
        said("m1", "tea for @ben"),
        said("m2", "tea", author="ben", at=later(10)),
        Message.post("tearoom", "m3", client="c", text="tea", documents={}, actor="ada", at=NOON),
    ]
    await talk.write([event for message in messages for event in collect(message)])
    assert await found(talk, "tea", ChatFilter(mentions="ben")) == ["tea for @ben"]
    assert await found(talk, "tea", ChatFilter(author="ben", since=later(5))) == ["tea"]
    assert await found(talk, "tea", ChatFilter(until=NOON)) == []
    assert sorted(await found(talk, "tea")) == ["tea", "tea for @ben"]


async def test_what_was_edited_is_found_as_it_is_and_what_was_deleted_not_at_all(talk: Talk) -> None:
    edited, deleted = said("m1", "first words"), said("m2", "lost words")
    edited.edit("second thoughts", mentions=[], actor="ada", at=later(1))
    deleted.delete(actor="ada", at=later(1))
    await talk.write([*collect(edited), *collect(deleted)])
    assert await found(talk, "second") == ["second thoughts"]
    for gone in ("first", "words", "lost", "fir"):
        assert await found(talk, gone) == []


async def test_a_slip_of_the_finger_finds_what_looks_like_it(talk: Talk) -> None:
    await say(talk, "the projection is behind", "something else altogether")
    findings = await talk.view.search("demo", "projektion", limit=10)
    assert findings.is_guess
    assert [one.message.text for one in findings.found] == ["the projection is behind"]
    assert (await talk.view.search("demo", "zzzzqqqq", limit=10)).found == ()
    assert (await talk.view.search("demo", "projektion", behind=Place(1e9, 1), limit=10)).found == ()


async def test_a_guess_that_takes_too_long_is_none(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(talk, "the projection is behind")

    def slow(*_: Any) -> chat_search.Statement:
        return "SELECT pg_sleep(10)", {}

    monkeypatch.setattr(chat_view, "SEARCH_SECONDS", 0.3)
    monkeypatch.setattr(chat_search, "guess", slow)
    assert (await talk.view.search("demo", "projektion", limit=10)) == Findings(())


async def test_a_snippet_shows_the_match(talk: Talk) -> None:
    await say(talk, "Hello, world")
    [one] = (await talk.view.search("demo", "WORL", limit=10)).found
    assert one.pieces == (
        Piece("Hello, ", is_match=False),
        Piece("worl", is_match=True),
        Piece("d", is_match=False),
    )


async def test_what_takes_too_long_is_given_up(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(talk, "Hello")
    monkeypatch.setattr(chat_view, "SEARCH_SECONDS", 0.05)
    async with await talk.database.connect("test") as connection, connection.transaction():
        await connection.execute("LOCK TABLE chat_messages")
        with pytest.raises(Overloaded) as refused:
            await talk.view.search("demo", "hello", limit=10)
    assert refused.value.facts == {"retry_after": 1.0}
    assert await found(talk, "hello") == ["Hello"]


async def test_too_many_searches_at_once_are_refused(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(talk, "Hello")
    monkeypatch.setattr(chat_view, "SEARCHES_WAITING", 3)
    searches = [talk.view.search("demo", "hello", limit=10) for _ in range(10)]
    ends = await asyncio.gather(*searches, return_exceptions=True)
    assert sum(isinstance(end, Overloaded) for end in ends) == 10 - SEARCHES_AT_ONCE - 3
    assert sum(isinstance(end, Findings) for end in ends) == SEARCHES_AT_ONCE + 3
    assert await found(talk, "hello") == ["Hello"]


async def test_questions_say_so_when_the_store_is_away(migrated_url: str) -> None:
    view = ChatView(Database(migrated_url))  # not open
    message = messages_of(collect(said("m1", "Hello")))[0]
    for question in (
        view.find("demo", "m1"),
        view.page("demo", limit=1),
        view.everywhere("ada", EVERYTHING, before=None, limit=1),
        view.pointers("demo"),
        view.readers(message),
        view.unread_in("demo", "ada"),
        view.unread("ada", "", 1),
        view.search("demo", "hello", limit=1),
    ):
        with pytest.raises(StoreUnavailable):
            await question
