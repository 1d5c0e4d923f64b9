"""`chronoscribe search`: a phrase in all text that there is and ever was in a room."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from application.past.phrases import Phrases
from domain.ids import is_id, room_stream
from domain.phrase import Phrase
from infrastructure.postgres.directory import DirectoryView
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.phrases import add_phrase_arguments, print_found, shower
from interfaces.cli.store import open_history, settings_of


def add_to(commands: Any) -> None:
    search = commands.add_parser("search", help="look for a phrase in all text that a room ever had")
    search.add_argument("room", metavar="ROOM")
    search.add_argument("--document", metavar="DOCUMENT", help="only in this one")
    add_phrase_arguments(search)
    search.set_defaults(run=_search)


def _search(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return search(settings_of(given), given)


async def search(settings: Settings, given: argparse.Namespace) -> int:
    phrase = Phrase(given.text, ignores_case=given.ignore_case)
    async with open_history(settings) as (history, database):
        room = await history.load(room_stream(given.room)) if is_id(given.room) else None
        if room is None:
            raise CommandFailed(f"there is no room {given.room!r}")
        # What was changed last comes first; the directory is a moment behind, and the room knows what it
        # lists.
        entries = await DirectoryView(database).of_room(given.room)
        entries.sort(key=lambda entry: entry.modified_at, reverse=True)
        documents = list(dict.fromkeys([*(entry.document for entry in entries), *room.documents]))
        if given.document is not None:
            if given.document not in documents:
                raise CommandFailed(f"there is no document {given.document!r} in the room {given.room!r}")
            documents = [given.document]
        found = Phrases(TimeTravel(database), history).of_room(given.room, documents, phrase, given.limit)
        await print_found(found, shower(is_json=given.json))
    return 0
