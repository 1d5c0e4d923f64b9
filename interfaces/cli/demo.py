"""`chronoscribe demo`: three people work in a room for a minute, so that there is a past to look at."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from domain.ids import is_id
from interfaces.cli.failures import CommandFailed
from interfaces.cli.load import DEFAULT_URL, positive
from interfaces.demo.play import Demo, StoryBroken
from interfaces.pyclient.errors import PyClientError

DEFAULT_ROOM: Final = "beads"


def add_to(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="let three people work in a room for a minute, to have a past to look at",
        description="Ada, Ben and Cleo come to a running server as guests, type, talk and run their tests in"
        " a room of their own. One of them breaks package.json: see docs/time-travel.md for how to find out.",
    )
    demo.add_argument("--url", default=DEFAULT_URL, metavar="URL", help=f"of the server ({DEFAULT_URL})")
    demo.add_argument(
        "--room", default=DEFAULT_ROOM, metavar="ROOM", help=f"which must be new ({DEFAULT_ROOM})"
    )
    demo.add_argument(
        "--speed", type=positive, default=1.0, metavar="N", help="so many times as fast as people are (1)"
    )
    demo.set_defaults(run=_demo)


def _demo(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return demo(given.url, given.room, given.speed)


async def demo(url: str, room: str, speed: float) -> int:
    if not is_id(room):
        raise CommandFailed(f"{room!r} is no id of a room: 1 to 64 of A-Z a-z 0-9 _ -", status=2)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("three people at work")
            users = await Demo(url, room, speed=speed).play(
                lambda done, of: progress.update(task, completed=done, total=of)
            )
    except (PyClientError, StoryBroken, aiohttp.ClientError, TimeoutError) as error:
        raise CommandFailed(f"the demo broke off: {error or type(error).__name__}") from None
    print(f"Three people have worked in the room {room!r}:")
    for name, user in users.items():
        print(f"  {name:5} {user}")
    print(f"What they did: chronoscribe activity {room}")
    print("What can be found out about it: docs/time-travel.md")
    return 0
