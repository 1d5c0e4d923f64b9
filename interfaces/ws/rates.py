"""How much one session, user or address may ask in a time."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from domain.errors import RateLimited

# A broken client is told so often what is wrong; then it is ended, so that its noise ends too.
ERRORS_MAX: Final = 20
ERRORS_SECONDS: Final = 60.0


# Whoever tries tokens or tickets gets so many tries in a time; a person with an old one needs two.
FAILURES_MAX: Final = 10
FAILURES_SECONDS: Final = 60.0

# Of so many addresses it is remembered, the last to fail: a megabyte.
ADDRESSES_REMEMBERED: Final = 10_000


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
    chat_per_second: float = 20.0
    """Messages and what becomes of them. People say one in a few seconds; reading them is a room's limit."""
    burst_seconds: float = 2.0
    connections_per_user: int = 50
    """A person with several devices, each with a few windows."""
    connections_per_address: int = 200
    """Of whom it is not known who they are. A whole school can stand behind one address, for a moment."""


class TokenBucket:
    """Tokens that come back at `rate` per second, up to `burst` of them (the token bucket of RFC
    2697 with one colour).
    """

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, a whole burst at the most. Returns 0, or the seconds until there are as many
        (and takes none).
        """
        cost = min(cost, self.burst)
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self.rate

    def pay(self, now: float, refusal: str, cost: float = 1.0) -> None:
        """Take `cost` tokens. Raises `RateLimited` with `refusal` where there are not as many."""
        if wait := self.take(now, cost):
            raise RateLimited(refusal, retry_after=round(wait + 0.001, 3))

    @property
    def tokens(self) -> float:
        """How many were left after the last look."""
        return self._tokens

    @property
    def is_full_in(self) -> float:
        """In how many seconds all would be there again."""
        return (self.burst - self._tokens) / self.rate


class Failures:
    """Counts the wrong credentials of each address in a sliding window."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str, now: float) -> None:
        times = self._times.setdefault(address, deque(maxlen=FAILURES_MAX))
        times.append(now)
        self._times.move_to_end(address)
        if len(self._times) > ADDRESSES_REMEMBERED:
            self._times.popitem(last=False)

    def wait(self, address: str, now: float) -> float:
        """For how many seconds this address is not to be listened to; 0 when it is."""
        times = self._times.get(address)
        if times is None or len(times) < FAILURES_MAX:
            return 0.0
        return max(0.0, times[0] + FAILURES_SECONDS - now)


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
