"""`chronoscribe watch`: every edit that touched a passage of a document, and with -f those that come."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from itertools import accumulate
from typing import Any, Final

import orjson
from rich.text import Text

from application.past.edits import Progress
from application.past.states import AtRevision
from application.past.watch import Direction, Reached, Touch, Watch, Watched, passage_of, taken
from domain.document import DocumentState, EditApplied
from domain.ids import document_stream
from domain.passage import Passage, Piece
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.follow import follow
from interfaces.cli.lines import Parts, actor_style, began
from interfaces.cli.past import find, pair, states_of, whole_number
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, printer
from interfaces.http.passages import DIRECTIONS, line

# Edits in each direction. More is for programs, or for whoever asks for it.
EDITS_SHOWN: Final = 1_000

Show = Callable[[Direction, Touch | Reached], None]


def add_to(commands: Any) -> None:
    watch = commands.add_parser("watch", help="print the edits that touched a passage of a document")
    watch.add_argument("room", metavar="ROOM")
    watch.add_argument("document", metavar="DOCUMENT")
    place = watch.add_mutually_exclusive_group(required=True)
    place.add_argument("--range", type=pair, metavar="A:B", help="from character A up to B, counted from 0")
    place.add_argument("--lines", type=pair, metavar="L:M", help="the lines L to M, counted from 1")
    watch.add_argument("--revision", type=whole_number, metavar="N", help="where they are there (now)")
    watch.add_argument("--direction", choices=list(DIRECTIONS), default="both", help="in time (both)")
    watch.add_argument(
        "--limit", type=whole_number, default=EDITS_SHOWN, metavar="N", help="edits in each direction (1000)"
    )
    watch.add_argument("-f", "--follow", action="store_true", help="go on with what happens from now on")
    watch.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    add_data_argument(watch)
    watch.set_defaults(run=_watch)


def _watch(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return watch(settings_of(given), given)


async def watch(settings: Settings, given: argparse.Namespace) -> int:
    if given.limit < 1 or (given.follow and given.direction == "back"):
        raise CommandFailed("there is nothing to watch so", status=2)
    show = _show_json if given.json else _show_to_people()
    last: Reached | None = None
    async with open_history(settings) as (history, database):
        states = TimeTravel(database)
        moment = None if given.revision is None else AtRevision(given.revision)
        known = states_of(history, database)
        state = await find(known, given.room, given.document, moment)
        watched = await _begin(states, given, state)
        for direction in DIRECTIONS[given.direction]:
            last = await _print(Watch(states, history), watched, direction, given.limit, show)
        sys.stdout.flush()
        if not given.follow or last is None or last.why != "present":
            return 0
        text = await find(known, given.room, given.document, AtRevision(last.revision))
    passage = Passage(last.span.start, text.text[slice(*last.span)])
    with suppress(_Gone):
        await follow(settings, last.revision, Follower(watched.stream, passage, last.revision, show).look)
    return 0


async def _begin(states: TimeTravel, given: argparse.Namespace, state: DocumentState) -> Watched:
    start, end = given.range or span_of_lines(state.text, *given.lines)
    present = state if given.revision is None else await states.now(document_stream(state.room, state.name))
    assert present is not None
    stream = document_stream(state.room, state.name)
    return passage_of(stream, state, start, end, present.revision)


def span_of_lines(text: str, first: int, last: int) -> tuple[int, int]:
    """From where line `first` begins to where line `last` ends, with its line end: what is typed before that
    is still in the line. Raises `CommandFailed`.
    """
    lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")]
    ends = [min(end, len(text)) for end in accumulate(map(len, lines))]
    if not 1 <= first <= last <= len(ends):
        raise CommandFailed(f"there are no lines {first} to {last}, but 1 to {len(ends)}")
    return (ends[first - 2] if first > 1 else 0), ends[last - 1]


async def _print(watch: Watch, watched: Watched, direction: Direction, limit: int, show: Show) -> Reached:
    """Print what there is in one direction, oldest first, as a log is; returns how it ends."""
    touches: list[Touch] = []
    reached: Reached | None = None
    with progress(f"reading {direction}") as on_progress:
        async for one in (watch.back if direction == "back" else watch.forward)(watched, limit):
            if isinstance(one, Progress):
                on_progress(*one)
            elif isinstance(one, Touch):
                touches.append(one)
            else:
                reached = one
    assert reached is not None, "how it ends comes last"
    in_order: list[Touch | Reached] = [*touches, reached]
    for told in in_order if direction == "forward" else reversed(in_order):
        show(direction, told)
    return reached


class _Gone(Exception):  # noqa: N818
    """Nothing is left of the passage that is followed."""


class Follower:
    """Takes a passage on with what comes; `revision` is where it stands."""

    def __init__(self, stream: str, passage: Passage, revision: int, show: Show) -> None:
        self._stream = stream
        self._passage = passage
        self._revision = revision
        self._show = show

    async def look(self, history: PostgresHistory, _: Database, version: int) -> int:
        """Print what has touched it behind the document's `version`; returns how far that is."""
        for event in await history.events_after(self._stream, version):
            version = event.originator_version
            if isinstance(event, EditApplied) and event.revision > self._revision:
                self._take(event)
        sys.stdout.flush()
        return version

    def _take(self, edit: EditApplied) -> None:
        self._revision = edit.revision
        touch = taken(self._passage, edit)
        if touch is None:
            return
        self._show("forward", touch)
        if self._passage.is_gone:
            self._show("forward", Reached("gone", edit.revision, touch.after))
            raise _Gone


def words(told: Touch | Reached) -> Text | None:
    """`2026-11-23 14:05:07.123  ada  rev 17: the [-quick-]{+slow+} brown fox`; None for an end that needs
    none.
    """
    if isinstance(told, Reached):
        said = {
            "gone": f"nothing of it is left since revision {told.revision}",
            "limit": f"… there are more, from revision {told.revision} on",
        }
        return Text(said[told.why], style="dim") if told.why in said else None
    how = "" if told.cause == "typed" else f" ({on_one_line(told.cause)})"
    parts = [
        *began(told.at, told.user),
        f"rev {told.revision}",
        (how, "dim"),
        ": ",
        *diff(told.user, told.pieces),
    ]
    return Text.assemble(*parts)


def diff(user: str, pieces: Iterable[Piece]) -> Parts:
    """In the colour of who made it; marked as well, for where there are no colours."""
    style = actor_style(user)
    parts: Parts = []
    for piece in pieces:
        text = on_one_line(piece.text)
        match piece.kind:
            case "kept":
                parts.append(text)
            case "inserted":
                parts.append((f"{{+{text}+}}", f"bold {style}"))
            case "deleted":
                parts.append((f"[-{text}-]", f"strike {style}"))
            case "left_out":
                parts.append(("…", "dim"))
    return parts


def _show_to_people() -> Show:
    to = printer()

    def show(_: Direction, told: Touch | Reached) -> None:
        said = words(told)
        if said is not None:
            to(said)

    return show


def _show_json(direction: Direction, told: Touch | Reached) -> None:
    sys.stdout.buffer.write(orjson.dumps(line(direction, told)) + b"\n")
