"""Virtual time."""

from __future__ import annotations

import asyncio
import time

from tests.simulation.loop import BEGINNING_SECONDS, Owner, VirtualLoop, run_virtually


def test_a_day_passes_at_once_and_everything_happens_in_its_order() -> None:
    told: list[tuple[str, float]] = []

    async def tell(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((name, asyncio.get_running_loop().time() - BEGINNING_SECONDS))

    async def main() -> None:
        await asyncio.gather(tell("day", 86_400), tell("hour", 3_600), tell("now", 0))

    begun = time.monotonic()
    assert run_virtually(main()) == []
    assert told == [("now", 0), ("hour", 3_600), ("day", 86_400)]
    assert time.monotonic() - begun < 60


def test_time_outs_end_in_virtual_time() -> None:
    async def main() -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            assert asyncio.get_running_loop().time() == BEGINNING_SECONDS + 5
        else:
            raise AssertionError("nobody ended it")

    assert run_virtually(main()) == []


def test_whoever_waits_for_ever_is_a_failure() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    [failure] = run_virtually(main())
    assert "nothing will ever happen again" in failure


def test_a_task_that_fails_unseen_is_a_failure() -> None:
    async def fail() -> None:
        raise ValueError("unseen")

    async def main() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.sleep(1)
        del task

    [failure] = run_virtually(main())
    assert "unseen" in failure


def test_the_tasks_of_an_owner_and_their_tasks_end_with_it() -> None:
    reached: list[str] = []

    async def work(name: str) -> None:
        if name == "parent":
            child = asyncio.ensure_future(work("child"))
            await child
        await asyncio.sleep(10)
        reached.append(name)

    async def main() -> None:
        owner = Owner()
        owner.call(asyncio.get_running_loop().create_task, work("parent"))
        stranger = asyncio.get_running_loop().create_task(work("stranger"))
        await asyncio.sleep(1)
        owner.end_tasks()
        await stranger

    assert run_virtually(main()) == []
    assert reached == ["stranger"]


def test_a_paused_owner_goes_on_where_it_was_and_others_never_stop() -> None:
    told: list[tuple[str, float]] = []

    async def tick(name: str) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            await asyncio.sleep(1)
            told.append((name, loop.time() - BEGINNING_SECONDS))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        owner = Owner()
        paused = owner.call(loop.create_task, tick("paused"))
        other = loop.create_task(tick("other"))
        await asyncio.sleep(1.5)
        loop.pause(owner)
        await asyncio.sleep(10)
        loop.resume(owner)
        await asyncio.gather(paused, other)

    assert run_virtually(main()) == []
    assert [seconds for name, seconds in told if name == "other"] == [1, 2, 3]
    assert [seconds for name, seconds in told if name == "paused"] == [1, 11.5, 12.5]


def test_what_reaches_a_paused_owner_waits_for_it() -> None:
    heard: list[float] = []

    async def listen(news: asyncio.Future[None]) -> None:
        await news
        heard.append(asyncio.get_running_loop().time() - BEGINNING_SECONDS)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        owner, news = Owner(), loop.create_future()
        listening = owner.call(loop.create_task, listen(news))
        await asyncio.sleep(1)
        loop.pause(owner)
        news.set_result(None)
        await asyncio.sleep(5)
        assert heard == []
        loop.resume(owner)
        await listening

    assert run_virtually(main()) == []
    assert heard == [6]
