"""A load run is a failure unless everybody ends with one text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from interfaces.load import run as run_module
from interfaces.load.failures import LoadFailed
from interfaces.load.run import LoadRun, compare
from tests.interfaces.pyclient.model_sockets import ModelSockets


@asynccontextmanager
async def http_beside(sockets: ModelSockets, text: str | None) -> AsyncIterator[str]:
    """The HTTP side of a server (that shows `text`), which sends WebSockets to the model."""

    async def create(_: web.Request) -> web.Response:
        return web.json_response({}, status=201)

    async def read(_: web.Request) -> web.Response:
        if text is None:
            return web.json_response({"code": "E_NOT_FOUND"}, status=404)
        return web.json_response({"text": text})

    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{sockets.url}{request.path}")

    app = web.Application()
    app.router.add_post("/api/rooms", create)
    app.router.add_get("/api/rooms/{room}/documents/{document}", read)
    app.router.add_get("/ws/{room}", elsewhere)
    app.router.add_post("/api/guests", sockets.become_guest)
    app.router.add_post("/api/tickets", sockets.buy_ticket)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def type_against(text: str | None, edits: int = 20) -> dict[str, Any]:
    sockets = ModelSockets()
    async with sockets.serving(), http_beside(sockets, text) as url:
        run = LoadRun([url], "demo")
        run.add_typing(2, edits, "typed", seed="s")
        return await run.run()


async def test_a_server_that_shows_another_text_is_found_out() -> None:
    with pytest.raises(LoadFailed, match="and the clients differ from code point 0 on"):
        await type_against("\N{SNOWMAN}")


async def test_a_server_that_does_not_show_the_document_is_found_out() -> None:
    with pytest.raises(LoadFailed, match="does not show typed"):
        await type_against(None)


async def test_a_server_that_says_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "STALL_SECONDS", 0.3)
    run = LoadRun(["http://127.0.0.1:1"], "demo")
    began = time.monotonic()
    with pytest.raises(LoadFailed, match="nothing has moved"):
        await run._watched([asyncio.sleep(3600)])
    assert time.monotonic() - began < 60
    await run._http.close()


def test_texts_are_compared_by_their_first_difference() -> None:
    compare("a and b", "same", "same")
    with pytest.raises(LoadFailed, match=r"a and b differ from code point 2 on \(lengths 4 and 5\)"):
        compare("a and b", "本本x!", "本本yzz")
    with pytest.raises(LoadFailed, match="from code point 3 on"):
        compare("a and b", "abc", "abcd")
