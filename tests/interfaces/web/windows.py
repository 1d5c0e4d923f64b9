"""People in windows of a real browser, for tests of the page.

Each window has a profile of its own, as another machine would. Whatever a page says on its console that is an
error, and every script or style that the page's policy has refused, fails the test at its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    async_playwright,
    expect,
)

# Two browsers, their servers and databases on two cores, and whatever else the machine does.
ANSWER_MS: Final = 30_000
expect.set_options(timeout=ANSWER_MS)

LAPTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Nothing that talks to anybody, or that a machine without a screen and as root cannot do.
_FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

# What a browser says of a server that is away is no fault of the page.
_AWAY: Final = re.compile(r"net::ERR_|WebSocket connection to|Failed to load resource")

SCREENSHOTS: Final = os.environ.get("CHRONOSCRIBE_SCREENSHOTS")
"""A folder to keep pictures of the main views in; without it none are made."""


def find_browser() -> str:
    """A browser of this machine. Without one the test is skipped, and in CI it fails."""
    path = os.environ.get("CHRONOSCRIBE_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        why = "no browser: install Chromium or set CHRONOSCRIBE_BROWSER"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return str(path)


@contextlib.asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    path = find_browser()  # before Playwright starts: its driver has needs of its own
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """One person's window. `page` is Playwright's."""

    def __init__(self, context: BrowserContext, page: Page, url: str, name: str) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.name = name
        self.faults: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"{name}: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _AWAY.search(message.text):
            self.faults.append(f"{self.name}: {message.text}")

    async def enter(self, room: str, document: str | None = None) -> None:
        """Come into a room by its address, under one's name."""
        await self.page.goto(f"{self.url}/#/room/{room}" + (f"/{document}" if document else ""))
        await self.say_name()

    async def say_name(self) -> None:
        """Answer the question of who one is."""
        await self.page.get_by_label("Your name").fill(self.name)
        await self.page.get_by_role("button", name=re.compile("^Join")).click()
        await expect(self.connection).to_contain_text(re.compile("Saved|Online"), timeout=ANSWER_MS)

    async def show(self, panel: str) -> None:
        """Bring a panel up; on a phone it is a drawer."""
        await self.page.get_by_role("tab", name=re.compile(f"^{panel}")).click()

    @property
    def connection(self) -> Locator:
        """What tells how the connection is, and whether everything is saved."""
        return self.page.get_by_test_id("connection")

    @property
    def editor(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Document "))

    async def text(self) -> str:
        """The text in the editor, as CodeMirror has it."""
        return str(await self.page.evaluate("() => window.chronoscribe.text()"))

    async def text_is(self, text: str) -> bool:
        """Whether the editor comes to this text; waits for it."""
        await self.page.wait_for_function("(text) => window.chronoscribe?.text() === text", arg=text)
        return True

    async def saved(self, document: str = "main.md") -> None:
        """Until what was typed there is in the log; the indicator says only after a moment that it is not."""
        link = f"window.chronoscribe?.room?.open({json.dumps(document)})"
        await self.page.wait_for_function(f"() => {link}?.getSnapshot().status === 'open'")
        await self.page.evaluate(f"() => {link}.saved(30)")
        await expect(self.connection).to_contain_text("Saved")

    async def screenshot(self, name: str) -> None:
        """A picture of this view, where pictures are kept."""
        if SCREENSHOTS:
            await self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


class Windows:
    """Opens windows, and closes all of them at the end."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.opened: list[Window] = []

    async def open(self, name: str, *, phone: bool = False, dark: bool = False, **settings: Any) -> Window:
        """A window of somebody's own profile; `phone`: small, and touched."""
        context = await self._browser.new_context(
            viewport=PHONE if phone else LAPTOP,  # type: ignore[arg-type]
            has_touch=phone,
            is_mobile=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            **settings,
        )
        context.set_default_timeout(ANSWER_MS)
        return await self.another(context, name)

    async def another(self, context: BrowserContext, name: str) -> Window:
        """One more window in a profile that there is."""
        window = Window(context, await context.new_page(), self.url, name)
        self.opened.append(window)
        return window

    async def close(self) -> None:
        for window in self.opened:
            with contextlib.suppress(Exception):  # the test may have closed it
                await window.context.close()

    @property
    def faults(self) -> list[str]:
        return [fault for window in self.opened for fault in window.faults]
