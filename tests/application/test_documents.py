"""Documents as use cases: what is asked of the log, and what happens when something fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import application.documents
from application.documents import CATCH_UP_REVISIONS, Documents, digest
from application.log import Recorded
from application.rooms import BEHIND_SECONDS, Rooms
from domain.aggregate import Snapshot
from domain.document import CLIENTS_REMEMBERED, Document, Edit, EditApplied, HistoryNeeded
from domain.errors import (
    Contended,
    IdReused,
    NotFound,
    RevisionAhead,
    RevisionTooOld,
    SequenceGap,
    StoreUnavailable,
)
from domain.ids import document_stream, room_stream
from domain.rights import Role
from domain.room import DocumentListed
from domain.text_op import Op
from tests.application.fakes import FakeNode, FakeStore
from tests.domain.events import NOON
from tests.domain.strategies import Change, changes

STREAM = document_stream("demo", "main.md")


class Place:
    """The use cases of one node whose store commits by itself."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.node = FakeNode(store)
        self.node.commits_by_itself = True
        self.rooms = Rooms(self.node.lives, now=self.node.clock.now)
        self.documents = Documents(self.node.lives, store, self.rooms, now=self.node.clock.now)

    async def edit(self, client: str, seq: int, base: int, op: Op) -> Sequence[Recorded]:
        return await self.documents.edit("demo", "main.md", an_edit(client, seq, base, op), actor=client)

    async def text(self) -> str:
        return str((await self.documents.get("demo", "main.md")).text)


def an_edit(client: str, seq: int, base: int, op: Op) -> Edit:
    return Edit(client, seq, base, op, digest(base, op))


@pytest.fixture
async def place() -> Place:
    """A node with the room "demo", in which everybody may edit."""
    place = Place(FakeStore())
    await place.rooms.open("demo", "Demo", actor="Ada", everyone=Role.EDITOR)
    return place


def topics(store: FakeStore) -> list[str]:
    return [recorded.event.TOPIC for recorded in store.log]


# Creating.


