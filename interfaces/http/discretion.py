"""What aiohttp logs by itself, without what somebody has sent.

A request that is none is an error with a traceback to aiohttp, and an upgrade that does not offer our
subprotocol a warning with all that it offers. Both hold what came over the wire, which can be a text or a
token; and whoever reaches the port could fill the disk with them.
"""

from __future__ import annotations

import logging

from aiohttp.http import HttpProcessingError


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
