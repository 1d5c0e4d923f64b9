"""A document that a client has open, as a program sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.text_op import Op, replace
from interfaces.pyclient.commands import Link
from interfaces.pyclient.replica import Cursor, EditState
from interfaces.pyclient.waiting import ANSWER_SECONDS

if TYPE_CHECKING:
    from interfaces.pyclient.client import Client


class ClientDocument:
    """An open document. It stays the same object over reconnects; get it by `Client.open`."""

    __slots__ = ("_client", "name")

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    def __len__(self) -> int:
        return len(self._client.session.replica(self.name))

    @property
    def text(self) -> str:
        return self._client.session.replica(self.name).text

    @property
    def revision(self) -> int:
        """The server's last edit that is in the text."""
        return self._client.session.replica(self.name).revision

    @property
    def cursors(self) -> dict[str, Cursor]:
        """The others' cursors, by client."""
        return self._client.session.replica(self.name).cursors

    @property
    def is_saved(self) -> bool:
        """Whether all that was typed here is in the log."""
        return self._client.session.replica(self.name).is_saved

    def link(self, start: int, end: int) -> Link:
        """The range from `start` to `end` of the present text, for a message to point at.

        Only of a text that the server has as it is seen here. Raises NotSaved (wait for `saved()`),
        NotEditable, ValueError for a range that there is not.
        """
        return self._client.session.link(self.name, start, end)

    def state_of(self, edit: int) -> EditState:
        """How far edit number `edit` has come."""
        return self._client.session.replica(self.name).state_of(edit)

    def insert(self, position: int, text: str) -> int:
        """Insert `text`; returns the edit's number. Raises as `edit`."""
        return self.edit(replace(position, 0, text))

    def delete(self, position: int, count: int) -> int:
        """Delete `count` code points; returns the edit's number. Raises as `edit`."""
        return self.edit(replace(position, count, ""))

    def edit(self, op: Op) -> int:
        """Apply `op` to the text and send it; returns the edit's number.

        Raises OpInvalid, TextInvalid for an op that is none or does not fit, and NotEditable.
        """
        return self._client.edit(self.name, op)

    async def saved(self, timeout: float = ANSWER_SECONDS) -> None:  # noqa: ASYNC109 -- a bound to name
        """Wait until all that was typed here until now is in the log.

        Raises Refused (it was taken back), Stopped, NotEditable, or TimeoutError after `timeout` seconds.
        """
        await self._client.saved(self.name, timeout)

    async def undo(self, timeout: float = ANSWER_SECONDS) -> int | None:  # noqa: ASYNC109
        """Take back the last thing that we, this user, have done in this document and that is still in
        effect, with whatever client and however long ago; what others have typed since stays. Gives the
        revision of the edit that does it, None when there is nothing to take back.

        Raises Refused, Stopped, NotEditable, or TimeoutError after `timeout` seconds: it may still be done
        then.
        """
        return await self._client.take_back(self.name, is_redo=False, timeout=timeout)

    async def redo(self, timeout: float = ANSWER_SECONDS) -> int | None:  # noqa: ASYNC109
        """Take our last undo back, unless we have done something else since. Otherwise as `undo`."""
        return await self._client.take_back(self.name, is_redo=True, timeout=timeout)

    def check(self) -> None:
        """Compare the text with the server's, by a hash. They never differ; should they all the same, the
        server's text takes the place of ours (`reset`), and the server counts it.

        Raises NotSaved, NotEditable.
        """
        self._client.session.check(self.name)
        self._client.settle()

    async def close(self, timeout: float = ANSWER_SECONDS) -> None:  # noqa: ASYNC109
        """Wait until it is saved, then follow it no longer. Raises as `saved`, and is then still open."""
        await self.saved(timeout)
        self._client.close_document(self.name)
