"""Plays the demo: its people come to a running server, each over a socket of their own, and do what the story
says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from domain.text_op import Op, normalise
from interfaces.demo.story import (
    COMPONENT,
    PACKAGE,
    PEOPLE,
    STORY,
    Deed,
    Paste,
    Pause,
    React,
    Run,
    Save,
    Say,
    Select,
    Type,
)
from interfaces.load.traces import read
from interfaces.pyclient.api import Api
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.document import ClientDocument

RECORDING: Final = Path(__file__).with_name("timer.jsonl.gz")

# As a quick typist types, some letters at a time.
KEYS_SECONDS: Final = 0.06
LETTERS: Final = 3

# Between one thing and the next.
BREATH_SECONDS: Final = 1.2

# An edit of the recording, of which there are ten a second on its author's better days.
EDIT_SECONDS: Final = 0.07

OnProgress = Callable[[int, int], None]
"""Told how much of the story is done, of how much."""


class StoryBroken(Exception):  # noqa: N818
    """The room is not new, or what somebody wanted to change is not there: others are in it as well."""


@dataclass
class Person:
    name: str
    client: Client
    package: ClientDocument
    component: ClientDocument


class Demo:
    """`speed`: so many times as fast as people are."""

    def __init__(self, url: str, room: str, *, speed: float = 1.0) -> None:
        self._url = url
        self._room = room
        self._speed = speed

    async def play(self, on_progress: OnProgress = lambda done, of: None) -> dict[str, str]:
        """Do it all; the users by their names. Raises `StoryBroken` and what clients and `Api` raise."""
        async with AsyncExitStack() as stack:
            people = await self._come(stack)
            typing = asyncio.ensure_future(self._type_component(people["Ada"]))
            try:
                for done, (name, deed) in enumerate(STORY, 1):
                    await self._do(people.get(name, people["Ada"]), deed)
                    on_progress(done, len(STORY))
                    await self._wait(BREATH_SECONDS)
                await typing
            finally:
                typing.cancel()
            for person in people.values():
                await person.package.saved()
                await person.component.saved()
            return {name: person.client.user or "" for name, person in people.items()}

    async def _come(self, stack: AsyncExitStack) -> dict[str, Person]:
        people: dict[str, Person] = {}
        for name in PEOPLE:
            credentials = Credentials(name=name)
            if not people:
                api = await stack.enter_async_context(Api(self._url, credentials))
                room = await api.create_room(self._room, title="Glass bead timer", everyone="editor")
                if room["documents"]:
                    raise StoryBroken(f"there is something in the room {self._room!r} already")
            client = Client(self._url, self._room, name=name, credentials=credentials)
            await stack.enter_async_context(client)
            package = await client.open(PACKAGE, create=not people)
            component = await client.open(COMPONENT, create=not people)
            people[name] = Person(name, client, package, component)
        return people

    async def _type_component(self, ada: Person) -> None:
        for line in read(RECORDING).lines:
            ada.component.edit(line.op)
            await self._wait(EDIT_SECONDS)

    async def _do(self, person: Person, deed: Deed) -> None:
        match deed:
            case Type():
                await self._type(person, deed)
            case Say():
                await self._say(person, deed.text)
            case React():
                last = person.client.messages[-1]["message"]
                await person.client.react(last, deed.emoji)
            case Select():
                start = _place(person.package, deed.text)
                person.client.cursor(person.package, start, start + len(deed.text))
            case Save():
                await person.client.save_revision(person.package, deed.name)
            case Run():
                run = await person.client.start_run(deed.title, person.package)
                await self._wait(BREATH_SECONDS)
                await person.client.finish_run(run, deed.outcome, deed.exit_code)
            case Pause():
                await self._wait(deed.seconds)
            case _:
                assert_never(deed)

    async def _say(self, person: Person, text: str) -> None:
        person.client.typing()
        await self._wait(len(text) * KEYS_SECONDS / LETTERS)
        for user, other in person.client.people.items():
            text = text.replace(f"@{other.looks.name.lower()}", f"@{user}")
        await person.client.post(text)

    async def _type(self, person: Person, deed: Type) -> None:
        position = _place(person.package, deed.behind) + len(deed.behind)
        person.package.edit(_replaced(position, deed.instead, ""))
        size = len(deed.text) if isinstance(deed, Paste) else LETTERS
        for start in range(0, len(deed.text), size):
            part = deed.text[start : start + size]
            person.package.insert(position, part)
            position += len(part)
            person.client.cursor(person.package, position, position)
            await self._wait(KEYS_SECONDS)
        await person.package.saved()

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


def _place(document: ClientDocument, text: str) -> int:
    place = document.text.find(text)
    if place < 0:
        raise StoryBroken(f"{text!r} is not in {document.name}")
    return place


def _replaced(position: int, old: str, new: str) -> Op:
    return normalise((position, new, {"d": len(old)}))


def package_text(story: Sequence[tuple[str, Deed]] = STORY) -> str:
    """The package at the end, when nobody else is there."""
    text = ""
    for _, deed in story:
        if isinstance(deed, Type):
            position = text.index(deed.behind) + len(deed.behind)
            text = text[:position] + deed.text + text[position + len(deed.instead) :]
    return text
