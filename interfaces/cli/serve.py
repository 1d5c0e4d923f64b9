"""`chronoscribe serve`: run the server."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from infrastructure.settings import Settings


def add_to(commands: Any) -> None:
    serve = commands.add_parser("serve", help="run the server")
    serve.add_argument("--host", help="address to listen on (CHRONOSCRIBE_HOST, 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (CHRONOSCRIBE_PORT, 8484)")
    serve.add_argument("--data", type=Path, help="folder of the embedded Postgres (CHRONOSCRIBE_DATA)")
    serve.set_defaults(run=_serve)


def _serve(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    settings = Settings.load(host=given.host, port=given.port, data=given.data)
    from interfaces import server  # other commands, and what refuses to start, are quicker without it

    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    return server.run(settings)
