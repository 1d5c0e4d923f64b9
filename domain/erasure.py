"""That all that a person has written was removed, and the keys destroyed by which copies could be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, InitialEvent
from domain.ids import erasure_stream
from domain.redaction import check_reason


class ErasureMade(InitialEvent):
    """Of `user`: `redactions` are those by which it went, as pairs of a room ("" for the profile) and an id;
    `keys` the ids of the keys that were destroyed.
    """

    TOPIC = "erasure.made"
    erasure: str
    user: str
    reason: str
    redactions: list[list[str]]
    keys: list[str]


class Erasure(Aggregate):
    TOPIC = "erasure"

    def __init__(self, erasure: str, user: str) -> None:
        self.erasure = erasure
        self.user = user

    @classmethod
    def make(cls, erasure: str, *, reason: str, actor: str, at: datetime, **what: Any) -> Self:
        """Say that it was done, with the other fields of `ErasureMade`. Raises `TextInvalid`."""
        check_reason(reason)
        return cls._create(
            ErasureMade,
            id=erasure_stream(erasure),
            timestamp=at,
            actor=actor,
            erasure=erasure,
            reason=reason,
            **what,
        )


register_topic(Erasure.TOPIC, Erasure)
