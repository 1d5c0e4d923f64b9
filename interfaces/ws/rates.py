"""How much one session may ask in a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

# A broken client is told so often what is wrong; then it is ended, so that its noise ends too.
ERRORS_MAX: Final = 20
ERRORS_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Per session. A person types ten edits a second at the most, and a client sends one at a time
    and waits for its acknowledgement, so these stop storms and not bots: a load generator on the
    same machine reaches a few hundred.
    """

    edits_per_second: float = 500.0
    frames_per_second: float = 1_000.0
    presence_per_second: float = 50.0
    """Cursors, signs of typing, statuses: others are told twenty times a second at the most."""
    burst_seconds: float = 2.0
    connections_per_user: int = 50
    """A person with several devices, each with a few windows."""
    connections_per_address: int = 200
    """Of whom it is not known who they are. A whole school can stand behind one address, for a moment."""


class TokenBucket:
    """Tokens that come back at `rate` per second, up to `burst` of them (the token bucket of RFC
    2697 with one colour).
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, a whole burst at the most. Returns 0, or the seconds until there are as many
        (and takes none).
        """
        cost = min(cost, self._burst)
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate


class ErrorCount:
    """Counts refusals in a sliding window."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[float] | None = None  # most sessions never need one

    def is_exceeded(self, now: float) -> bool:
        """Count one; True when there were `ERRORS_MAX` within the window."""
        if self._times is None:
            self._times = deque(maxlen=ERRORS_MAX)
        self._times.append(now)
        return len(self._times) == ERRORS_MAX and now - self._times[0] <= ERRORS_SECONDS
