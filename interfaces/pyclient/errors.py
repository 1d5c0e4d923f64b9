"""What the client raises by itself."""

# ruff: noqa: N818 -- the names say what happened

from __future__ import annotations

from typing import Any

from interfaces.pyclient.notices import UnsentText


class PyClientError(Exception):
    """Root of the client's own errors."""


class Refused(PyClientError):
    """The server will not do what was asked. `code` is its `E_…`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NotLetIn(PyClientError):
    """The server does not let us in, and would not if we asked again. `code` is its `E_…`."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Stopped(PyClientError):
    """The client has stopped for good. `code` is the close code or `E_…` that explains it."""

    def __init__(self, code: int | str | None, reason: str) -> None:
        super().__init__(f"{code}: {reason}" if code is not None else reason)
        self.code = code
        self.reason = reason


class NotEditable(PyClientError):
    """The document is not open, or holds text that cannot be brought together with the server's."""


class NotSaved(PyClientError):
    """The server does not have the text that is seen here yet: wait for `saved()` first."""


class UnsentTextError(PyClientError):
    """The client was closed with something that the server has not acknowledged: `unsent` is what to save,
    `commands` what was asked for and may not be done.
    """

    def __init__(self, unsent: list[UnsentText], commands: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(unsent)} documents and {len(commands)} commands are not saved")
        self.unsent = unsent
        self.commands = commands
