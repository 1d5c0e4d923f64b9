"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations


class CommandFailed(Exception):  # noqa: N818
    """The text is for the person at the terminal; `status` is the exit status."""

    def __init__(self, what: str, status: int = 1) -> None:
        super().__init__(what)
        self.status = status
