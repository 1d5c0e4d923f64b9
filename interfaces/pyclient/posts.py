"""Chat messages on their way to the server: in the order they were written, each until it is in the log.

A message's id is made by the client, so that a resend meets itself. One is under way at a time: if the
first of two were refused for the moment and the second taken, a person's words would come out in the
wrong order.
"""

from __future__ import annotations

from interfaces.pyclient import notices
from interfaces.pyclient.notices import Notice
from interfaces.pyclient.requests import NOT_NOW, Errand, Frame, Requests


class Posts(Errand):
    """The unacknowledged posts of a `ClientSession`, which is the only caller."""

    __slots__ = ("_is_online", "_notices", "waiting")

    def __init__(self, requests: Requests, out: list[Notice]) -> None:
        super().__init__(requests)
        self.waiting: dict[str, str] = {}
        """Text by message id, oldest first."""
        self._notices = out
        self._is_online = False

    def add(self, message: str, text: str, now: float) -> None:
        """Say `text` under the new id `message`."""
        assert message not in self.waiting, "an id is for one message"
        self.waiting[message] = text
        self._pump(now)

    def on_online(self, now: float) -> None:
        self._is_online = True
        self._pump(now)

    def on_offline(self) -> None:
        self._is_online = False
        self._rest()

    def on_stored(self, message: str, now: float) -> None:
        """One of our messages is in the log, perhaps told a second time."""
        if message not in self.waiting:
            return
        if message == next(iter(self.waiting)):
            self._rest()
            self._attempts = 0
        del self.waiting[message]
        self._notices.append(notices.PostAcked(message))
        self._pump(now)

    def _pump(self, now: float) -> None:
        if self._is_online and self.due is None and self.waiting:
            self._send(now)

    def _send(self, now: float) -> None:
        message, text = next(iter(self.waiting.items()))
        frame: Frame = {"type": "post", "message": message, "text": text}
        self._ask(frame, self._on_answered, now, self._send)

    def _on_answered(self, reply: Frame, now: float) -> None:
        """The answer to a post that is not simply its event: it was stored before, or is refused."""
        if self._is_overtaken(reply, now):
            return
        self._rest()
        message = next(iter(self.waiting))
        if reply["type"] == "ok":
            self.on_stored(message, now)
        elif reply["code"] in NOT_NOW or "retry_after" in reply:
            self._retry(reply, now, self._send)
        else:
            text = self.waiting.pop(message)
            self._notices.append(notices.PostRefused(message, text, reply["code"], reply["message"]))
            self._pump(now)
