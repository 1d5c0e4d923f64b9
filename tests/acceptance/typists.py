"""Clients who type and talk, and the check that nothing of it was lost, doubled or mixed up.

What they type are tokens of one width, each of its kind, inserted only between other tokens and deleted
only as a whole, by their author. So however edits are transformed, a token stays whole: the text at
the end can be read token by token, and what must stand in it is known.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp

from domain.document import Document, EditApplied
from domain.ids import document_stream
from domain.message import Posted
from domain.text import Text
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from interfaces.pyclient import notices
from interfaces.pyclient.client import Client
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.reconnect import Backoff
from tests.guests import guest
from tests.waiting import until

ROOM: Final = "load"
DOCUMENT: Final = "main.md"

# The first sign is outside the BMP, so that a place counted in UTF-16 would tear tokens apart.
TOKEN: Final = "\N{GRINNING FACE}{typist:02d}-{number:05d};"
TOKEN_WIDTH: Final = 10

# A quick typist; twenty of them are a busy document.
PAUSE_SECONDS: Final = (0.02, 0.16)
DELETE_CHANCE: Final = 0.3
SAY_CHANCE: Final = 0.02

# As the product's, but so that a test does not spend its time waiting to be allowed to connect.
BACKOFF: Final = Backoff(first=0.3, base=0.1, most=0.5)

# For everything to be saved and seen by all, after the last fault.
SETTLE_SECONDS: Final = 20.0


class Typist:
    """A client with a document open, and the memory of what it did and what it was told."""

    def __init__(self, number: int, client: Client, document: ClientDocument, choice: random.Random) -> None:
        self.number = number
        self.client = client
        self.document = document
        self.typed: list[str] = []
        self.deleted: set[str] = set()
        self.said: list[str] = []
        self.acks: list[notices.Acked] = []
        self.slowest_ack_seconds = 0.0
        self._choice = choice
        self._own: list[str] = []
        self._acked_at = time.monotonic()
        client.on("ack", self._on_ack)

    def _on_ack(self, ack: notices.Acked) -> None:
        self.acks.append(ack)
        now = time.monotonic()
        self.slowest_ack_seconds = max(self.slowest_ack_seconds, now - self._acked_at)
        self._acked_at = now

    async def type_on(self) -> None:
        """Type until cancelled, connected or not."""
        while True:
            self.act()
            await asyncio.sleep(self._choice.uniform(*PAUSE_SECONDS))

    async def type_as_acknowledged(self) -> None:
        """Type as fast as the server acknowledges, until cancelled."""
        while True:
            self.insert()
            await self.document.saved()

    def act(self) -> None:
        """Insert or delete a token, and sometimes say something."""
        if self._own and self._choice.random() < DELETE_CHANCE:
            self._delete()
        else:
            self.insert()
        if self._choice.random() < SAY_CHANCE:
            self.said.append(f"{self.number} says {len(self.said)}")
            self.client.post(self.said[-1])

    def insert(self) -> None:
        token = TOKEN.format(typist=self.number, number=len(self.typed))
        place = self._choice.randint(0, len(self.document) // TOKEN_WIDTH) * TOKEN_WIDTH
        self.document.insert(place, token)
        self.typed.append(token)
        self._own.append(token)

    def _delete(self) -> None:
        token = self._own.pop(self._choice.randrange(len(self._own)))
        self.document.delete(self.document.text.index(token), TOKEN_WIDTH)
        self.deleted.add(token)

    @property
    def is_saved(self) -> bool:
        return self.client.session.is_saved


@asynccontextmanager
async def typists(
    urls: Sequence[Sequence[str]], seed: int, *, room: str = ROOM, first: int = 0
) -> AsyncIterator[list[Typist]]:
    """One typist for each of `urls`, in one document, numbered from `first`. Of several URLs the first is
    tried first. Each is a guest of its own.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await create_room(urls[0][0], room)
        found = []
        for number, addresses in enumerate(urls, first):
            client = Client(
                addresses,
                room,
                name=f"Typist {number}",
                client_id=f"typist-{number}",
                backoff=BACKOFF,
                chance=random.Random(f"{seed}/client {number}"),
                http=http,
            )
            await stack.enter_async_context(client)
            document = await client.open(DOCUMENT, create=True)
            found.append(Typist(number, client, document, random.Random(f"{seed}/typist {number}")))
        yield found


