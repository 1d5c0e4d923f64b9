"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson

from interfaces.pyclient.asking import Asking, Json, moment, room_path
from interfaces.pyclient.errors import Refused

# Some tens of megabytes, which the server reads as it writes them.
PAGE_SECONDS: Final = 300.0


class Past(Asking):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Diff and bisect.

    # Blame.

    # Moments, and what became of a passage.

    # Phrases, and all text that there ever was.

    # Undo, restore, branch.

    # Replay.

    async def replay_html(
        self, room: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> bytes:
        """What went on, as an HTML file that plays in a browser. Raises `Refused` also for one that ends
        early.
        """
        query = moment(**{"from": since, "to": until})
        path = f"{room_path(room)}/replay.html"
        page = await self._ask_for_bytes("GET", path, query=query, seconds=PAGE_SECONDS)
        told = _last_line(page)
        if told.get("type") == "error":
            raise Refused(told["code"], told["detail"])
        return page


def _last_line(page: bytes) -> Json:
    """Of the recording in a page: it says whether it is whole."""
    recording, _, _ = page.rpartition(b"\n]</script>")
    told: Json = orjson.loads(recording.rpartition(b"\n")[2])
    return told
