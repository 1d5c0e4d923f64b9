"""What a node tells Prometheus. Read when asked for, from the numbers that the parts keep anyway:
no rooms, no names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from infrastructure.node import Node


class NodeCollector(Collector):
    """`gauges` are the numbers of the edge: name (with unit), help, and how to read it."""

    def __init__(self, node: Node, gauges: dict[str, tuple[str, Callable[[], float]]]) -> None:
        self._node = node
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for log in (self._node.record, self._node.presence):
            commit = log.commit
            labels = [log.name]
            counters: tuple[tuple[str, str, float], ...] = (
                ("events_appended", "Events that this node has committed", commit.events),
                ("batches_committed", "Transactions in which it did", commit.batches),
                ("streams_refused", "Decisions that lost a race to another node", commit.refusals),
                ("commit_failures", "Commits with unknown outcome", commit.failures),
                ("batches_read", "Batches that the feed had to read from the log", log.feed.batches_read),
            )
            gauges: tuple[tuple[str, str, float], ...] = (
                ("events_waiting", "Events decided and not yet committed", commit.waiting_events),
                ("stalled_seconds", "For how long nothing could be committed", commit.stalled_seconds),
                ("feed_position", "Notification id that the feed has come to", log.feed.position),
                ("aggregates_live", "Aggregates in memory", len(log.lives)),
            )
            for name, text, value in counters:
                counter = CounterMetricFamily(f"chronoscribe_{name}", text, labels=["log"])
                counter.add_metric(labels, value)
                yield counter
            for name, text, value in gauges:
                gauge = GaugeMetricFamily(f"chronoscribe_{name}", text, labels=["log"])
                gauge.add_metric(labels, value)
                yield gauge
        yield from self._projections()
        yield CounterMetricFamily(
            "chronoscribe_snapshots_saved", "Snapshots written", value=self._node.snapshots.saved
        )
        yield CounterMetricFamily(
            "chronoscribe_hints_interrupted", "Reconnects of the listener", value=self._node.wakeup.reconnects
        )
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(f"chronoscribe_{name}", text, value=read())

    def _projections(self) -> Iterator[Metric]:
        """Lag and parked events are told by the active node alone, so that sums over nodes are right."""
        labels = ["projection"]
        active = GaugeMetricFamily(
            "chronoscribe_projection_active", "Whether this node keeps a projection", labels=labels
        )
        lag = GaugeMetricFamily(
            "chronoscribe_projection_lag_events", "How far a projection is behind the feed", labels=labels
        )
        parked = GaugeMetricFamily(
            "chronoscribe_projection_parked_events", "Events that it could not take in", labels=labels
        )
        for projector in self._node.projectors:
            active.add_metric([projector.name], projector.is_active)
            if projector.is_active:
                behind = self._node.record.feed.position - projector.position
                lag.add_metric([projector.name], max(0, behind))
                parked.add_metric([projector.name], projector.parked)
        yield from (active, lag, parked)


def metrics(node: Node, gauges: dict[str, tuple[str, Callable[[], float]]]) -> Callable[[], bytes]:
    """A function that gives the present numbers in Prometheus' text format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(NodeCollector(node, gauges))
    return lambda: generate_latest(registry)