async def create_room(url: str, room: str) -> None:
    """A room in which everybody may edit."""
    host = await asyncio.to_thread(guest, url, "Host")
    await asyncio.to_thread(host.create_room, room)


@asynccontextmanager
async def typing(people: Sequence[Typist]) -> AsyncIterator[None]:
    """All type until the end of the block."""
    tasks = [asyncio.create_task(typist.type_on()) for typist in people]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def all_acknowledged_again(people: Sequence[Typist], seconds: float) -> float:
    """Wait until everybody has had a fresh ack; returns after how many seconds that was."""
    began = time.monotonic()
    before = [len(typist.acks) for typist in people]
    await until(lambda: all(len(t.acks) > n for t, n in zip(people, before, strict=True)), seconds)
    return time.monotonic() - began


async def settled(people: Sequence[Typist]) -> None:
    """Wait until everything is saved and everybody has come to the same revision."""
    await until(
        lambda: all(t.is_saved for t in people) and len({t.document.revision for t in people}) == 1,
        SETTLE_SECONDS,
    )


# The check.


async def check(people: Sequence[Typist], database_url: str, *, room: str = ROOM) -> int:
    """Compare what everybody did and was told with the log, when all is settled. Returns the revision."""
    database = Database(database_url)
    await database.open()
    try:
        history = PostgresHistory(database)
        stream = document_stream(room, DOCUMENT)
        document = await history.load(stream)
        assert isinstance(document, Document)
        edits = await history.edits(stream, 0, document.revision)
        messages = await history.messages(room, 2**62, 100_000)
    finally:
        await database.close()
    _check_text(people, edits, str(document.text))
    _check_once(edits)
    _check_acks(people, edits)
    _check_tokens(people, str(document.text))
    said = [recorded.event.text for recorded in messages if isinstance(recorded.event, Posted)]
    assert sorted(said) == sorted(line for typist in people for line in typist.said)
    return document.revision


def _check_text(people: Sequence[Typist], edits: Sequence[EditApplied], loaded: str) -> None:
    """The fold of all edits is what the server loads, and what everybody sees."""
    assert [edit.revision for edit in edits] == list(range(1, len(edits) + 1))
    text = Text()
    for edit in edits:
        text.apply(edit.op)
    assert loaded == str(text)
    for typist in people:
        assert typist.document.revision == len(edits)
        assert typist.document.text == loaded, f"typist {typist.number} sees something else"


def _check_once(edits: Sequence[EditApplied]) -> None:
    """Each client's edits are there under the numbers 1, 2, 3 …, each once, in that order."""
    numbers: dict[str, list[int]] = {}
    for edit in edits:
        numbers.setdefault(edit.client, []).append(edit.seq)
    for client, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), f"the edits of {client}"


def _check_acks(people: Sequence[Typist], edits: Sequence[EditApplied]) -> None:
    """What was acknowledged is in the log, at the revision that was told."""
    for typist in people:
        assert typist.acks, f"typist {typist.number} was never acknowledged anything"
        for ack in typist.acks:
            edit = edits[ack.revision - 1]
            assert (edit.client, edit.seq) == (typist.client.client_id, ack.seq)
        assert len({ack.seq for ack in typist.acks}) == len(typist.acks)


def _check_tokens(people: Sequence[Typist], text: str) -> None:
    found = Counter(text[at : at + TOKEN_WIDTH] for at in range(0, len(text), TOKEN_WIDTH))
    expected = {token for typist in people for token in typist.typed if token not in typist.deleted}
    assert {token for token, count in found.items() if count > 1} == set(), "there twice"
    assert expected - set(found) == set(), "lost"
    assert set(found) - expected == set(), "there, but deleted or never typed"
