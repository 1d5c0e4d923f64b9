"""Documents that had a past elsewhere come into a room with it: all of it, or nothing that anybody sees.

What is to come has been read and checked before (`etherpad`, a repository). It goes the way of all edits:
document by document, a few dozen edits at a time, each part decided and committed before the next one, so
that what others write in the meantime waits for one part at most. The document says from its first event
how many edits it will have, and until it has had them it is not there: nobody can read it, edit it, or make
one of its name. Only then is it put into the room's list.

An import that has ended half-way is finished by doing it again: what has come is known by its digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from application.brought import OnProgress
from application.live import Guard, LiveAggregates
from application.revisions import Revisions
from application.rooms import Rooms, guard
from domain.document import Document
from domain.errors import Conflict, LostRace, NotFound, RoomFull, StoreUnavailable
from domain.ids import document_stream, room_stream
from domain.importing import BroughtDocument, BroughtEdit
from domain.limits import DOCUMENTS_PER_ROOM
from domain.rights import Action
from domain.room import Room
from domain.text_op import Delete

# Edits that are decided and committed together: some milliseconds, and a fraction of a batch of the log.
PART_EDITS: Final = 64

# Of large ones fewer: about as long as their text takes to be encoded.
PART_CODE_POINTS: Final = 128 * 1024

# How often a part is tried again that met a full queue or a store that was away. The log comes back within a
# second or so after a crash; who waits longer can do it again.
ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many edits are new, and how many were there already."""

    added: int
    known: int


class DocumentImports:
    def __init__(
        self,
        lives: LiveAggregates,
        rooms: Rooms,
        revisions: Revisions,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._lives = lives
        self._rooms = rooms
        self._revisions = revisions
        self._now = now

    async def check(self, room: str, brought: Sequence[BroughtDocument], *, actor: str) -> int:
        """See that nothing stands in the way. Returns how many of the edits are there already.

        Raises `NotFound`, `Forbidden`, `Conflict` for a document that is another one, `RoomFull`,
        `StoreUnavailable`.
        """
        found = await self._rooms.enter(room, actor, Action.EDIT)
        names = [document.document for document in brought]
        if len(set(names)) != len(names):
            raise Conflict("two of them would be one document")
        if len(found.documents.keys() | set(names)) > DOCUMENTS_PER_ROOM:
            raise RoomFull("the room has as many documents as a room can have", limit=DOCUMENTS_PER_ROOM)
        known = 0
        for document in brought:
            there = await self._find(room, document)
            if there is None and document.document in found.documents:
                raise Conflict("the room has a document of this name", document=document.document)
            known += 0 if there is None else min(there.revision, len(document.edits))
        return known

    async def bring(
        self,
        room: str,
        brought: Sequence[BroughtDocument],
        *,
        actor: str,
        on_progress: OnProgress = lambda done, end: None,
    ) -> Outcome:
        """Bring documents into `room`. What has been brought before stays as it is.

        Raises what `check` raises, before anything is written; `Forbidden`, `Contended`, `Overloaded`,
        `StoreUnavailable` perhaps in the middle: then the same once more brings the rest.
        """
        known = await self.check(room, brought, actor=actor)
        edits, done = sum(len(document.edits) for document in brought), 0
        for document in brought:
            await self._begin(room, document, actor)
            await self._bring(room, document, actor, partial(_add, on_progress, done, edits))
            done += len(document.edits)
        for document in brought:
            await self._rooms.list_document(room, document.document, actor=actor)
        return Outcome(edits - known, known)

    async def name(self, room: str, document: str, names: Mapping[str, int], *, actor: str) -> None:
        """Give revisions the names that they had."""
        for name, revision in names.items():
            if revision:
                done = await self._revisions.save(room, document, revision, name=name, actor=actor)
                await done

    async def _find(self, room: str, brought: BroughtDocument) -> Document | None:
        """What there is of it. Raises `Conflict` for something else."""
        there = await self._lives.get(document_stream(room, brought.document))
        if there is None:
            return None
        assert isinstance(there, Document)
        if not _is_same(there, brought):
            raise Conflict("the room has a document of this name", document=brought.document)
        return there

    async def _begin(self, room: str, brought: BroughtDocument, actor: str) -> None:
        def decide(head: Document | None) -> Document:
            if head is None:
                return Document.begin_import(
                    room, brought.document, brought.provenance, actor=actor, at=self._now()
                )
            if not _is_same(head, brought):
                raise Conflict("the room has a document of this name", document=brought.document)
            return head

        if await self._find(room, brought) is None:
            unlisted = _unlisted(room, brought.document, actor)
            await self._submitted(room, brought.document, decide, unlisted)

    async def _bring(
        self, room: str, brought: BroughtDocument, actor: str, on_progress: Callable[[int], None]
    ) -> None:
        there = await self._find(room, brought)
        assert there is not None
        may_edit = guard(room, actor, Action.EDIT)
        for first, part in _parts(brought.edits, there.revision):

            def decide(
                head: Document | None, first: int = first, part: Sequence[BroughtEdit] = part
            ) -> Document:
                if head is None:
                    raise NotFound("there is no such document")
                head.bring(part, first, actor=actor, at=self._now())
                return head

            await self._submitted(room, brought.document, decide, may_edit)
            on_progress(first + len(part) - 1)

    async def _submitted(
        self, room: str, document: str, decide: Callable[[Document | None], Document], allowed: Guard
    ) -> None:
        stream, attempts = document_stream(room, document), 0
        while True:
            try:
                await self._lives.submit(stream, decide, guard=allowed)
            except (LostRace, StoreUnavailable) as error:
                attempts += 1
                if attempts == ATTEMPTS:
                    raise
                await asyncio.sleep(float(error.facts.get("retry_after") or 0.5))
            else:
                return


def _add(on_progress: OnProgress, before: int, all_of_them: int, done: int) -> None:
    on_progress(before + done, all_of_them)


def _is_same(there: Document, brought: BroughtDocument) -> bool:
    """Whether it is this very import, whole or not."""
    known = there.imported
    return known is not None and (known["source"], known["digest"]) == (
        brought.provenance["source"],
        brought.provenance["digest"],
    )


def _unlisted(room: str, document: str, actor: str) -> Guard:
    """That the room has no document of this name, now and when the first event of this one is appended."""
    may_edit = guard(room, actor, Action.EDIT)

    def check(found: Room | None) -> None:
        may_edit.check(found)
        assert found is not None
        if document in found.documents:
            raise Conflict("the room has a document of this name", document=document)

    return Guard(room_stream(room), actor, check)


def _parts(edits: Sequence[BroughtEdit], done: int) -> Iterator[tuple[int, Sequence[BroughtEdit]]]:
    """The edits behind the first `done`, a few at a time, each time with the revision of the first."""
    part: list[BroughtEdit] = []
    first, size = done + 1, 0
    for edit in edits[done:]:
        part.append(edit)
        size += sum(_length(each) for each in edit.op)
        if len(part) == PART_EDITS or size >= PART_CODE_POINTS:
            yield first, part
            first, part, size = first + len(part), [], 0
    if part:
        yield first, part


def _length(component: int | str | Delete) -> int:
    match component:
        case int():
            return 1
        case str():
            return len(component)
        case _:
            return len(str(component["d"]))
