"""Pages as a browser reads them."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.blocks: dict[str, str] = {}
        self._block = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag in {"script", "style"}:
            self._block = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._block = ""

    def handle_data(self, data: str) -> None:
        if self._block:
            self.blocks[self._block] = self.blocks.get(self._block, "") + data


class Read:
    """`tags` are all that there are, with their attributes; `lines` what the recording holds."""

    def __init__(self, page: bytes) -> None:
        reader = _Reader()
        reader.feed(page.decode())
        reader.close()
        self.tags = reader.tags
        self.script = reader.blocks["script"]
        self.style = reader.blocks["style"]
        self.recording = reader.blocks["recording"]

    @property
    def lines(self) -> list[Any]:
        lines: list[Any] = json.loads(self.recording)
        return lines

    @property
    def policy(self) -> str:
        return next(
            dict(attributes)["content"] or ""
            for tag, attributes in self.tags
            if tag == "meta" and dict(attributes).get("http-equiv") == "Content-Security-Policy"
        )
