"""Answers that are told line by line, while they are found: one JSON object a line (NDJSON).

A line has a `type`. What takes long tells how far it has come by lines of the type `progress`, `done` of
`all`; what breaks off after it has begun ends with a line of the type `error`, with `code` and `detail`: the
status has been sent by then. An answer without such a line is complete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any, Final, Generic, TypeVar

import orjson
from aiohttp import web

from domain.errors import ChronoscribeError
from domain.rights import Action
from interfaces.http.guard import add_headers
from interfaces.http.keys import IDENTITY, ROOM, SERVICES

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/x-ndjson"

# Who takes longer for a line does not read any more.
WRITE_SECONDS: Final = 30.0

# How often is told how far it has come. Each time it is looked whether whoever asked may still ask.
PROGRESS_SECONDS: Final = 0.25

T = TypeVar("T")
OnProgress = Callable[[int, int], None]


async def tell_lines(
    request: web.Request, lines: AsyncGenerator[Mapping[str, Any], None]
) -> web.StreamResponse:
    """Send `lines` as they come. What is wrong before the first one has an ordinary answer. When whoever
    asked goes away, `lines` is closed, and with it what it was looking for.
    """
    first = await anext(lines, None)
    response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
    add_headers(request, response)
    await response.prepare(request)
    try:
        if first is not None:
            await _write(response, first)
            async for line in lines:
                await _write(response, line)
    except ChronoscribeError as error:
        await _write(response, {"type": "error", "code": error.code, "detail": error.message})
    except (ConnectionError, TimeoutError) as error:
        logger.info("an answer has broken off: %s", type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    finally:
        await lines.aclose()
    return response


async def while_allowed(
    request: web.Request, lines: AsyncGenerator[Mapping[str, Any], None]
) -> AsyncGenerator[Mapping[str, Any], None]:
    """`lines` of a room, as long as whoever asked may read it: that is looked at again with every line that
    tells how far it has come. Raises `NotFound`.
    """
    room, user = request[ROOM].room, request[IDENTITY].user
    try:
        async for line in lines:
            if line["type"] == "progress":
                await request.app[SERVICES].rooms.enter(room, user, Action.READ)
            yield line
    finally:
        await lines.aclose()


class Progressing(Generic[T]):
    """One long piece of work, which is told how it may say how far it has come. `result` is there when all
    `lines` have been taken; `work` is cancelled when they are closed before.
    """

    def __init__(self, work: Callable[[OnProgress], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._done: tuple[int, int] | None = None
        self.result: T

    async def lines(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """How far it has come, now and then. Raises what the work raises."""
        task = asyncio.ensure_future(self._work(self._on_progress))
        try:
            while not (await asyncio.wait([task], timeout=PROGRESS_SECONDS))[0]:
                if self._done is not None:
                    yield {"type": "progress", "done": self._done[0], "all": self._done[1]}
            self.result = task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _on_progress(self, done: int, end: int) -> None:
        self._done = (done, end)


async def _write(response: web.StreamResponse, line: Mapping[str, Any]) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(orjson.dumps(line) + b"\n")
