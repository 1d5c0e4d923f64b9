"""Guests of a server in development, for tests that speak with it by hand."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, NamedTuple


class Guest(NamedTuple):
    """Somebody whom the server at `url` knows."""

    url: str
    user: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a good answer, None for one without; blocks."""
        return _ask(method, f"{self.url}{path}", body, self.headers)

    def ticket(self) -> str:
        """For one socket; blocks."""
        return str(self.ask("POST", "/api/tickets", {})["ticket"])

    def create_room(self, room: str, *, everyone: str | None = "editor") -> None:
        """Blocks."""
        self.ask("POST", "/api/rooms", {"room": room, "everyone": everyone})


def guest(url: str, name: str = "Guest") -> Guest:
    """A new guest; blocks."""
    made = _ask("POST", f"{url}/api/guests", {"name": name}, {})
    return Guest(url, made["user"], made["token"])


def _ask(method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = response.read()
    return json.loads(answer) if answer else None
