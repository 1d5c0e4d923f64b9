"""What a load run measures."""

from __future__ import annotations

import pytest

from interfaces.load.client import frame_bytes
from interfaces.load.figures import Latencies, percentiles


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles([n / 1000 for n in range(1, 101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([0.25]) == {"p50": 250.0, "p95": 250.0, "p99": 250.0}
    assert percentiles([]) is None


def test_an_edit_counts_from_the_first_time_it_was_sent() -> None:
    latencies = Latencies()
    latencies.on_sent("a", 1, 10.0)
    latencies.on_sent("a", 1, 15.0)
    latencies.on_acked("a", 1, 7, 16.0)
    assert list(latencies.ack_seconds) == [6.0]


def test_a_peer_that_is_told_before_the_author_counts_too() -> None:
    latencies = Latencies()
    latencies.on_sent("a", 1, 10.0)
    latencies.on_seen(7, 10.5)
    latencies.on_acked("a", 1, 7, 11.0)
    latencies.on_seen(7, 12.0)
    latencies.on_seen(8, 12.0)  # somebody's who is none of ours
    assert list(latencies.peer_seconds) == [0.5, 2.0]


@pytest.mark.parametrize(
    ("payload", "bytes_"), [(0, 2), (125, 127), (126, 130), (65_535, 65_539), (65_536, 65_546)]
)
def test_a_frame_has_a_header_that_grows_with_it(payload: int, bytes_: int) -> None:
    assert frame_bytes(payload, is_masked=False) == bytes_
    assert frame_bytes(payload, is_masked=True) == bytes_ + 4
