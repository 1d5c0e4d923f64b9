"""A working day of a team of six in one room, over real sockets, driven once; what everybody saw of it, and
what the log has of it, is kept for whoever asks.

The code is that of a recorded session, the document beside it the recorded history of a Japanese page, and
what is said are lines of both.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import pytest

from application.log import Recorded
from domain.attendance import Joined, Left
from domain.text_op import apply
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from interfaces.load.traces import read
from interfaces.pyclient.api import Api
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.errors import Refused
from interfaces.pyclient.reconnect import Backoff
from tests.guests import Guest
from tests.servers import ServerProcess
from tests.waiting import until

TRACES: Final = Path(__file__).parents[1] / "traces"
CODE: Final = "Counter.svelte"
BOOKS: Final = "books.md"

OWNER: Final = "Ada"
TEAM: Final = {
    "Ada": "owner",
    "Ben": "editor",
    "Cem": "editor",
    "Dora": "editor",
    "Eve": "commenter",
    "Finn": "viewer",
}

MESSAGES: Final = 100

# What others see, they see at once; on a busy machine that can be a while. Nothing is measured here.
AT_ONCE_SECONDS: Final = 20.0

QUICKLY: Final = Backoff(first=0.05, base=0.05, most=0.2)

Event = dict[str, Any]


def lines_of(trace: str, edits: int) -> list[str]:
    """The longer lines of what somebody once wrote."""
    text = ""
    for line in read(TRACES / f"{trace}.jsonl.gz", edits).lines:
        text = apply(text, line.op)
    return [line.strip()[:500] for line in text.splitlines() if len(line.strip()) > 12]


def sentences() -> Iterator[str]:
    """Code and Japanese by turns, as people paste into a chat."""
    for pair in zip(lines_of("sveltecomponent", 2_000), lines_of("books-ja", 40), strict=False):
        yield from pair


@dataclass
class Person:
    """One of the team, in one window, and what was heard there."""

    name: str
    client: Client
    heard: dict[str, list[Any]] = field(default_factory=dict)
    documents: dict[str, ClientDocument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in KINDS:
            self.client.on(kind, self.heard.setdefault(kind, []).append)

    @property
    def user(self) -> str:
        assert self.client.user is not None
        return self.client.user


KINDS: Final = (
    *("message", "message_changed", "mentioned", "receipts", "revision_saved", "run_started", "run_finished"),
    *("activity", "statistics", "presence", "refused"),
)


@dataclass
class Day:
    """What was done, by whom, and what became of it."""

    server: ServerProcess
    room: str = ""
    lab: str = ""
    """Another room, in which Finn sits for a while."""
    users: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    """By name; Finn's window in the other room is "Lab"."""
    said: dict[str, str] = field(default_factory=dict)
    """Text by message, as it was posted first."""
    marked: dict[str, str] = field(default_factory=dict)
    """Messages with something to them, by what that is."""
    linked: str = ""
    """The passage that a message points at."""
    run: dict[str, str] = field(default_factory=dict)
    """Runs by how they ended."""
    chats: dict[str, list[Event]] = field(default_factory=dict)
    """By person, the chat as they saw it in the evening."""
    evening: int = 0
    """Up to where the log was when they went home."""
    log: list[Recorded] = field(default_factory=list)
    """What the store has of the room."""

    @property
    def in_room(self) -> list[Person]:
        return [person for place, person in self.people.items() if place != "Lab"]

    def ask(self, name: str, path: str, method: str = "GET", body: Any = None, **query: Any) -> Any:
        """What one of the team is answered over HTTP; a path that begins with a dot is the room's. Blocks."""
        path = f"/api/rooms/{self.room}{path[1:]}" if path.startswith(".") else path
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return self.guest(name).ask(method, asked, body)

    def guest(self, name: str) -> Guest:
        return Guest(self.server.url, self.users[name], self.tokens[name])


