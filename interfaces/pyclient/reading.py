"""How far this user has got and read the chat, and telling the server of it."""

from __future__ import annotations

from typing import Final

from domain.receipts import Pointers
from interfaces.pyclient import notices
from interfaces.pyclient.notices import Notice
from interfaces.pyclient.requests import NOT_NOW, Errand, Frame, Requests

# Whoever reads a message does so in the moment it is shown, and both are told in one frame then.
GATHER_SECONDS: Final = 0.1

# While messages come: the server gathers half a second's receipts of a room into one event, and nobody sees
# by the second how far the others have read. A receipt tells of everything before it, so none is missed.
RECEIPT_SECONDS: Final = 1.0


class Reading(Errand):
    """The pointers of a `ClientSession`, which is the only caller. They never go back."""

    __slots__ = ("_free_at", "_is_online", "_notices", "_told", "_under_way", "pointers")

    def __init__(self, requests: Requests, out: list[Notice]) -> None:
        super().__init__(requests)
        self.pointers = Pointers()
        """How far we have come, here or at another place."""
        self._notices = out
        self._told = Pointers()  # what the server is known to have
        self._under_way = Pointers()
        self._free_at = 0.0
        self._is_online = False

    @property
    def is_told(self) -> bool:
        """Whether the server knows what was read. That it was delivered nobody has asked us to say."""
        return self._told.read >= self.pointers.read

    def begin_anew(self) -> None:
        """The server's log is another one: positions of the old mean nothing in it."""
        self.pointers = self._told = Pointers()

    def on_told(self, pointers: Pointers) -> None:
        """The server has these of us."""
        self._told = self._told.joined(*pointers)
        self.pointers = self.pointers.joined(*pointers)

    def come_to(self, now: float, *, delivered: int = 0, read: int = 0) -> None:
        """We have got the messages up to `delivered`, and read those up to `read`."""
        self.pointers = self.pointers.joined(delivered, read)
        self._pump(now)

    def on_online(self, now: float) -> None:
        self._is_online = True
        self._pump(now)

    def on_offline(self) -> None:
        self._is_online = False
        self._rest()

    def _pump(self, now: float) -> None:
        if self._is_online and self.due is None and self.pointers != self._told:
            self._wait(max(now + GATHER_SECONDS, self._free_at), self._send)

    def _send(self, now: float) -> None:
        if self.pointers == self._told:
            return  # another place of ours has told
        self._under_way = self.pointers
        self._free_at = now + RECEIPT_SECONDS
        self._send_again(now)

    def _send_again(self, now: float) -> None:
        """The same, whatever was read since: an answer may be that to an earlier copy."""
        delivered, read = self._under_way
        frame: Frame = {"type": "receipt", "delivered": delivered, "read": read}
        self._ask(frame, self._on_answered, now, self._send_again)

    def _on_answered(self, reply: Frame, now: float) -> None:
        if self._is_overtaken(reply, now):
            return
        self._rest()
        if reply["type"] == "ok":
            self._attempts = 0
            self._told = self._told.joined(*self._under_way)
        elif reply["code"] in NOT_NOW or "retry_after" in reply:
            self._retry(reply, now, self._send)
        else:
            self._told = self._told.joined(*self._under_way)  # not to be said again
            self._notices.append(notices.RequestRefused(reply["code"], reply["message"]))
        self._pump(now)
