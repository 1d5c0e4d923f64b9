"""For whoever measures: what goes over a client's sockets."""

from __future__ import annotations

from typing import Protocol

from interfaces.pyclient.requests import Frame


class Traffic(Protocol):
    """Told of every frame, with the bytes of its JSON. Called in the midst of the client's work."""

    def on_sent(self, frame: Frame, size: int) -> None:
        """`frame` is about to be given to the socket."""
        ...

    def on_received(self, size: int) -> None: ...