class Driver:
    """Drives a day. `live` is what goes on in the server's process; the rest is people."""

    def __init__(self, server: ServerProcess, http: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self.day = Day(server)
        self._http = http
        self._stack = stack
        self._credentials = {name: Credentials(name=name) for name in TEAM}
        self._sentences = sentences()

    def api(self, name: str) -> Api:
        return Api(self.day.server.url, self._credentials[name], http=self._http)

    async def come(self, name: str, *documents: str, room: str | None = None) -> Person:
        """In a window of their own, on a connection of their own."""
        http = await self._stack.enter_async_context(aiohttp.ClientSession())
        client = Client(
            self.day.server.url,
            room or self.day.room,
            credentials=self._credentials[name],
            http=http,
            backoff=QUICKLY,
        )
        await client.start()
        self._stack.push_async_callback(client.close, 0.0)
        person = Person(name, client)
        for document in documents:
            person.documents[document] = await client.open(document)
        self.day.users[name] = person.user
        return person

    async def say(self, person: Person, text: str | None = None, **fields: Any) -> str:
        text = text if text is not None else next(self._sentences)
        message = await person.client.post(text, **fields)
        self.day.said[message] = text
        return message

    async def everybody_knows(self, message: str) -> None:
        people = self.day.in_room
        await soon(lambda: all(_knows(person, message) for person in people))


def _knows(person: Person, message: str) -> bool:
    return not person.client.is_online or message in person.client.session.chat.messages


async def soon(is_so: Any) -> None:
    await until(is_so, AT_ONCE_SECONDS)


async def drive(server: ServerProcess, dsn: str) -> Day:
    """Live through the day, and look back at it."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        driver = Driver(server, http, stack)
        day = driver.day
        await _set_up(driver)
        await _morning(driver)
        await _noon(driver)
        await _afternoon(driver)
        await _evening(driver)
        day.evening = (await read_log(dsn, day.room))[-1].position
        for name, credentials in driver._credentials.items():
            day.tokens[name] = await credentials.token(http, server.url)
    day.log = await _all_gone(dsn, day.room)
    return day


async def _all_gone(dsn: str, room: str) -> list[Recorded]:
    """The log when everybody has left."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while True:
            log = await read_log(dsn, room)
            kinds = Counter(type(recorded.event) for recorded in log)
            if kinds[Joined] == kinds[Left]:
                return log
            await asyncio.sleep(0.05)


async def read_log(dsn: str, room: str) -> list[Recorded]:
    """Everything that the store has of a room, in order."""
    database = Database(dsn)
    await database.open()
    try:
        log, position, found = PostgresLog(database, "record"), 0, list[Recorded]()
        while page := await log.read_after(position):
            position = page[-1].position
            found += [r for r in page if f":{room}" in r.event.originator_id]
        return found
    finally:
        await database.close()


async def _set_up(driver: Driver) -> None:
    """Ada opens the room, with two documents, and lets the others in by links."""
    day, ada = driver.day, driver.api(OWNER)
    day.room = (await ada.create_room(title="Workshop"))["room"]
    day.lab = (await driver.api("Finn").create_room(title="Lab"))["room"]
    for document in (CODE, BOOKS):
        await ada.create_document(day.room, document)
    for name, role in TEAM.items():
        if name != OWNER:
            link = await ada.invite(day.room, role, uses=1)
            await driver.api(name).accept_invitation(day.room, link["invitation"], link["secret"])


async def _morning(driver: Driver) -> None:
    """They come one after the other, Ben and Cem write, and everybody talks. Finn is in another room."""
    day = driver.day
    for name in ("Ada", "Ben", "Cem", "Dora", "Eve"):
        day.people[name] = await driver.come(name, CODE, BOOKS)
    day.people["Ada"].client.subscribe("activity")
    day.people["Ada"].client.subscribe("statistics")
    await asyncio.gather(
        _type(day.people["Ben"], CODE, "sveltecomponent", 300),
        _type(day.people["Cem"], BOOKS, "books-ja", 12),
        _talk(driver, MESSAGES // 2),
    )
    await soon(lambda: len({p.documents[CODE].text for p in day.people.values()}) == 1)


async def _type(person: Person, document: str, trace: str, lines: int) -> None:
    """Write down what somebody once wrote."""
    for line in read(TRACES / f"{trace}.jsonl.gz", lines).lines:
        person.documents[document].edit(line.op)
        await asyncio.sleep(0)
    await person.documents[document].saved()


async def _talk(driver: Driver, messages: int) -> None:
    """Everybody but Finn says something in turn, now and then in answer to somebody."""
    people = [driver.day.people[name] for name in ("Ada", "Ben", "Cem", "Dora", "Eve")]
    last: str | None = None
    for number in range(messages):
        person = people[(number * 7 + number // 5) % len(people)]
        person.client.typing()
        reply_to = last if number % 4 == 3 else None
        last = await driver.say(person, reply_to=reply_to)


async def _noon(driver: Driver) -> None:
    """Everything that can be done with a message, a document and a run."""
    day, people = driver.day, driver.day.people
    ada, ben, cem, dora, eve = (people[name] for name in ("Ada", "Ben", "Cem", "Dora", "Eve"))
    finn = await driver.come("Finn", room=day.lab)
    day.people["Lab"] = finn

    edited = day.marked["edited"] = await driver.say(eve, "The bild is broken again")
    await driver.everybody_knows(edited)
    await eve.client.edit_message(edited, "The build is broken again")
    await eve.client.edit_message(edited, f"The build is broken again, @{ben.user}")

    deleted = day.marked["deleted"] = await driver.say(eve, "My password is hunter2")
    await eve.client.delete_message(deleted)
    moderated = day.marked["moderated"] = await driver.say(eve, "Buy cheap watches!")
    await driver.everybody_knows(moderated)
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await ben.client.delete_message(moderated)
    await ada.client.delete_message(moderated)

    question = day.marked["question"] = await driver.say(ada, "Who has seen the counter?")
    await driver.everybody_knows(question)
    day.marked["reply"] = await driver.say(cem, "I have, 数えるのは楽しい", reply_to=question)
    for person, emoji in ((ben, "👍"), (cem, "👍"), (dora, "❤"), (eve, "👩‍💻"), (eve, "👍")):
        await person.client.react(question, emoji)
    await eve.client.react(question, "👍", reacted=False)

    pinned = day.marked["pinned"] = await driver.say(ada, "Stand-up is at ten, in the workshop")
    await driver.everybody_knows(pinned)
    await ben.client.pin_message(pinned)
    unpinned = day.marked["unpinned"] = await driver.say(ada, "Cake in the kitchen")
    await driver.everybody_knows(unpinned)
    await ben.client.pin_message(unpinned)
    await ben.client.pin_message(unpinned, pinned=False)

    day.marked["mention"] = await driver.say(dora, f"@{finn.user} come over, we need you")

    text = ben.documents[CODE].text
    day.linked = text[40:80]
    day.marked["link"] = await driver.say(ben, "Is this right?", link=ben.documents[CODE].link(40, 80))
    ben.documents[CODE].insert(0, "// checked by Ben\n")
    ben.documents[CODE].insert(len(ben.documents[CODE].text), "\n// the end\n")
    await ben.documents[CODE].saved()
    await ben.client.save_revision(ben.documents[CODE])
    await ben.client.save_revision(ben.documents[CODE], "First counter")

    for outcome, code in (("passed", 0), ("failed", 1), ("stopped", None)):
        run = day.run[outcome] = await ben.client.start_run(f"npm test -- {outcome}", ben.documents[CODE])
        await ben.client.finish_run(run, outcome, code)


async def _afternoon(driver: Driver) -> None:
    """Finn comes over, Eve loses her connection and is back, Dora goes home early, roles change."""
    day, ada = driver.day, driver.api(OWNER)
    people = day.people
    await soon(lambda: people["Lab"].heard["mentioned"])
    people["Finn"] = await driver.come("Finn", CODE)
    await _lose_connection(people["Eve"])
    await people.pop("Dora").client.close()
    await ada.put_member(day.room, people["Finn"].user, "editor")
    await ada.change_room(day.room, title="Workshop 2")
    await soon(lambda: people["Finn"].client.members.get(people["Finn"].user) == "editor")
    for _ in range(MESSAGES - len(day.said)):
        await driver.say(people["Finn"])
    people["Finn"].documents[CODE].insert(0, "// and by Finn\n")
    await people["Finn"].documents[CODE].saved()
    people["Dora"] = await driver.come("Dora", CODE)


async def _lose_connection(person: Person) -> None:
    """The network is gone for a moment."""
    losses = list[object]()
    ends = person.client.on("status", losses.append)
    assert person.client._http is not None
    connector = person.client._http.connector
    assert connector is not None
    for protocol in tuple(connector._acquired):
        if protocol.transport is not None:
            protocol.transport.abort()
    await soon(lambda: losses and person.client.is_online)
    ends()


def _totals(told: list[Any]) -> Any:
    return told[-1].statistics["ever"]["totals"] if told else {"messages": 0}


async def _evening(driver: Driver) -> None:
    """All read what there is, but for Cem, who has read up to the question only."""
    day, people = driver.day, driver.day.people
    last = list(day.said)[-1]
    present = day.in_room
    await soon(lambda: all(last in person.client.session.chat.messages for person in present))
    for person in present:
        if person.name == "Cem":
            person.client.read(day.marked["question"])
        else:
            person.client.read()
            person.client.read(day.marked["question"])  # it does not go back
    ada = people["Ada"].client
    at = ada.session.chat.messages[last]["position"]
    await soon(lambda: sum(pointers.read >= at for pointers in ada.pointers.values()) == 5)
    await soon(lambda: all(p.delivered >= at for p in ada.pointers.values()))
    heard = day.people["Ada"].heard
    await soon(lambda: _totals(heard["statistics"])["messages"] == len(day.said))
    await soon(lambda: any(line["id"] >= at for told in heard["activity"] for line in told.lines))
    for person in present:
        day.chats[person.name] = list(person.client.session.chat.messages.values())
