"""That a store was restored is one event, in a stream that the new epoch names."""

from __future__ import annotations

from domain.restoration import Restoration, StoreRestored
from tests.domain.events import NOON, collect


def test_a_restore_says_what_it_was_made_of() -> None:
    restoration = Restoration.begin(
        "epoch-2",
        backup="backup-1",
        source_epoch="epoch-1",
        source_at=7,
        record_position=42,
        presence_position=43,
        by="ada on laptop",
        actor="@server",
        at=NOON,
    )
    [restored] = collect(restoration)
    assert isinstance(restored, StoreRestored)
    assert (restored.originator_id, restored.originator_version) == ("restoration:/epoch-2", 1)
    assert (restored.backup, restored.source_epoch, restored.source_at) == ("backup-1", "epoch-1", 7)
    assert (restored.record_position, restored.presence_position) == (42, 43)
    assert restored.by == "ada on laptop"
    assert (restoration.epoch, restoration.record_position) == ("epoch-2", 42)
