"""The page comes up."""

from __future__ import annotations

from playwright.async_api import expect

from tests.interfaces.web.windows import Windows


async def test_the_root_of_a_server_is_the_page(windows: Windows) -> None:
    window = await windows.open("Ada")
    await window.page.goto(window.url)
    await expect(window.page.get_by_role("heading", name="Chronoscribe")).to_be_visible()
