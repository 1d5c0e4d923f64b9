"""`chronoscribe`: the commands, and what they take."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from infrastructure.postgres.database import UnsafeStore
from infrastructure.settings import Settings


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(prog="chronoscribe", description=__doc__)
    sub = commands.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = sub.add_parser("serve", help="run the server")
    serve.add_argument("--host", help="address to listen on (CHRONOSCRIBE_HOST, 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (CHRONOSCRIBE_PORT, 8484)")
    serve.add_argument("--data", type=Path, help="folder of the embedded Postgres (CHRONOSCRIBE_DATA)")
    serve.set_defaults(run=_serve)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = ".".join(str(part) for part in problem["loc"])
            print(f"chronoscribe: {name}: {problem['msg']}", file=sys.stderr)
        return 2
    except UnsafeStore as error:
        print(f"chronoscribe: {error}", file=sys.stderr)
        return 2


def _serve(given: argparse.Namespace) -> int:
    from interfaces import server

    settings = Settings.load(host=given.host, port=given.port, data=given.data)
    return run(server.run(settings))


def run(work: Any) -> int:
    """Run a coroutine on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return int(asyncio.run(work))
    return int(uvloop.run(work))


if __name__ == "__main__":
    sys.exit(main())
