"""`chronoscribe import`: documents with their past, from Etherpad and from git."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from application import etherpad
from application.brought import OnProgress
from application.etherpad import EXPORT_BYTES, Export, Left, Pad, counted
from application.services import Services
from domain.errors import ClientError
from domain.ids import is_document_id, is_id
from domain.importing import BroughtDocument
from domain.instants import as_datetime
from domain.rights import Action
from infrastructure.differ import LibraryDiffer
from infrastructure.git_history import FileHistory, GitHistory
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_node_for_command, settings_of
from interfaces.cli.terminal import on_one_line

# Of more authors the others are told as a number.
AUTHORS_SHOWN: Final = 20


def add_to(commands: Any) -> None:
    importing = commands.add_parser("import", help="bring documents with their past from elsewhere")
    sources = importing.add_subparsers(dest="source", required=True, metavar="SOURCE")
    pads = sources.add_parser("etherpad", help="the pads of an export of Etherpad, with their chat")
    pads.add_argument("file", type=Path, metavar="FILE", help="an .etherpad file")
    _add_arguments(pads)
    pads.add_argument("--no-chat", action="store_true", help="the pads alone")
    pads.add_argument(
        "--ignore-unknown", action="store_true", help="pass over what plugins have put into the export"
    )
    pads.set_defaults(run=_import_etherpad)
    git = sources.add_parser("git", help="a file of a git repository, each commit an edit")
    git.add_argument("repository", type=Path, metavar="REPOSITORY")
    git.add_argument("path", metavar="PATH", help="the file, from the root of the repository")
    _add_arguments(git)
    git.add_argument("--branch", "--rev", dest="revision", default="HEAD", metavar="REV", help="up to there")
    git.add_argument("--follow", action="store_true", help="also to where the file was before it was moved")
    git.add_argument("--addresses", action="store_true", help="tell authors with their addresses")
    git.set_defaults(run=_import_git)


def _add_arguments(source: Any) -> None:
    source.add_argument("--room", required=True, metavar="R")
    source.add_argument("--document", metavar="D", help="what it is called here")
    source.add_argument("--as", dest="user", metavar="USER", help="who imports it; needed but for --dry-run")
    source.add_argument("--dry-run", action="store_true", help="show what would come, and write nothing")
    source.add_argument("--json", action="store_true", help="tell it as one JSON object")
    add_data_argument(source)


def _check(given: argparse.Namespace) -> None:
    """Raises `CommandFailed`."""
    if not is_id(given.room):
        raise CommandFailed(f"{given.room!r} is no id of a room", status=2)
    if given.document is not None and not is_document_id(given.document):
        raise CommandFailed(f"{given.document!r} can be no name of a document", status=2)
    if given.user is None and not given.dry_run:
        raise CommandFailed("say --as USER, who imports it", status=2)
    if given.user is not None and not is_id(given.user):
        raise CommandFailed(f"{given.user!r} is no id of a user", status=2)


# Etherpad.


def _import_etherpad(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return import_etherpad(given)


async def import_etherpad(given: argparse.Namespace) -> int:
    _check(given)
    with progress("reading") as on_progress:
        export = _read(given, on_progress)
    documents = [pad.document for pad in export.pads]
    chat = [] if given.no_chat else [message for pad in export.pads for message in pad.chat]
    told: dict[str, Any] = {**_told(documents), "messages": len(chat), "left": _left(export.left)}
    if not given.dry_run:
        async with open_node_for_command(settings_of(given)) as (_, services):
            if chat:
                # Messages are an owner's to import: seen before anything is written.
                await services.rooms.enter(given.room, given.user, Action.MANAGE)
            told |= await _bring(given, services, documents)
            for pad in export.pads:
                await _bring_around(given, services, pad)
    _print(given, told)
    return 0


def _read(given: argparse.Namespace, on_progress: OnProgress) -> Export:
    if given.file.stat().st_size > EXPORT_BYTES:
        raise CommandFailed(f"the file has more than {EXPORT_BYTES:,} bytes")
    try:
        return etherpad.read(
            given.file.read_bytes(),
            document=given.document,
            ignores_unknown=given.ignore_unknown,
            on_progress=on_progress,
        )
    except ClientError as error:
        raise CommandFailed(_why(error)) from None


def _why(error: ClientError) -> str:
    facts = ", ".join(f"{name} {on_one_line(str(value))}" for name, value in error.facts.items())
    return f"nothing was imported: {error.message}" + (f" ({facts})" if facts else "")


def _left(left: Left) -> dict[str, int]:
    return {
        "attributes": left.attributes,
        "replaced": left.replaced,
        "messages": left.chat,
        "unknown": left.unknown,
    }


async def _bring_around(given: argparse.Namespace, services: Services, pad: Pad) -> None:
    """What was saved, and what was said."""
    await services.document_imports.name(given.room, pad.document.document, pad.names, actor=given.user)
    if pad.chat and not given.no_chat:
        source = pad.document.provenance["source"]
        await services.imports.bring(given.room, source, pad.chat, actor=given.user)


# Git.


def _import_git(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return import_git(given)


async def import_git(given: argparse.Namespace) -> int:
    _check(given)
    history = await _read_repository(given)
    told = {
        **_told([history.document]),
        "tip": history.tip,
        "paths": history.paths,
        "left": {"merges": history.merges, "redated": history.redated},
    }
    if not given.dry_run:
        async with open_node_for_command(settings_of(given)) as (_, services):
            told |= await _bring(given, services, [history.document])
    _print(given, told)
    return 0


async def _read_repository(given: argparse.Namespace) -> FileHistory:
    differ = LibraryDiffer()
    try:
        with progress("reading") as on_progress:
            return await GitHistory(given.repository, differ).read(
                given.path,
                revision=given.revision,
                document=given.document,
                follows=given.follow,
                with_addresses=given.addresses,
                on_progress=on_progress,
            )
    except ClientError as error:
        raise CommandFailed(_why(error)) from None
    finally:
        await differ.close()


# Both.


async def _bring(
    given: argparse.Namespace, services: Services, documents: Sequence[BroughtDocument]
) -> dict[str, Any]:
    with progress("importing") as on_progress:
        try:
            outcome = await services.document_imports.bring(
                given.room, documents, actor=given.user, on_progress=on_progress
            )
        except ClientError as error:
            raise CommandFailed(_why(error)) from None
    return {"added": outcome.added, "known": outcome.known}


def _told(documents: Sequence[BroughtDocument]) -> dict[str, Any]:
    """What would come."""
    return {
        "documents": [
            {
                "document": each.document,
                "source": each.provenance["source"],
                "edits": len(each.edits),
                "code_points": len(each.text),
                "first": each.edits[0].written,
                "last": each.edits[-1].written,
                "authors": counted(edit.author for edit in each.edits),
            }
            for each in documents
        ]
    }


def _print(given: argparse.Namespace, told: dict[str, Any]) -> None:
    if given.json:
        print(orjson.dumps(told).decode())
        return
    for line in _lines(told, is_dry=given.dry_run):
        print(line)


_LEFT: Final = {
    "attributes": "revisions changed nothing but attributes (bold, lists), which are left behind",
    "replaced": "revisions have half characters, which stand as U+FFFD",
    "messages": "messages without text are left behind",
    "unknown": "keys of plugins are left behind",
    "merges": "edits are merges, as they are on the line of first parents",
    "redated": "commits are dated before the one that they follow, and count as of its moment",
}


def _lines(told: dict[str, Any], *, is_dry: bool) -> Iterable[str]:
    for document in told["documents"]:
        first, last = (f"{as_datetime(document[at]).astimezone():%Y-%m-%d %H:%M}" for at in ("first", "last"))
        yield f"{document['document']}: {document['edits']:,} edits from {first} to {last}, by"
        authors = list(document["authors"].items())
        for author, edits in authors[:AUTHORS_SHOWN]:
            yield f"  {edits:>8,}  {author}"
        if len(authors) > AUTHORS_SHOWN:
            yield f"            and {len(authors) - AUTHORS_SHOWN:,} others"
    if told.get("messages"):
        yield f"chat: {told['messages']:,} messages"
    for name, number in told["left"].items():
        if number:
            yield f"{number:,} {_LEFT[name]}"
    if is_dry:
        yield "nothing was written"
    else:
        known = f", {told['known']:,} were there already" if told["known"] else ""
        yield f"imported: {told['added']:,} edits{known}"
