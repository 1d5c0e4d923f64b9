"""`chronoscribe load`: drive a running server with real sockets, and measure it."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from domain.ids import is_document_id, is_id
from interfaces.cli.failures import CommandFailed
from interfaces.load.failures import LoadFailed
from interfaces.load.traces import Trace, TraceInvalid, read

if TYPE_CHECKING:
    from interfaces.load.run import LoadRun

DEFAULT_URL: Final = "http://127.0.0.1:8484"


def add_to(commands: Any) -> None:
    load = commands.add_parser(
        "load",
        help="drive a running server with recorded or random editing",
        description="Plays recorded sessions (ot-trace/1), one socket for each agent, or random typing. Ends"
        " with 0 only when all clients, the server, and the recording where it says so, have the same text.",
    )
    load.add_argument("traces", nargs="*", type=Path, metavar="TRACE", help="file of a recorded session")
    load.add_argument(
        "--url", action="append", metavar="URL", help=f"of the server ({DEFAULT_URL}); again: of each node"
    )
    load.add_argument("--room", default="load", metavar="ROOM", help="made if it is not there (load)")
    load.add_argument(
        "--document", action="append", metavar="DOC", help="a new one; several traces: one each, or DOC-name"
    )
    load.add_argument(
        "--speed",
        type=speed,
        default=None,
        metavar="max|real|N",
        help="of the recording: as fast as it goes (max, the default), as it was (real), N times as fast",
    )
    load.add_argument("--lines", type=count, metavar="N", help="only the first N edits of each trace")
    load.add_argument("--typing", type=count, metavar="N", help="instead of traces N clients that type")
    load.add_argument(
        "--edits", type=count, default=100, metavar="M", help="with --typing: each so often (100)"
    )
    load.add_argument(
        "--rate",
        type=positive,
        metavar="R",
        help="with --typing: edits a second of each client (as soon as acknowledged)",
    )
    load.add_argument(
        "--token", help="whose edits they are; without it each client is a guest (CHRONOSCRIBE_TOKEN)"
    )
    load.add_argument("--seed", help="with --typing: to type the same again")
    load.add_argument("--json", action="store_true", help="the report as one JSON object")
    load.set_defaults(run=_load)


def speed(text: str) -> float | None:
    """None for max."""
    return None if text == "max" else 1.0 if text == "real" else positive(text)


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _load(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if bool(given.traces) == bool(given.typing):
        raise CommandFailed("name traces to play, or --typing N", status=2)
    if not is_id(given.room):
        raise CommandFailed(f"{given.room!r} cannot name a room", status=2)
    try:
        traces = [read(path, given.lines) for path in given.traces]
    except TraceInvalid as error:
        raise CommandFailed(str(error)) from None
    names = [trace.name for trace in traces] or ["typing"]
    return load(given, traces, documents(names, given.document or []))


def documents(names: list[str], given: list[str]) -> list[str]:
    """The document for each trace: as given, or named after the trace. Raises `CommandFailed`."""
    if len(given) == len(names):
        chosen = given
    elif len(given) > 1:
        raise CommandFailed(f"{len(given)} documents for {len(names)} traces", status=2)
    else:
        chosen = [f"{given[0]}-{name}" if given else name for name in names]
    for name in chosen:
        if not is_document_id(name):
            raise CommandFailed(f"{name!r} cannot name a document: choose --document", status=2)
    if len(set(chosen)) < len(chosen):
        raise CommandFailed("two traces cannot have one document", status=2)
    return chosen


async def load(given: argparse.Namespace, traces: list[Trace], chosen: list[str]) -> int:
    from interfaces.load.run import LoadRun  # the other commands start quicker without it

    token = given.token or os.environ.get("CHRONOSCRIBE_TOKEN")
    run = LoadRun(given.url or [DEFAULT_URL], given.room, token=token)
    for trace, document in zip(traces, chosen, strict=False):
        run.add_trace(trace, document, given.speed)
    if given.typing:
        seed = given.seed or secrets.token_hex(4)
        print(f"chronoscribe: --seed {seed}", file=sys.stderr)
        run.add_typing(given.typing, given.edits, chosen[0], given.rate, seed)
    try:
        report = await _with_progress(run)
    except LoadFailed as error:
        raise CommandFailed(str(error)) from error
    print(json.dumps(report) if given.json else as_text(report))
    return 0


async def _with_progress(run: LoadRun) -> dict[str, Any]:
    columns = (TextColumn("edits"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("edits", total=run.edits)
        return await run.run(lambda edits: progress.update(bar, completed=edits))


def as_text(report: dict[str, Any]) -> str:
    """The report for people."""
    clients = "1 client" if report["clients"] == 1 else f"{report['clients']} clients"
    pace = f"{report['seconds']:,.1f} s: {report['edits_per_second']:,.0f} edits/s"
    rows = [
        ("edits", f"{report['edits']:,} by {clients} in {pace}"),
        ("acknowledged", milliseconds(report["ack_ms"])),
        ("seen by others", milliseconds(report["peer_ms"])),
        ("bytes", f"{report['sent_bytes']:,} sent, {report['received_bytes']:,} received"),
    ]
    for document in report["documents"]:
        recorded = ", as recorded" if document["is_as_recorded"] else ""
        rows += [
            (document["document"], f"revision {document['revision']:,}, {document['length']:,} code points"),
            ("", f"sha256 {document['sha256']}: {_everybody(document['clients'])}{recorded}"),
        ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _everybody(clients: int) -> str:
    return f"all {clients} clients and the server" if clients > 1 else "the client and the server"


def milliseconds(percentiles: dict[str, float] | None) -> str:
    if percentiles is None:
        return "by nobody"
    return "  ".join(f"{name} {value:,.1f}" for name, value in percentiles.items()) + " ms"
