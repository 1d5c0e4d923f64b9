"""Programs beside the server: whatever becomes of one, the next work is done."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
import pytest
import uvloop

from infrastructure.aside import Aside, AsideFailed, AsideTooSlow
from infrastructure.beside import work_off

SECONDS = 20.0


def do(work: bytes) -> bytes:
    """Of the program that these tests run beside."""
    match orjson.loads(work):
        case ["say", text]:
            return orjson.dumps(text)
        case ["environment"]:
            return orjson.dumps({**os.environ, "pid": str(os.getpid())})
        case ["die"]:
            os._exit(1)
        case ["be deaf"]:
            os.dup2(os.pipe()[0], 0)
            return b"0"
        case ["take", count]:
            return b"x" * int(count)
    while True:
        pass


def main() -> None:
    work_off(do)


@pytest.fixture
async def aside() -> AsyncIterator[Aside]:
    aside = Aside(__name__)
    yield aside
    await aside.close()


async def ask(aside: Aside, *work: object, seconds: float = SECONDS) -> object:
    return orjson.loads(await aside.ask(orjson.dumps(work), seconds))


async def pid_of(aside: Aside) -> int:
    told = await ask(aside, "environment")
    assert isinstance(told, dict)
    return int(told["pid"])


async def ends(pid: int) -> None:
    """Wait until there is no such process."""
    async with asyncio.timeout(SECONDS):
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.01)


async def test_one_program_does_one_thing_after_the_other(aside: Aside) -> None:
    said = await asyncio.gather(*(ask(aside, "say", n) for n in range(5)))
    assert said == [0, 1, 2, 3, 4]
    assert await pid_of(aside) == await pid_of(aside)
    assert await ask(aside, "say", "x" * 3_000_000) == "x" * 3_000_000


async def test_it_knows_nothing_of_our_environment(aside: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", "secret")
    told = await ask(aside, "environment")
    assert isinstance(told, dict)
    assert told.keys() <= {"LC_ALL", "LC_CTYPE", "pid"}


async def test_one_that_dies_of_its_work_is_followed_by_another(aside: Aside) -> None:
    before = await pid_of(aside)
    with pytest.raises(AsideFailed):
        await ask(aside, "die")
    assert await pid_of(aside) != before


async def test_one_that_takes_too_much_memory_is_followed_by_another(aside: Aside) -> None:
    with pytest.raises(AsideFailed):
        await ask(aside, "take", 2 * 1024**3)
    assert await ask(aside, "say", 1) == 1


async def test_one_that_hangs_is_killed(aside: Aside) -> None:
    before = await pid_of(aside)
    with pytest.raises(AsideTooSlow):
        await ask(aside, "hang", seconds=0.2)
    await ends(before)
    assert await ask(aside, "say", 1) == 1


async def test_work_that_nobody_waits_for_any_more_is_given_up(aside: Aside) -> None:
    before = await pid_of(aside)
    task = asyncio.create_task(aside.ask(orjson.dumps(["hang"]), SECONDS))
    await asyncio.sleep(0)  # it has begun to wait
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ends(before)
    assert await ask(aside, "say", 1) == 1


async def test_one_that_has_nothing_to_do_ends() -> None:
    aside = Aside(__name__, idle_seconds=0.05)
    before = await pid_of(aside)
    await ends(before)
    assert await pid_of(aside) != before
    await aside.close()


async def test_what_is_closed_has_ended() -> None:
    aside = Aside(__name__)
    pid = await pid_of(aside)
    await aside.close()
    await ends(pid)
    await aside.close()


def test_one_that_does_not_hear_is_followed_by_another() -> None:
    """On the loop of the server, where a pipe breaks in another way than on Python's own."""

    async def ask_the_deaf() -> None:
        aside = Aside(__name__)
        await ask(aside, "be deaf")
        with pytest.raises(AsideFailed):
            await ask(aside, "say", 1, seconds=1.0)
        assert await ask(aside, "say", 1) == 1
        await aside.close()

    uvloop.run(ask_the_deaf())
