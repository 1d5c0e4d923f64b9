"""Edits that are decided here, on the present text of a document: undo, restore, merge."""

from __future__ import annotations

import copy
from typing import Final, Protocol, cast

from application.documents import Documents
from application.live import LiveAggregates
from application.log import History, Recorded
from application.rooms import guard
from domain.document import ClientForgotten, Document, EditApplied, HistoryNeeded, LastEdit
from domain.errors import Contended, LostRace, NotFound
from domain.ids import document_stream
from domain.rights import Action

# Reading takes longer than others need for an edit only when there is very much to read; then it is read on
# from where it was.
ATTEMPTS: Final = 5

RETRY_AFTER_SECONDS: Final = 0.5


class Outrun(LostRace):
    """What was read is not enough for the text that there is by now. A question to whoever reads."""

    code = "E_BUSY"


class Decision(Protocol):
    """What is to be done to a document. May be decided again and again."""

    async def read(self, document: Document) -> None:
        """Read what deciding on `document`, or what it has become by then, needs from the log."""
        ...

    def decide(self, head: Document, last: LastEdit | None) -> None:
        """Call `head.revise`, or do nothing. Raises `HistoryNeeded`, `Outrun` when it needs more than was
        read.
        """
        ...


class Revising:
    def __init__(self, lives: LiveAggregates, history: History, documents: Documents) -> None:
        self._lives = lives
        self._history = history
        self._documents = documents

    async def submit(
        self, room: str, document: str, decision: Decision, *, actor: str, is_guarded: bool = True
    ) -> Recorded | None:
        """Do it, for `actor`: the committed edit, None when there was nothing to do. Without `is_guarded` it
        is for somebody who needs no right in the room.

        Raises what `decision` raises, `NotFound`, `Forbidden`, `Contended`, `Overloaded`, `StoreUnavailable`.
        """
        stream = document_stream(room, document)
        last: LastEdit | None = None
        last_until = 0

        def decide(head: Document | None) -> Document:
            if head is None:
                raise NotFound("there is no such document")
            decision.decide(head, last if head.remembers_all_since(last_until) else None)
            return head

        for _ in range(ATTEMPTS):
            present = await self._documents.get(room, document)
            await decision.read(present)
            try:
                may_edit = guard(room, actor, Action.EDIT) if is_guarded else None
                done = await self._lives.submit(stream, decide, guard=may_edit)
            except (Outrun, HistoryNeeded):
                continue
            except ClientForgotten as needed:
                last_until = present.revision
                found = await self._history.find_last_edit(stream, needed.client)
                last = found or LastEdit(0, 0, "")
                continue
            return done[0] if done else None
        raise Contended("others were faster again and again", retry_after=RETRY_AFTER_SECONDS)


class Rehearsing(Revising):
    """Decides as `Revising` does, and leaves it at that: the edit that it gives is in no log."""

    async def submit(
        self, room: str, document: str, decision: Decision, *, actor: str, is_guarded: bool = True
    ) -> Recorded | None:
        for _ in range(ATTEMPTS):
            present = await self._documents.get(room, document)
            await decision.read(present)
            head = copy.copy(present)
            try:
                decision.decide(head, LastEdit(0, 0, ""))
            except (Outrun, HistoryNeeded):
                continue
            events = head.collect_events()
            return Recorded(0, cast("EditApplied", events[0])) if events else None
        raise Contended("others were faster again and again", retry_after=RETRY_AFTER_SECONDS)


def edit_of(recorded: Recorded) -> EditApplied:
    """The edit that was submitted here."""
    assert isinstance(recorded.event, EditApplied)
    return recorded.event
