"""The page in a real browser: how soon it can be used, and whether typing stays smooth in a large text in
which twenty people are at work.

The browser goes where there is room, and not only where the load is: it is what is measured here, and the
only part that would be on a machine of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from interfaces.pyclient.client import Client
from interfaces.pyclient.document import ClientDocument
from interfaces.web.bundle import DIST
from tests.benchmarks.harness import Machine, percentile
from tests.guests import guest
from tests.interfaces.web.windows import Profiles, Window, Windows, open_browser
from tests.trace_texts import texts

ROOM: Final = "large"
DOCUMENT: Final = "main.md"
SIZE: Final = 500_000
PEOPLE: Final = 20
EDITS_PER_SECOND: Final = 2.0
CURSORS_PER_SECOND: Final = 5.0

# What somebody types meanwhile, at some ten keys a second.
TYPED: Final = "The quick brown fox jumps over the lazy dog. " * 5
KEY_SECONDS: Final = 0.1

LOADS: Final = 7

# What the browser itself holds for a hitch, and how long after a key the screen has changed.
_OBSERVE: Final = """() => {
  window.hitches = []; window.keys = [];
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.hitches.push(e.duration); })
    .observe({type: "longtask"});
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) if (e.name === "keydown") window.keys.push(e.duration);
  }).observe({type: "event", durationThreshold: 16});
}"""


async def page(running: Machine) -> dict[str, Any]:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    await asyncio.to_thread(_make_room, running.url)
    async with open_browser() as browser:
        windows = Windows(Profiles(browser), running.url)
        try:
            loads = await _loads(windows)
            async with _clients(running.url, 1) as [(writer, document)]:
                await _fill(document)
                alone = await _typed(windows, "alone")
                await writer.close()
            async with _clients(running.url, PEOPLE) as people:
                work = [asyncio.create_task(_work(client, document)) for client, document in people]
                among = await _typed(windows, "among people")
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)
        finally:
            await windows.close()
    return {"interactive_ms": loads, "bundle_kb": _bundle(), "typing_alone": alone, "typing_among_20": among}


def _make_room(url: str) -> None:
    owner = guest(url, "Olga")
    owner.create_room(ROOM)
    owner.ask("POST", f"/api/rooms/{ROOM}/documents", {"document": DOCUMENT})


async def _loads(windows: Windows) -> dict[str, float]:
    """From the address to an editor that takes keys, for somebody who comes back."""
    window = await windows.open("Ada")
    await window.enter(ROOM, DOCUMENT)
    taken = []
    for _ in range(LOADS):
        await window.page.reload()
        await window.editor.wait_for()
        taken.append(await window.page.evaluate("() => performance.now()"))
    await window.context.close()
    return {"median": round(statistics.median(taken)), "most": round(max(taken))}


@contextlib.asynccontextmanager
async def _clients(url: str, count: int) -> AsyncIterator[list[tuple[Client, ClientDocument]]]:
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client(url, ROOM, name=f"Person {n}")) for n in range(count)
        ]
        yield [(client, await client.open(DOCUMENT)) for client in clients]


async def _fill(document: ClientDocument) -> None:
    text = list(texts("clownschool").values())[-1]
    document.insert(0, (text * (SIZE // len(text) + 1))[:SIZE])
    await document.saved(60)


async def _work(client: Client, document: ClientDocument) -> None:
    """Types words and moves a cursor, somewhere in the text."""
    generator = random.Random(client.client_id)
    while True:
        place = generator.randrange(len(document))
        document.insert(place, generator.choice("etaoin shrdlu\n"))
        for _ in range(round(CURSORS_PER_SECOND / EDITS_PER_SECOND)):
            await asyncio.sleep(generator.uniform(0.5, 1.5) / CURSORS_PER_SECOND)
            client.cursor(document, min(place, len(document)), min(place, len(document)))


async def _typed(windows: Windows, name: str) -> dict[str, Any]:
    window: Window = await windows.open(f"Ada {name}")
    await window.enter(ROOM, DOCUMENT)
    await window.editor.click()
    await window.page.keyboard.press("Control+End")
    await asyncio.sleep(2)  # the page has loaded what it loads when there is time
    await window.page.evaluate(_OBSERVE)
    await window.page.keyboard.type(TYPED, delay=KEY_SECONDS * 1000)
    hitches = await window.page.evaluate("() => window.hitches")
    keys = await window.page.evaluate("() => window.keys")
    await window.screenshot(f"benchmark-{name.replace(' ', '-')}")
    await window.context.close()
    return {
        "keys": len(TYPED),
        "long_tasks": len(hitches),
        "longest_ms": round(max(hitches, default=0)),
        "key_to_paint_p99_ms": round(percentile([*keys, *[16.0] * (len(TYPED) - len(keys))], 99)),
    }


def _bundle() -> dict[str, int]:
    """Kilobytes of what the page loads at first, and of all there is, as they go over the network."""
    packed = {path.name: path.stat().st_size for path in Path(DIST / "assets").glob("*.gz")}
    index = (DIST / "index.html").read_text()
    first = sum(size for name, size in packed.items() if name.removesuffix(".gz") in index)
    return {"first": round(first / 1024), "all": round(sum(packed.values()) / 1024)}
