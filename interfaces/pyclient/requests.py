"""Asking the server: requests by `ref`, their answers, and when to ask again.

An errand is one conversation of which at most one request is under way: the edits of a document, the
commands of a client. It always knows what it waits for: an answer by a certain time, or just the
time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Frame = dict[str, Any]
OnReply = Callable[[Frame, float], None]

# Without an answer for this long a request is sent again on the same socket. Every request may be.
RESEND_SECONDS: Final = 5.0

# For each copy that is not answered the next one waits twice as long, so often: up to 40 s. The server
# answers every copy, and over a slow line what is new would wait behind them, each `open` with a whole text.
RESEND_DOUBLINGS: Final = 3

# After "not now" the wait is at least this, doubling while the answer stays the same...
RETRY_FIRST_SECONDS: Final = 0.1

# ...up to this: the server counts refusals and cuts a client off that collects twenty in a minute.
RETRY_MOST_SECONDS: Final = 5.0

# The server is busy or asks for patience: the same request can succeed later.
NOT_NOW: Final = frozenset({"E_RATE", "E_BUSY", "E_STORE"})

# Refusals for how things stand, not for what was asked: a copy that comes later may find them otherwise.
OF_THE_MOMENT: Final = frozenset({"E_FORBIDDEN", "E_DOC_SIZE"})


class Requests:
    """What goes to the server, and who waits for the answer. One per session; empty without a socket."""

    __slots__ = ("_last_ref", "_waiting", "frames")

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._waiting: dict[int, OnReply] = {}
        self._last_ref = 0

    def ask(self, frame: Frame, on_reply: OnReply) -> int:
        """Send a request; returns the `ref` it was given."""
        self._last_ref += 1  # goes on over reconnects, so that no late answer is taken for another
        frame["ref"] = self._last_ref
        self._waiting[self._last_ref] = on_reply
        self.frames.append(frame)
        return self._last_ref

    def forget(self, ref: int | None) -> None:
        """Nobody waits for this answer any more."""
        if ref is not None:
            self._waiting.pop(ref, None)

    def on_reply(self, frame: Frame, now: float) -> None:
        """Hand an answer to who asked. One that nobody waits for has been overtaken by an event."""
        on_reply = self._waiting.pop(frame["ref"], None)
        if on_reply is not None:
            on_reply(frame, now)

    def clear(self) -> None:
        """The socket is gone: nothing will be answered, nothing can be sent."""
        self.frames.clear()
        self._waiting.clear()


class Errand:
    """Base of what has one request under way at most, and a time at which to do the next thing."""

    __slots__ = ("_attempts", "_copies", "_refs", "_requests", "_then", "due")

    def __init__(self, requests: Requests) -> None:
        self.due: float | None = None
        self._requests = requests
        self._refs: list[int] = []  # of the request under way, and of its earlier copies
        self._copies = 0  # that were not answered before the one that is sent
        self._attempts = 0
        self._then: Callable[[float], None] | None = None

    def on_time(self, now: float) -> None:
        """Do what is due."""
        then = self._then
        if then is not None and self.due is not None and now >= self.due:
            earlier, self._refs = self._refs, []
            self._rest()
            self._copies = len(earlier)
            then(now)
            self._copies = 0
            # On a slow line the answer to the first copy comes after the second has gone. It is as good; if
            # only the last one's counted, an answer that takes longer than the resend would never be taken.
            self._refs = earlier + self._refs

    def _ask(self, frame: Frame, on_reply: OnReply, now: float, again: Callable[[float], None]) -> None:
        """Send a request in place of the one under way; `again` is called if it stays unanswered."""
        self._rest()
        self._refs.append(self._requests.ask(frame, on_reply))
        self._wait(now + RESEND_SECONDS * 2.0 ** min(self._copies, RESEND_DOUBLINGS), again)

    def _wait(self, until: float, then: Callable[[float], None]) -> None:
        self.due = until
        self._then = then

    def _retry(self, reply: Frame, now: float, again: Callable[[float], None]) -> None:
        """Do `again` when the server has had some time, or as much as it asked for."""
        pause = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        self._wait(now + max(pause, reply.get("retry_after") or 0.0), again)

    def _is_overtaken(self, reply: Frame, now: float) -> bool:
        """Whether this refuses an earlier copy for a right or for room that the last one may have again: then
        that one's answer is waited for.
        """
        if reply.get("code") not in OF_THE_MOMENT or reply["ref"] == self._refs[-1]:
            return False
        self.due = now + RESEND_SECONDS
        return True

    def _rest(self) -> None:
        """Wait for nothing."""
        for ref in self._refs:
            self._requests.forget(ref)
        self._refs.clear()
        self.due = None
        self._then = None


class Pacer:
    """Keeps to so many requests per second as the server takes, so that it need not refuse any: who is
    refused too often is sent away.

    A bucket that holds one second's worth: a burst passes, what goes on does so at the rate.
    """

    __slots__ = ("_interval", "_paid_until")

    # As long as the server's own bucket at least; a longer one here would only earn refusals.
    BURST_SECONDS: Final = 1.0

    def __init__(self) -> None:
        self._interval = 0.0  # no limit known
        self._paid_until = 0.0

    def set_rate(self, per_second: float | None) -> None:
        """What the server's welcome says; None or 0: it does not limit."""
        self._interval = 1.0 / per_second if per_second else 0.0

    def free_at(self) -> float:
        """When the next one may go."""
        return self._paid_until - self.BURST_SECONDS + self._interval

    def pay(self, now: float) -> None:
        """One goes."""
        self._paid_until = max(self._paid_until, now) + self._interval
