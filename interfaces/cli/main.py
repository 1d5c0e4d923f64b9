"""`chronoscribe`: the commands, and what they take."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from importlib import import_module
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.errors import ChronoscribeError
from infrastructure.embedded_postgres import EmbeddedPostgresError
from infrastructure.postgres.database import UnsafeStore
from interfaces.cli.failures import CommandFailed

# The module of each command. Only that of the one that is given is loaded: all of them take a second.
MODULES: Final = {
    "serve": "serve",
    "activity": "activity",
    "analyst": "analyst",
    "audit": "audit",
    "backup": "backup",
    "bisect": "bisect",
    "blame": "blame",
    "branch": "branch",
    "checkpoint": "checkpoint",
    "demo": "demo",
    "diff": "diff",
    "epoch": "epoch",
    "erase": "erase",
    "export": "export",
    "import": "importing",
    "keys": "keys",
    "load": "load",
    "log": "log",
    "merge": "merge",
    "moment": "moment",
    "phrases": "phrases",
    "proof": "proof",
    "rebuild": "rebuild",
    "redact": "redact",
    "redactions": "redact",
    "redo": "redo",
    "replay": "replay",
    "report": "report",
    "restore": "restore",
    "revisions": "revisions",
    "seal": "seal",
    "search": "search",
    "show": "show",
    "token": "token",
    "undo": "undo",
    "verify": "verify",
    "watch": "watch",
}

# What shells give for a program that Ctrl-C has ended.
INTERRUPTED = 130


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Of all commands, or of `command` alone."""
    commands = argparse.ArgumentParser(prog="chronoscribe", description=__doc__)
    sub = commands.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in dict.fromkeys(MODULES.values()) if command is None else [MODULES[command]]:
        import_module(f"interfaces.cli.{module}").add_to(sub)
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point. Returns the exit status: 0, 1 when it did not work, 2 when asked wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    arguments = sys.argv[1:] if arguments is None else arguments
    command = arguments[0] if arguments and arguments[0] in MODULES else None
    given = parser(command).parse_args(arguments)
    try:
        status = _run(given.run(given))
        sys.stdout.flush()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            _complain(_said(problem))
        return 2
    except UnsafeStore as error:
        _complain(str(error))
        return 2
    except CommandFailed as error:
        _complain(str(error))
        return error.status
    except ChronoscribeError as error:
        _complain(error.message)
        return 1
    except EmbeddedPostgresError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:  # whoever reads our output has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # such as a port that is taken
        _complain(str(error))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(work: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def _said(problem: ErrorDetails) -> str:
    """A setting that is refused, by name where it is one; ours are said in our words alone."""
    name = ".".join(str(part) for part in problem["loc"])
    what = problem.get("ctx", {}).get("error", problem["msg"])
    return f"{name}: {what}" if name else str(what)


def _complain(what: str) -> None:
    print(f"chronoscribe: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
