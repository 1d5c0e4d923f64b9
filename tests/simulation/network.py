"""Links between clients and nodes: what a WebSocket over TCP can do, and all that it can fail to do.

A link has two directions. In each, frames arrive late, in their order, and none is lost while the link
is whole; it can stand still for a while, be cut (with or without what is under way), or die without
telling either side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.simulation.trace import Trace

# As `interfaces.ws.route` does: how long a peer may take to answer a close.
CLOSE_SECONDS: Final = 1.0

Deliver = Callable[[Any], None]


class Pipe:
    """One direction: items with sizes, in order, each delivered some time after it was sent."""

    def __init__(self, random: Random, latency_seconds: float, deliver: Deliver) -> None:
        self._random = random
        self._latency_seconds = latency_seconds
        self._deliver = deliver
        self._items: deque[tuple[float, Any, int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_arrival = 0.0
        self._stands_until = 0.0
        self._is_cut = False
        self.bytes = 0
        """Under way."""

    def send(self, item: Any, size: int) -> None:
        if self._is_cut:
            return
        loop = asyncio.get_running_loop()
        arrival = loop.time() + self._latency_seconds * self._random.uniform(0.5, 2.0)
        self._last_arrival = arrival = max(arrival, self._last_arrival)
        self._items.append((arrival, item, size))
        self.bytes += size
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and self._items:
            when = max(self._items[0][0], self._stands_until)
            self._timer = asyncio.get_running_loop().call_at(when, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        if now >= self._stands_until:
            while self._items and self._items[0][0] <= now and not self._is_cut:
                _, item, size = self._items.popleft()
                self.bytes -= size
                self._deliver(item)
        self._schedule()

    def stand_still(self, seconds: float) -> None:
        self._stands_until = max(self._stands_until, asyncio.get_running_loop().time() + seconds)

    def cut(self) -> None:
        """Nothing arrives any more, neither what is under way."""
        self._is_cut = True
        self._items.clear()
        self.bytes = 0


class Link:
    """One socket between a client and a node.

    `node_end` and `client_end` are told what arrives; the end of the link arrives as None or a close code.
    """

    def __init__(self, random: Random, latency_seconds: float, trace: Trace, name: str) -> None:
        self.name = name
        self._random = random
        self._trace = trace
        self._to_node = Pipe(random, latency_seconds, self._at_node)
        self._to_client = Pipe(random, latency_seconds, self._at_client)
        self.node_end: NodeEnd | None = None
        self.client_end: ClientEnd | None = None
        self.is_silent = False
        """Dead, and neither side knows."""

    # The client's side.

    def send(self, data: bytes) -> None:
        self._to_node.send(data, len(data))

    def leave(self, *, is_clean: bool) -> None:
        """The client closes the socket; what is under way may still arrive at the node, then the end."""
        self.client_end = None
        self._to_client.cut()
        if self._random.random() < 0.5:
            self._to_node.cut()
        self._tell_node(is_clean=is_clean)

    # The node's side.

    def write(self, payload: bytes) -> None:
        self._to_client.send(payload, len(payload))

    @property
    def unread_bytes(self) -> int:
        return self._to_client.bytes

    def close(self, code: int) -> None:
        """The node sends a close frame, and waits a moment for the answer."""
        self._to_client.send(code, 0)
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.abort)

    def abort(self) -> None:
        """The node throws the socket away."""
        if self.node_end is not None:
            self._tell_node(is_clean=False, seconds=0.0)
            self._tell_client()

    def die_with_node(self) -> None:
        """The node is no more. Its machine says so to the client, unless that is gone too."""
        self.node_end = None
        self._to_node.cut()
        if self._random.random() < 0.3:
            self.is_silent = True
            self._to_client.cut()
        else:
            self._tell_client()

    # The network's side.

    def cut(self) -> None:
        """Both sides learn of it soon; what is under way arrives before that or not at all."""
        for pipe in (self._to_node, self._to_client):
            if self._random.random() < 0.5:
                pipe.cut()
        self._tell_node(is_clean=False)
        self._tell_client()

    def fall_silent(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self.is_silent = True
        self._to_node.cut()
        self._to_client.cut()

    def stand_still(self, seconds: float) -> None:
        """For some time nothing arrives, in one direction or in both."""
        which = self._random.randrange(3)
        if which != 0:
            self._to_node.stand_still(seconds)
        if which != 1:
            self._to_client.stand_still(seconds)

    def _tell_node(self, *, is_clean: bool, seconds: float = 0.1) -> None:
        if self.is_silent and seconds:
            return
        delay = self._random.uniform(0, seconds)
        asyncio.get_running_loop().call_later(delay, self._end_at_node, is_clean)

    def _end_at_node(self, is_clean: bool) -> None:
        end, self.node_end = self.node_end, None
        self._to_node.cut()
        if end is not None:
            end.on_end(is_clean=is_clean)

    def _tell_client(self) -> None:
        if not self.is_silent:
            asyncio.get_running_loop().call_later(self._random.uniform(0, 0.1), self._end_at_client, None)

    def _end_at_client(self, code: int | None) -> None:
        end, self.client_end = self.client_end, None
        self._to_client.cut()
        if end is not None:
            end.on_end(self, code)

    def _at_node(self, data: bytes) -> None:
        if self.node_end is not None:
            self.node_end.on_data(data)

    def _at_client(self, item: bytes | int) -> None:
        if isinstance(item, int):
            self._end_at_client(item)
            self._tell_node(is_clean=False)
        elif self.client_end is not None:
            self.client_end.on_data(self, item)


class NodeEnd:
    """Who listens at the node."""

    def on_data(self, data: bytes) -> None:
        raise NotImplementedError

    def on_end(self, *, is_clean: bool) -> None:
        raise NotImplementedError


class ClientEnd:
    """Who listens at the client."""

    def on_data(self, link: Link, data: bytes) -> None:
        raise NotImplementedError

    def on_end(self, link: Link, code: int | None) -> None:
        raise NotImplementedError
