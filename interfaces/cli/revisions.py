"""`chronoscribe revisions`: the saved and named revisions of a document; with --name, give one a name."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from application.services import Services
from domain.ids import is_id, revisions_stream
from domain.instants import as_microseconds
from domain.names import as_name
from domain.revisions import RevisionSaved
from domain.rights import Action
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import began
from interfaces.cli.past import find, states_of, whole_number
from interfaces.cli.store import add_data_argument, open_history, open_node_for_command, settings_of
from interfaces.cli.terminal import on_one_line


def add_to(commands: Any) -> None:
    revisions = commands.add_parser("revisions", help="list the saved and named revisions of a document")
    revisions.add_argument("room", metavar="ROOM")
    revisions.add_argument("document", metavar="DOCUMENT")
    revisions.add_argument("--name", metavar="NAME", help="give this name to a revision, instead of a list")
    revisions.add_argument(
        "--revision", type=whole_number, metavar="N", help="with --name: to this one (now)"
    )
    revisions.add_argument("--as", dest="user", metavar="USER", help="with --name: who does it")
    revisions.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    add_data_argument(revisions)
    revisions.set_defaults(run=_revisions)


def _revisions(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.name is None:
        if given.revision is not None or given.user is not None:
            raise CommandFailed("--revision and --as go with --name", status=2)
        return list_saved(given)
    if given.user is None or not is_id(given.user):
        raise CommandFailed("say --as which user", status=2)
    if as_name(given.name) is None:
        raise CommandFailed(f"{given.name!r} is no name: 1 to 64 characters that can be seen", status=2)
    return name(given)


async def list_saved(given: argparse.Namespace) -> int:
    """Oldest first; a name that has moved on is told where it was given first as well."""
    async with open_history(settings_of(given)) as (history, database):
        await find(states_of(history, database), given.room, given.document, None)
        stream = revisions_stream(given.room, given.document)
        saved = [e for e in await history.events_after(stream, 0) if isinstance(e, RevisionSaved)]
    names = {event.name: event.revision for event in saved}
    console = Console(highlight=False, soft_wrap=True)
    for event in saved:
        if given.json:
            told = {"revision": event.revision, "name": event.name, "saved_by": event.actor}
            print(orjson.dumps({**told, "saved": as_microseconds(event.timestamp)}).decode())
        else:
            console.print(_line(event, has_moved=names[event.name] != event.revision))
    return 0


def _line(event: RevisionSaved, *, has_moved: bool) -> Text:
    named = on_one_line(event.name) if event.name is not None else ""
    moved = "  (moved on)" if event.name is not None and has_moved else ""
    when = began(event.timestamp, event.actor)
    return Text.assemble(*when, f"rev {event.revision}  ", (named, "bold"), (moved, "dim"))


async def name(given: argparse.Namespace) -> int:
    """Give a name, on behalf of a user."""
    async with open_node_for_command(settings_of(given)) as (_, services):
        await services.rooms.enter(given.room, given.user, Action.EDIT)
        revision = await _named(services, given)
    print(f"revision {revision} of {given.document} is called {given.name}")
    return 0


async def _named(services: Services, given: argparse.Namespace) -> int:
    document = await services.documents.get(given.room, given.document)
    revision: int = document.revision if given.revision is None else given.revision
    saved = await services.revisions.save(
        given.room, given.document, revision, name=given.name, actor=given.user
    )
    await saved
    return revision
