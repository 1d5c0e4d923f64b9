"""That this store was restored from a backup: what follows is another history than the one backed up."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, InitialEvent
from domain.ids import restoration_stream


class StoreRestored(InitialEvent):
    """A stream of its own for each restore, named by the epoch that began with it, so it is said once.

    `source_epoch` is that of the history up to here, which ended in this store at `record_position` and
    `presence_position`, and at `source_at`, in microseconds by the clock of the database that was backed up.
    `by` is who did it, as they are known to the machine that it was done on.
    """

    TOPIC = "store.restored"
    epoch: str
    backup: str
    source_epoch: str
    source_at: int
    record_position: int
    presence_position: int
    by: str


class Restoration(Aggregate):
    TOPIC = "restoration"

    def __init__(
        self,
        epoch: str,
        backup: str,
        source_epoch: str,
        source_at: int,
        record_position: int,
        presence_position: int,
        by: str,
    ) -> None:
        self.epoch = epoch
        self.backup = backup
        self.source_epoch = source_epoch
        self.source_at = source_at
        self.record_position = record_position
        self.presence_position = presence_position
        self.by = by

    @classmethod
    def begin(
        cls,
        epoch: str,
        *,
        backup: str,
        source_epoch: str,
        source_at: int,
        record_position: int,
        presence_position: int,
        by: str,
        actor: str,
        at: datetime,
    ) -> Self:
        return cls._create(
            StoreRestored,
            id=restoration_stream(epoch),
            timestamp=at,
            actor=actor,
            epoch=epoch,
            backup=backup,
            source_epoch=source_epoch,
            source_at=source_at,
            record_position=record_position,
            presence_position=presence_position,
            by=by,
        )


register_topic(Restoration.TOPIC, Restoration)
