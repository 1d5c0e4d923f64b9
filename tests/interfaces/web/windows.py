"""People in windows of a real browser, for tests of the page.

Each window has a profile of its own, as another machine would. What a test has left is emptied and given to
the next: a page that is known to its browser opens with half of the work. Whatever a page says on its console
that is an error, and every script or style that the page's policy has refused, fails the test at its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

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
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

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
        page.on("pageerror", self._on_error)

    def _on_error(self, error: object) -> None:
        self.faults.append(f"{self.name}: {error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _AWAY.search(message.text):
            self.faults.append(f"{self.name}: {message.text}")

    def stop_listening(self) -> None:
        """What is said from here on is no longer of this test."""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_error)

    async def enter(self, room: str, document: str | None = None) -> None:
        """Come into a room by its address, under one's name."""
        await self.page.goto(f"{self.url}/#/room/{room}" + (f"/{document}" if document else ""))
        await self.say_name()
        if document is not None:
            await expect(self.editor).to_be_visible()

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
        shown = "(text) => window.chronoscribe?.text?.() === text"
        try:
            await self.page.wait_for_function(shown, arg=text)
        except PlaywrightTimeout:
            pytest.fail(f"{self.name} sees {await self.text()!r} and not {text!r}")
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


async def own_room(window: Window, title: str) -> str:
    """Make a room from the first page, which is its owner's; returns its address."""
    page = window.page
    await page.goto(window.url)
    await page.get_by_label("Your name").fill(window.name)
    await page.get_by_role("button", name="Open the demo room").click()
    await expect(window.connection).to_contain_text("Saved")
    await page.get_by_role("link", name="All rooms").click()
    await page.get_by_label("A room of your own").fill(title)
    await page.get_by_role("button", name="Make it").click()
    await expect(window.connection).to_contain_text("Saved")
    await expect(page.get_by_role("button", name=title)).to_be_visible()
    return page.url


class Profiles:
    """Of one browser: a page in each, blank, and nothing kept of where it was."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._blank: dict[tuple[bool, bool], list[Page]] = {}

    async def take(self, *, phone: bool, dark: bool) -> Page:
        if blank := self._blank.get((phone, dark)):
            return blank.pop()
        context = await self._browser.new_context(
            viewport=PHONE if phone else LAPTOP,  # type: ignore[arg-type]
            has_touch=phone,
            is_mobile=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(ANSWER_MS)
        return await context.new_page()

    async def give_back(self, page: Page, origin: str, *, phone: bool, dark: bool) -> None:
        """Empty it. Raises what Playwright raises, such as when the test has closed it."""
        context = page.context
        await context.set_offline(False)
        await context.clear_permissions()
        await page.unroute_all(behavior="ignoreErrors")
        await page.evaluate("() => sessionStorage.clear()")
        await page.goto("about:blank")
        devtools = await context.new_cdp_session(page)
        await devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        await devtools.detach()
        self._blank.setdefault((phone, dark), []).append(page)


class Windows:
    """Opens windows for one test, and leaves all of them at its end."""

    def __init__(self, profiles: Profiles, url: str) -> None:
        self._profiles = profiles
        self.url = url
        self.opened: list[Window] = []
        self._kinds: dict[BrowserContext, dict[str, bool]] = {}

    async def open(self, name: str, *, phone: bool = False, dark: bool = False) -> Window:
        """A window of somebody's own profile; `phone`: small, and touched."""
        page = await self._profiles.take(phone=phone, dark=dark)
        self._kinds[page.context] = {"phone": phone, "dark": dark}
        return self._opened(page, name)

    async def another(self, context: BrowserContext, name: str) -> Window:
        """One more window in a profile that there is."""
        return self._opened(await context.new_page(), name)

    def _opened(self, page: Page, name: str) -> Window:
        window = Window(page.context, page, self.url, name)
        self.opened.append(window)
        return window

    async def close(self) -> None:
        for context, kind in self._kinds.items():
            first, *others = (window for window in self.opened if window.context is context)
            try:
                for window in (first, *others):
                    window.stop_listening()
                for window in others:
                    await window.page.close()
                await self._profiles.give_back(first.page, self.url, **kind)
            except PlaywrightError:  # the test may have closed it
                await context.close()

    @property
    def faults(self) -> list[str]:
        return [fault for window in self.opened for fault in window.faults]
