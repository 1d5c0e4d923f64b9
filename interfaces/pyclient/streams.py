"""What a user follows beside the room: its activity in readable lines, its statistics."""

from __future__ import annotations

from typing import Final

from interfaces.pyclient import notices
from interfaces.pyclient.notices import Notice
from interfaces.pyclient.requests import NOT_NOW, Errand, Frame, Requests

STREAMS: Final = ("activity", "statistics")
"""What can be followed; their frames are called so."""


class Stream(Errand):
    """One subscription of a `ClientSession`, which is the only caller. It is made again on every socket, from
    where the last one ended.
    """

    __slots__ = ("_after", "_notices", "name")

    def __init__(self, name: str, requests: Requests, out: list[Notice]) -> None:
        super().__init__(requests)
        self.name = name
        self._notices = out
        self._after: int | None = None  # up to where in the log it was told

    def on_online(self, now: float) -> None:
        frame: Frame = {"type": "subscribe", "to": self.name}
        if self._after is not None:
            frame["after"] = self._after
        self._ask(frame, self._on_answered, now, self.on_online)

    def on_offline(self) -> None:
        self._rest()

    def on_other_epoch(self) -> None:
        """What was seen is of another log."""
        self._after = None

    def on_frame(self, frame: Frame) -> None:
        """Something new of it."""
        self._after = frame["position"]
        if self.name == "activity":
            self._notices.append(notices.ActivityChanged(frame["lines"]))
        else:
            statistics = {name: value for name, value in frame.items() if name != "type"}
            self._notices.append(notices.StatisticsChanged(statistics))

    def close(self, *, is_online: bool) -> None:
        """Nothing of it is wanted any more."""
        self._rest()
        if is_online:
            self._requests.ask({"type": "unsubscribe", "to": self.name}, _on_closed)

    def _on_answered(self, reply: Frame, now: float) -> None:
        if self._is_overtaken(reply, now):
            return
        self._rest()
        if reply["type"] == "ok":
            self._attempts = 0
        elif reply["code"] in NOT_NOW or "retry_after" in reply:
            self._retry(reply, now, self.on_online)
        else:
            self._notices.append(notices.RequestRefused(reply["code"], reply["message"]))


def _on_closed(_reply: Frame, _now: float) -> None:
    """Whatever the server says: we no longer listen."""
