"""What aiohttp logs by itself, without what somebody has sent.

A request that is none is an error with a traceback to aiohttp, and an upgrade that does not offer our
subprotocol a warning with all that it offers. Both hold what came over the wire, which can be a text or a
token; and whoever reaches the port could fill the disk with them.
"""

from __future__ import annotations

import logging
from typing import Final

from aiohttp.http import HttpProcessingError

# Enough to know a browser by, and too little to fill a disk with.
LOGGED_CODE_POINTS: Final = 200


def keep_contents_out_of_logs() -> None:
    """Make aiohttp's loggers discreet. Once is enough, and more does no harm."""
    logging.getLogger("aiohttp.server").addFilter(without_contents)
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


def without_contents(record: logging.LogRecord) -> bool:
    """A filter that makes one plain line of a request that is none, and lets everything pass."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg = "what came from %s is no request"
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def as_one_line(text: str) -> str:
    """What came over the wire, as it may stand in a log: nothing in it ends the line or moves a cursor."""
    escaped = text[:LOGGED_CODE_POINTS].encode("unicode_escape").decode("ascii")
    return escaped + "…" if len(text) > LOGGED_CODE_POINTS else escaped
