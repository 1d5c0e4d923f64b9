"""When to come back after a socket is gone, and when not to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Verdict(Enum):
    """What a close code asks of the client."""

    RECONNECT = "reconnect"
    RECONNECT_LATER = "reconnect later"  # not before `LATER_SECONDS`
    STOP = "stop"


# After "too many frames" (4405): the server's bucket needs this long to have room again.
LATER_SECONDS: Final = 1.0

# Coming back could only be refused again, or (4406) would throw out the one that took our place.
_STOP: Final = {1003, 1007, 1009, 4406}
_RECONNECT: Final = {4502}
# Codes after which the same node is as good as another: the trouble was with this one socket.
_STAY: Final = {4401, 4402, 4403, 4405, 4502}
_REASONS: Final = {
    1003: "the server takes no binary frames",
    1007: "a frame was no good UTF-8",
    1009: "a frame was too large",
    4400: "the server is going away; another or a newer one takes over",
    4401: "the token has ended; another one is shown",
    4402: "we did not read fast enough",
    4403: "we did not answer in time",
    4405: "we sent too many frames",
    4406: "the same client connected again",
    4407: "the server cannot store anything at the moment",
    4500: "the server did not take the hello",
    4501: "the server does not know us by this",
    4503: "there is no such room for us, or no longer",
    4504: "this user has as many connections as a user may have",
    4505: "the server speaks another version of the protocol",
    4506: "the server counted too many errors",
    4507: "the server is behind this client; copy the text",
}


def verdict(code: int | None) -> Verdict:
    """What to do after a close with `code` (None: the connection just ended)."""
    if code is None or code in _RECONNECT:
        return Verdict.RECONNECT
    if code == 4405:
        return Verdict.RECONNECT_LATER
    return Verdict.STOP if code in _STOP or 4500 <= code < 4600 else Verdict.RECONNECT


def is_better_elsewhere(code: int | None) -> bool:
    """Whether to come back to another node, if there is one."""
    return code not in _STAY


def reason(code: int | None) -> str:
    """The same for a person to read."""
    return _REASONS.get(code or 0, "the connection was lost")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before each attempt to connect again: full jitter, in seconds.

    When a server restarts, all its clients are thrown out in one moment; they come back spread over
    `first`, and those that fail again over `base` doubling up to `most`.
    """

    first: float = 1.0
    base: float = 0.2
    most: float = 30.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds to wait before attempt number `attempt` (from 0) since we were last welcomed.

        `random` gives a number from 0 to 1.
        """
        # 2**32 is far beyond any `most`, and the float stays finite for whatever number of attempts.
        most = self.first if attempt == 0 else min(self.most, self.base * 2.0 ** min(attempt - 1, 32))
        return most * random()