async def test_a_document_is_listed_before_it_is_created(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    assert topics(place.store) == ["room.opened", "room.document_listed", "document.created"]
    assert (document.name, document.revision, document.version) == ("main.md", 0, 1)
    assert list((await place.rooms.get("demo")).documents) == ["main.md"]


async def test_a_document_is_created_once(place: Place) -> None:
    first = await place.documents.create("demo", "main.md", actor="Ada")
    events = len(place.store.log)
    assert await place.documents.create("demo", "main.md", actor="Ben") is first
    assert len(place.store.log) == events


async def test_two_who_create_it_at_once_get_the_same(place: Place) -> None:
    both = await asyncio.gather(
        place.documents.create("demo", "main.md", actor="Ada"),
        place.documents.create("demo", "main.md", actor="Ben"),
    )
    assert both[0] is both[1]
    assert topics(place.store).count("document.created") == 1


async def test_what_a_crash_left_listed_only_is_created_by_the_next_who_asks(place: Place) -> None:
    await place.rooms.list_document("demo", "main.md", actor="Ada")
    await place.documents.create("demo", "main.md", actor="Ben")
    assert topics(place.store) == ["room.opened", "room.document_listed", "document.created"]


async def test_a_document_needs_a_room(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.documents.create("nowhere", "main.md", actor="Ada")
    assert topics(place.store) == ["room.opened"]


async def test_a_document_that_is_not_there_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.documents.get("demo", "none.md")
    assert place.documents.find("demo", "none.md") is None
    with pytest.raises(NotFound):
        await place.edit("ada", 1, 0, ["x"])


async def test_a_document_in_memory_is_found_at_once(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    assert place.documents.find("demo", "main.md") is document
    [listed] = [r.event for r in place.store.log if isinstance(r.event, DocumentListed)]
    assert listed.document == "main.md"


# Editing.


async def test_an_edit_is_decided_before_the_call_returns_when_its_document_is_in_memory(
    place: Place,
) -> None:
    await place.documents.create("demo", "main.md", actor="Ada")
    done = place.documents.edit("demo", "main.md", an_edit("ada", 1, 0, ["x"]), actor="Ada", cause="import")
    assert len(place.node.waiting) == 1
    [recorded] = await done
    assert isinstance(recorded.event, EditApplied)
    assert (recorded.event.op, recorded.event.cause, recorded.event.actor) == (["x"], "import", "Ada")
    assert recorded.event.digest == digest(0, ["x"])


async def test_an_error_is_told_at_once(place: Place) -> None:
    await place.documents.create("demo", "main.md", actor="Ada")
    done = place.documents.edit("demo", "main.md", an_edit("ada", 2, 0, ["x"]), actor="Ada")
    assert isinstance(done.exception(), SequenceGap)


async def test_an_edit_of_a_document_that_is_not_in_memory_waits_for_it(place: Place) -> None:
    await place.documents.create("demo", "main.md", actor="Ada")
    elsewhere = Place(place.store)
    [recorded] = await elsewhere.edit("ada", 1, 0, ["x"])
    assert recorded.position == place.store.log[-1].position
    assert await elsewhere.text() == "x"


async def a_place_with_a_past(place: Place, revisions: int) -> Place:
    """Another node that knows the room, and the document from a snapshot: its window is empty."""
    await place.documents.create("demo", "main.md", actor="Ada")
    for number in range(revisions):
        await place.edit("ada", number + 1, number, [f"{number};"])
    elsewhere = Place(place.store)
    await elsewhere.rooms.get("demo")
    await elsewhere.documents.get("demo", "main.md")
    forget_window(elsewhere)
    return elsewhere


def forget_window(place: Place) -> None:
    """Put the document of a node into the state that a snapshot would have given it."""
    [live] = [live for live in place.node.lives if live.stream == STREAM]
    live.committed = Snapshot.take(live.committed).mutate(None)
    live.head = Snapshot.take(live.committed).mutate(None)


async def test_an_edit_with_an_old_base_gets_its_history_from_the_log(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 4)
    [recorded] = await elsewhere.edit("ben", 1, 1, [2, "!"])
    assert isinstance(recorded.event, EditApplied)
    assert (recorded.event.op, recorded.event.revision) == ([8, "!"], 5)
    assert await elsewhere.text() == "3;2;1;0;!"


async def test_an_edit_gets_its_history_also_when_its_room_has_to_be_read_first(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 4)
    [room] = [live for live in elsewhere.node.lives if live.stream == room_stream("demo")]
    elsewhere.node.lives.forget(room)
    [recorded] = await elsewhere.edit("ben", 1, 1, [2, "!"])
    assert isinstance(recorded.event, EditApplied)
    assert recorded.event.op == [8, "!"]


async def test_edits_that_arrive_while_history_is_read_are_not_passed_over(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 4)
    place.store.hold_reads()
    done = elsewhere.documents.edit("demo", "main.md", an_edit("ben", 1, 1, [2, "!"]), actor="Ben")
    await asyncio.sleep(0)
    late = elsewhere.documents.edit("demo", "main.md", an_edit("cem", 1, 4, ["?"]), actor="Cem")
    await late
    forget_window(elsewhere)
    place.store.release_reads()
    await done
    assert await elsewhere.text() == "?3;2;1;0;!"


async def test_an_edit_with_an_old_base_fails_when_the_log_cannot_be_read(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 2)
    place.store.failing_reads = 1
    with pytest.raises(StoreUnavailable):
        await elsewhere.edit("ben", 1, 0, ["x"])


# Clients that a document has forgotten.


async def a_crowded_place() -> Place:
    """One whose document has forgotten its first client, "c0", whose one edit was "0;" on revision 0."""
    place = Place(FakeStore())
    await place.rooms.open("demo", "Demo", actor="Ada", everyone=Role.EDITOR)
    document = await place.documents.create("demo", "main.md", actor="Ada")
    for number in range(CLIENTS_REMEMBERED + 1):
        document.edit(an_edit(f"c{number}", 1, number, [f"{number};"]), actor="Ada", at=NOON)
    edits = [event for event in document.collect_events() if isinstance(event, EditApplied)]
    assert not place.store.append(edits).refused
    return Place(place.store)


async def test_the_resend_of_a_forgotten_client_has_no_second_effect() -> None:
    place = await a_crowded_place()
    events = len(place.store.log)
    assert await place.edit("c0", 1, 0, ["0;"]) == ()
    with pytest.raises(IdReused):
        await place.edit("c0", 1, 0, ["other"])
    with pytest.raises(SequenceGap):
        await place.edit("c0", 3, 0, ["x"])
    assert len(place.store.log) == events


async def test_a_forgotten_client_goes_on_where_it_was() -> None:
    place = await a_crowded_place()
    document = await place.documents.get("demo", "main.md")
    assert await place.documents.last_seq(document, "c0") == 1
    assert len(await place.edit("c0", 2, document.revision, ["again;"])) == 1
    assert (await place.text()).startswith("again;")


async def test_a_new_client_of_a_crowded_document_begins_at_one() -> None:
    place = await a_crowded_place()
    document = await place.documents.get("demo", "main.md")
    assert await place.documents.last_seq(document, "new") == 0
    assert len(await place.edit("new", 1, document.revision, ["new;"])) == 1


async def test_the_last_number_of_a_client_is_known_without_reading_where_none_is_forgotten(
    place: Place,
) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    await place.edit("ada", 1, 0, ["x"])
    reads = place.store.reads
    assert await place.documents.last_seq(document, "ada") == 1
    assert await place.documents.last_seq(document, "ben") == 0
    assert place.store.reads == reads


# Catching up.


def revisions(edits: Sequence[EditApplied]) -> list[int]:
    return [edit.revision for edit in edits]


async def test_catching_up_gives_the_edits_in_between(place: Place) -> None:
    await a_place_with_a_past(place, 3)
    document = await place.documents.get("demo", "main.md")
    assert revisions(await place.documents.catch_up(document, 1)) == [2, 3]
    assert revisions(await place.documents.catch_up(document, 3)) == []


async def test_what_is_not_in_memory_is_caught_up_with_from_the_log(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 3)
    document = await elsewhere.documents.get("demo", "main.md")
    place.store.hold_reads()
    catching_up = asyncio.ensure_future(elsewhere.documents.catch_up(document, 1))
    await asyncio.sleep(0)
    await elsewhere.edit("ben", 1, 3, ["x"])  # until where it stands on return
    place.store.release_reads()
    assert revisions(await catching_up) == [2, 3, 4]


async def test_a_client_that_is_ahead_is_refused(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    with pytest.raises(RevisionAhead) as refused:
        await place.documents.catch_up(document, 1)
    assert refused.value.facts == {"revision": 0}


async def test_a_client_that_another_node_has_told_more_is_not_ahead(place: Place) -> None:
    elsewhere = Place(place.store)
    document = await place.documents.create("demo", "main.md", actor="Ada")
    await elsewhere.documents.get("demo", "main.md")
    await elsewhere.edit("ada", 1, 0, ["a"])
    with pytest.raises(Contended) as refused:
        await place.documents.catch_up(document, 1)
    assert refused.value.facts == {"retry_after": BEHIND_SECONDS}
    place.node.feed()
    assert await place.documents.catch_up(document, 1) == []


async def test_a_node_that_catches_up_meanwhile_does_not_send_its_client_away(place: Place) -> None:
    elsewhere = Place(place.store)
    document = await place.documents.create("demo", "main.md", actor="Ada")
    await elsewhere.documents.get("demo", "main.md")
    await elsewhere.edit("ada", 1, 0, ["a"])
    place.store.hold_reads()
    catching_up = asyncio.ensure_future(place.documents.catch_up(document, 1))
    await asyncio.sleep(0)
    place.node.feed()
    place.store.release_reads()
    assert await catching_up == []


async def test_a_client_may_be_so_far_behind_and_no_further(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    for number in range(CATCH_UP_REVISIONS + 1):
        document.edit(an_edit("ada", number + 1, number, ["x"]), actor="Ada", at=NOON)
    assert len(await place.documents.catch_up(document, 1)) == CATCH_UP_REVISIONS
    with pytest.raises(RevisionTooOld) as refused:
        await place.documents.catch_up(document, 0)
    assert refused.value.facts == {"revision": CATCH_UP_REVISIONS + 1}


async def test_a_page_of_edits_ends_where_it_was_asked_to(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 5)
    for where in (place, elsewhere):
        document: Document = await where.documents.get("demo", "main.md")
        assert revisions(await where.documents.edits_between(document, 1, 3)) == [2, 3]
        assert revisions(await where.documents.edits_between(document, 5, 5)) == []


async def test_a_page_behind_its_end_is_empty(place: Place) -> None:
    await a_place_with_a_past(place, 5)
    document = await place.documents.get("demo", "main.md")
    assert revisions(await place.documents.edits_between(document, 4, 2)) == []
    with pytest.raises(HistoryNeeded):
        document.edits_since(-1)


# Digests.


def test_a_digest_tells_bases_and_ops_apart_and_is_always_the_same() -> None:
    """It is stored with every edit: another one for the same content would make resends fail."""
    assert digest(4, [1, "é", {"d": 2}]) == "69706c9d59bdb792"
    ops: list[Op] = [[], ["1"], [1, "1"], [{"d": 1}]]
    assert len({digest(base, op) for base in (0, 1) for op in ops}) == 8


# Positions in a text of some time ago.


def moved_by_hand(position: int, op: Op) -> int:
    """Where a mark is after an op that is gone through character by character. The mark stands right behind
    the characters before it, so that what is inserted there comes behind the mark.
    """
    read = written = 0
    marked = 0 if position == 0 else None
    for component in op:
        if isinstance(component, str):
            written += len(component)
            continue
        is_kept = isinstance(component, int)
        length = component if isinstance(component, int) else component["d"]
        for _ in range(length if isinstance(length, int) else len(length)):
            read += 1
            written += is_kept
            if read == position:
                marked = written
    return written + position - read if marked is None else marked


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Edits, each on the text that the one before it made."""
    found = [draw(changes(before=""))]
    for _ in range(draw(st.integers(1, 6))):
        found.append(draw(changes(before=found[-1].after)))
    return [change for change in found if change.op]


@given(histories(), st.integers(0, 7))
async def test_a_position_is_where_a_mark_would_be_that_all_edits_moved(
    history: list[Change], in_window: int
) -> None:
    place, elsewhere = Place(FakeStore()), None
    await place.rooms.open("demo", "Demo", actor="ada")
    document = await place.documents.create("demo", "main.md", actor="ada")
    for revision, change in enumerate(history):
        if revision == in_window:
            elsewhere = Place(place.store)
            await elsewhere.documents.get("demo", "main.md")
            forget_window(elsewhere)
        await place.edit("ada", revision + 1, revision, change.op)
    texts = ["", *(change.after for change in history)]
    expected = [list(range(len(text) + 1)) for text in texts]
    for revision, change in enumerate(history):
        for earlier in expected[: revision + 1]:
            earlier[:] = [moved_by_hand(position, change.op) for position in earlier]
    for revision, text in enumerate(texts):
        marks = range(len(text) + 1)
        assert await place.documents.moved(document, revision, marks) == (len(history), expected[revision])
        assert place.documents.moved_in_window(document, revision, marks) == expected[revision]
    if elsewhere is not None:
        await is_moved_from_the_log(elsewhere, expected, in_window)


async def is_moved_from_the_log(elsewhere: Place, expected: list[list[int]], window_start: int) -> None:
    """A node that has no more than the edits after `window_start` in memory finds the same."""
    elsewhere.node.feed()
    document = await elsewhere.documents.get("demo", "main.md")
    assert document.window_start == window_start
    for revision, positions in enumerate(expected):
        marks = range(len(positions))
        assert await elsewhere.documents.moved(document, revision, marks) == (document.revision, positions)
        if revision < window_start:
            with pytest.raises(HistoryNeeded):
                elsewhere.documents.moved_in_window(document, revision, marks)


async def test_no_position_is_behind_the_end_of_the_text(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    await place.edit("ada", 1, 0, ["four"])
    assert await place.documents.moved(document, 1, [2, 4, 5, 10**9]) == (1, [2, 4, 4, 4])
    await place.edit("ada", 2, 1, [{"d": 3}])
    assert await place.documents.moved(document, 1, [10**9, 4, 2]) == (2, [1, 1, 0])
    assert await place.documents.moved(document, 0, [10**9]) == (2, [1])


async def test_positions_are_moved_while_the_window_moves_on(place: Place) -> None:
    elsewhere = await a_place_with_a_past(place, 3)
    document = await elsewhere.documents.get("demo", "main.md")
    place.store.hold_reads()
    moving = asyncio.ensure_future(elsewhere.documents.moved(document, 1, [2]))
    await asyncio.sleep(0)
    await elsewhere.edit("ben", 1, 3, ["!"])
    document.window.clear()
    place.store.release_reads()
    assert await moving == (4, [7])  # "0;|" was put behind "1;" and "2;" and "!"
    assert (await elsewhere.text())[:7] == "!2;1;0;"


async def test_positions_of_a_text_that_is_not_written_yet_are_refused(place: Place) -> None:
    document = await place.documents.create("demo", "main.md", actor="Ada")
    with pytest.raises(RevisionAhead) as refused:
        await place.documents.moved(document, 1, [0])
    assert refused.value.facts == {"revision": 0}
    with pytest.raises(RevisionAhead):
        place.documents.moved_in_window(document, 1, [0])


async def test_positions_of_a_text_of_long_ago_are_refused_without_reading(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.documents, "HISTORY_REVISIONS", 2)
    elsewhere = await a_place_with_a_past(place, 3)
    document = await elsewhere.documents.get("demo", "main.md")
    assert await elsewhere.documents.moved(document, 1, [2]) == (3, [6])
    reads = place.store.reads
    with pytest.raises(RevisionTooOld) as refused:
        await elsewhere.documents.moved(document, 0, [0])
    assert refused.value.facts == {"revision": 3}
    assert place.store.reads == reads
