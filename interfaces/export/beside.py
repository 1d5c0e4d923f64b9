"""Exports beside the server: a process for each, which writes the file into a pipe while it is sent on.

Turning a million rows into a file is most of a minute of a whole core, and the library for Parquet takes a
hundred megabytes. What the reader does not take stays in the pipe, and the process waits: so neither holds
more than some megabytes.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from domain.errors import ChronoscribeError, StoreUnavailable
from infrastructure.postgres.tables import Asked, reading_table
from interfaces.export.formats import FORMATS

PIECE_BYTES: Final = 64 * 1024

# Several times what an export takes: most of it is what the library reserves and does not use.
MEMORY_BYTES: Final = 3 * 1024**3

# From the question to the first rows: a view is sorted first, and that of a large room takes its time.
BEGIN_SECONDS: Final = 120.0

_ROOT: Final = str(Path(__file__).parents[2])
# Isolated: nothing of the environment, which holds secrets, and no path but ours.
_COMMAND: Final = (
    sys.executable,
    "-I",
    "-c",
    f"import sys; sys.path.insert(0, {_ROOT!r}); from interfaces.export.beside import main; main()",
)
_GOES_WELL: Final = b"+"


class ExportBroken(Exception):  # noqa: N818
    """The process has ended before the file."""


class TableExports:
    """One per server."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def pieces(
        self, room: str, what: str, form: str, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[bytes, None]:
        """The file, piece by piece. Raises `StoreUnavailable` before the first one, `ExportBroken` behind it.

        Whoever stops asking closes it, which ends the process.
        """
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=PIECE_BYTES, env={"LC_ALL": "C.UTF-8"}
        )
        try:
            given, got = process.stdin, process.stdout
            assert given is not None
            assert got is not None
            # Through a pipe: nobody sees there how the database is reached.
            asked = {"conninfo": self._conninfo, "room": room, "what": what, "form": form}
            given.write(orjson.dumps({**asked, "since": since, "until": until}))
            given.write_eof()
            await _begun(got)
            while piece := await got.read(PIECE_BYTES):
                yield piece
            if await process.wait() != 0:
                raise ExportBroken
        finally:
            await _end(process)


async def _begun(got: asyncio.StreamReader) -> None:
    try:
        async with asyncio.timeout(BEGIN_SECONDS):
            if await got.read(1) == _GOES_WELL:
                return
            complaint = await got.read(PIECE_BYTES)
    except TimeoutError:
        complaint = b""
    raise StoreUnavailable(complaint.decode() or "the export could not be made", retry_after=5.0)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def main() -> None:
    """The program: what is asked comes in, `+` and the file go out, or `-` and what is wrong."""
    os.nice(5)
    for limit, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # where the system cannot bound it
            resource.setrlimit(limit, (most, most))
    given: Any = orjson.loads(sys.stdin.buffer.read())
    asked = Asked(given["what"], given["room"], _moment(given["since"]), _moment(given["until"]))
    sink = sys.stdout.buffer
    has_begun = False
    try:
        with reading_table(given["conninfo"], asked) as rows:
            sink.write(_GOES_WELL)
            has_begun = True
            FORMATS[given["form"]](rows, sink)
        sink.flush()
    except ChronoscribeError as error:
        if not has_begun:
            sink.write(b"-" + error.message.encode())
            sink.flush()
        sys.exit(1)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
