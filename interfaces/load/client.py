"""One client of a load run: the Python client with one document open, measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp

from domain.text_op import Op
from interfaces.load.failures import LoadFailed
from interfaces.load.figures import Latencies
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.errors import NotEditable, PyClientError
from interfaces.pyclient.notices import (
    Acked,
    DocumentReset,
    Edited,
    EditRefused,
    Notice,
    Status,
    StatusChanged,
    UnsentText,
)
from interfaces.pyclient.replica import Replica
from interfaces.pyclient.requests import Frame

# Of an edit of ours, or of somebody else's.
OnEdit = Callable[[Acked | Edited], None]


class LoadClient:
    """Connect it, then edit. What becomes of edits goes to `on_edit`, at once; it must not fail."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        urls: Sequence[str],
        room: str,
        document: str,
        client: str,
        credentials: Credentials,
        latencies: Latencies,
    ) -> None:
        """It stays at the first of `urls` as long as that is there."""
        self.client = Client(
            urls, room, credentials=credentials, client_id=client, compose=False, http=http, traffic=self
        )
        self.on_edit: OnEdit = lambda edit: None
        self.stirred = asyncio.Event()
        """Set whenever something was heard, for whoever waits for a state of this client."""
        self.failure: LoadFailed | None = None
        self.sent_bytes = 0
        self.received_bytes = 0
        self._is_leaving = False
        self._name = document
        self._document: ClientDocument | None = None
        self._latencies = latencies
        self.client.on("ack", self._on_acked)
        self.client.on("edit", self._on_edited)
        for kind in ("status", "edit_refused", "unsent", "reset"):
            self.client.on(kind, self._on_other)

    # For whoever plays.

    @property
    def id(self) -> str:
        return self.client.client_id

    @property
    def replica(self) -> Replica:
        return self.client.session.replica(self._name)

    @property
    def revision(self) -> int:
        """How far it has come; -1 before there is a text."""
        return -1 if self._document is None else self.replica.revision

    async def connect(self) -> None:
        """Enter the room and open the document, made if it is not there. Raises `LoadFailed`."""
        try:
            await self.client.start()
            self._document = await self.client.open(self._name, create=True)
        except (PyClientError, TimeoutError) as error:
            raise LoadFailed(f"client {self.id} does not get in: {error}") from error

    async def disconnect(self) -> None:
        self._is_leaving = True
        await self.client.close(0.0)

    def edit(self, op: Op) -> None:
        """Raises `LoadFailed`."""
        try:
            self.client.edit(self._name, op)
        except NotEditable as error:
            raise self.failure or LoadFailed(f"client {self.id}: {error}") from error

    def has(self, revision: int) -> bool:
        """Whether it has taken everything up to `revision` in, and nothing of it is unsaved."""
        return self.replica.revision >= revision and self.replica.is_saved

    # What the client says.

    def _on_acked(self, acked: Acked) -> None:
        self._latencies.on_acked(self.id, acked.seq, acked.revision, time.monotonic())
        self.on_edit(acked)
        self.stirred.set()

    def _on_edited(self, edited: Edited) -> None:
        self._latencies.on_seen(edited.revision, time.monotonic())
        self.on_edit(edited)
        self.stirred.set()

    def _on_other(self, notice: Notice) -> None:
        match notice:
            case StatusChanged(status=Status.STOPPED) if not self._is_leaving:
                self._fail(f"was stopped: {notice.reason}")
            case EditRefused():
                self._fail(f"was refused an edit: {notice.code}: {notice.message}")
            case UnsentText():
                self._fail(f"cannot go on: {notice.reason}")
            case DocumentReset():
                self._fail("fell so far behind that it could not be told edit by edit")
            case _:
                pass
        self.stirred.set()

    def _fail(self, why: str) -> None:
        self.failure = self.failure or LoadFailed(f"client {self.id} {why}")

    # What goes over the wire.

    def on_sent(self, frame: Frame, size: int) -> None:
        self.sent_bytes += frame_bytes(size, is_masked=True)
        if frame["type"] == "edit":
            self._latencies.on_sent(self.id, frame["seq"], time.monotonic())

    def on_received(self, size: int) -> None:
        self.received_bytes += frame_bytes(size, is_masked=False)


def frame_bytes(payload: int, *, is_masked: bool) -> int:
    """Of a WebSocket frame with so much in it (RFC 6455, 5.2)."""
    length = 0 if payload < 126 else 2 if payload < 65_536 else 8
    return 2 + length + (4 if is_masked else 0) + payload
