"""Pads of Etherpad come into a room: with their past, all or nothing, by whoever may."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from application import document_imports, etherpad
from application.past.replay import Replay
from domain.document import Document
from domain.ids import document_stream
from domain.importing import BroughtDocument
from domain.instants import as_datetime
from infrastructure.postgres.replay_log import PostgresReplayLog
from projections.stage import Stage
from tests.etherpads import PadWriter, as_file, export, of_trace
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually

AT = 1_400_000_000_000


def a_pad(name: str = "notes") -> PadWriter:
    pad = PadWriter(name, "Welcome", at=AT)
    pad.author("a.ada", "Ada", "#4c75f0")
    pad.write("a.ada", AT + 60_000, "Hello\nworld")
    pad.write("a.ben", AT + 120_000, "Hello\nworld 😀")
    pad.save("Good")
    pad.say("a.ben", AT + 180_000, "nice")
    return pad


def bring(who: Somebody, room: str, data: bytes, query: str = "") -> Answer:
    return who.post(f"/api/rooms/{room}/imports/etherpad{query}", data)


def position(server: ServerThread) -> int:
    return server.call(server.server.node.history.position())


@pytest.fixture
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


@pytest.fixture
def room(ada: Somebody) -> str:
    return ada.make_room()


def the_document(name: str = "notes") -> BroughtDocument:
    return etherpad.read(export(a_pad(name))).pads[0].document


def test_a_pad_comes_with_authors_and_times(ada: Somebody, room: str) -> None:
    done = bring(ada, room, export(a_pad()))
    assert done.status == 200, done
    assert (done.json["added"], done.json["known"], done.json["messages"]) == (3, 0, 1)
    [told] = done.json["documents"]
    assert told["authors"] == {"Etherpad (system)": 1, "Ada (a.ada)": 1, "anonymous (a.ben)": 1}
    path = f"/api/rooms/{room}/documents/notes"
    assert ada.get(path).json["text"] == "Hello\nworld 😀\n"
    assert ada.get(path).json["modified"] == (AT + 120_000) * 1_000

    spans = ada.get(f"{path}/blame").json["spans"]
    assert {(span["author"], span["at"], span["cause"]) for span in spans} == {
        ("Etherpad (system)", AT * 1_000, "import"),
        ("Ada (a.ada)", (AT + 60_000) * 1_000, "import"),
        ("anonymous (a.ben)", (AT + 120_000) * 1_000, "import"),
    }
    then = ada.get(f"{path}?at=2014-05-13T16:54:30Z")
    assert (then.json["revision"], then.json["text"]) == (2, "Hello\nworld\n")
    assert ada.get(f"{path}?at=2014-05-13T16:00:00Z").status == 404
    assert ada.get(f"{path}?name=Good").json["revision"] == 3
    moment = ada.get(f"{path}/moment?position=7").json
    assert (moment["user"], moment["at"], moment["reference"]) == ("Ada (a.ada)", (AT + 60_000) * 1_000, "1")

    [said] = eventually(lambda: ada.get(f"/api/rooms/{room}/messages").json["messages"], bool)
    assert (said["author"], said["posted"], said["text"]) == (
        "anonymous (a.ben)",
        (AT + 180_000) * 1_000,
        "nice",
    )
    assert (said["imported"]["room"], said["imported"]["by"]) == ("etherpad:notes", ada.user)


def test_what_is_written_later_goes_on_from_there(ada: Somebody, room: str) -> None:
    bring(ada, room, export(a_pad()))
    path = f"/api/rooms/{room}/documents/notes"
    # Who has imported it has written none of it.
    ada.post(f"{path}/undo", {"user": ada.user})
    ada.post(f"{path}/undo", {"mine": True})
    assert ada.get(path).json["revision"] == 3
    undone = ada.post(f"{path}/undo", {"user": "anonymous (a.ben)"})
    assert undone.status == 200, undone
    now = ada.get(path).json
    assert now["text"] == "Hello\nworld\n"
    assert now["modified"] > (AT + 120_000) * 1_000
    assert ada.get(f"{path}?at=2014-05-13T16:56:00Z").json["text"] == "Hello\nworld 😀\n"


def test_it_counts_for_its_authors_in_their_time_and_as_one_line_here(ada: Somebody, room: str) -> None:
    bring(ada, room, export(a_pad()))
    counted = eventually(
        lambda: ada.get(f"/api/rooms/{room}/statistics?from=2014-05-13T00:00:00Z&to=2014-05-14T00:00:00Z"),
        lambda found: "Ada (a.ada)" in found.body.decode(),
    )
    assert counted.status == 200
    lines = eventually(
        lambda: ada.get(f"/api/rooms/{room}/activity?kind=imported").json["lines"],
        lambda found: len(found) == 2,
    )
    assert {line["user"] for line in lines} == {ada.user}
    assert any("imported notes: 3 edits" in line["line"] for line in lines)
    listed = eventually(
        lambda: ada.get(f"/api/rooms/{room}/documents").json["documents"],
        lambda found: found[-1]["revision"] == 3,
    )
    assert (listed[-1]["created"], listed[-1]["modified_by"]) == (AT * 1_000, "anonymous (a.ben)")


def test_the_same_again_adds_nothing_and_another_one_is_refused(
    server: ServerThread, ada: Somebody, room: str
) -> None:
    bring(ada, room, export(a_pad()))
    before = position(server)
    again = bring(ada, room, export(a_pad())).json
    assert (again["added"], again["known"]) == (0, 3)
    other = a_pad()
    other.write("a.ada", AT + 300_000, "changed")
    for data, query in ((export(other), ""), (export(a_pad()), "?document=main.md")):
        refused = bring(ada, room, data, query)
        assert (refused.status, refused.json["code"]) == (409, "E_CONFLICT")
    assert position(server) == before


def test_a_dry_run_and_a_broken_file_write_nothing(server: ServerThread, ada: Somebody, room: str) -> None:
    before = position(server)
    told = bring(
        ada, room, export(a_pad(), **{"comments:notes": {}}), "?dry_run=true&ignore_unknown=true"
    ).json
    assert (told["added"], told["documents"][0]["edits"], told["left"]["unknown"]) == (None, 3, 1)
    good, bad = a_pad("good"), a_pad("bad")
    records = json.loads(export(good, bad))
    del records["pad:bad:revs:1"]
    refused = bring(ada, room, as_file(records))
    assert (refused.status, refused.json["code"], refused.json["key"]) == (422, "E_IMPORT", "pad:bad:revs:1")
    assert bring(ada, room, b"\x1f\x8b" + bytes(1_000)).json["code"] == "E_IMPORT"
    assert position(server) == before
    assert ada.get(f"/api/rooms/{room}/documents/good").status == 404


def test_who_may_edit_may_bring_a_pad_and_owners_its_chat(server: ServerThread, ada: Somebody) -> None:
    ben, cleo = server.guest("Ben"), server.guest("Cleo")
    room = ada.make_room(**{ben.user: "editor", cleo.user: "commenter"})
    assert bring(cleo, room, export(a_pad())).status == 403
    ben.get("/api/me")
    before = position(server)  # they are known here by now
    assert bring(ben, room, export(a_pad())).status == 403
    assert position(server) == before
    assert bring(ben, room, export(a_pad()), "?chat=false").json["messages"] == 0


@pytest.fixture
def unfinished(server: ServerThread, ada: Somebody, room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of the pad that has ended after its second edit."""
    monkeypatch.setattr(document_imports, "PART_EDITS", 1)
    imports, brought = server.server.services.document_imports, the_document()

    def give_up(done: int, _: int) -> None:
        if done == 2:
            raise KeyError(done)

    with pytest.raises(KeyError):
        server.call(imports.bring(room, [brought], actor=ada.user, on_progress=give_up))
    found: Any = server.call(server.server.node.record.lives.get(document_stream(room, "notes")))
    assert isinstance(found, Document)
    assert (found.revision, found.is_whole) == (2, False)


@pytest.mark.usefixtures("unfinished")
def test_what_has_come_in_part_is_not_there_for_anybody(ada: Somebody, room: str) -> None:
    path = f"/api/rooms/{room}/documents/notes"
    assert [each["document"] for each in ada.get(f"/api/rooms/{room}/documents").json["documents"]] == [
        "main.md"
    ]
    for query in ("", "?revision=1", "?at=2014-05-13T16:54:30Z", "/blame", "/diff?from=0"):
        assert ada.get(f"{path}{query}").status == 404, query
    assert ada.post(f"{path}/restore", {"revision": 1}).status == 404
    assert ada.post(f"/api/rooms/{room}/documents", {"document": "notes"}).status == 409


@pytest.mark.usefixtures("unfinished")
def test_an_import_that_has_ended_half_way_is_finished_by_doing_it_again(ada: Somebody, room: str) -> None:
    done = bring(ada, room, export(a_pad())).json
    assert (done["added"], done["known"]) == (1, 2)
    assert ada.get(f"/api/rooms/{room}/documents/notes").json["text"] == "Hello\nworld 😀\n"


def test_a_long_session_is_imported_and_blamed(ada: Somebody, room: str) -> None:
    pad, text = of_trace("clownschool", 3_000)
    assert bring(ada, room, export(pad)).json["added"] == 3_001
    path = f"/api/rooms/{room}/documents/clownschool"
    assert ada.get(path).json["text"] == text
    authors = {span["author"] for span in ada.get(f"{path}/blame?by=author").json["spans"]}
    assert authors == {"Agent 0 (a.0)", "Agent 2 (a.2)", "Etherpad (system)"}


def test_chat_that_came_from_a_pad_goes_on_into_other_rooms(ada: Somebody, room: str) -> None:
    bring(ada, room, export(a_pad()))
    exported = eventually(
        lambda: ada.get(f"/api/rooms/{room}/messages/export?format=json").json,
        lambda found: found["messages"],
    )
    other = ada.make_room()
    assert ada.post(f"/api/rooms/{other}/messages/import", exported).json == {"added": 1, "known": 0}


async def shown(
    server: ServerThread, room: str, since: datetime | None = None
) -> dict[str, tuple[str, bool]]:
    """The texts at the end of a replay, each with whether it is listed."""
    replay = Replay(PostgresReplayLog(server.server.node.database), Stage, now=server.server.services.now)
    begun = await replay.begin(room, since)
    async for step in replay.steps(
        room, as_datetime(begun.since), as_datetime(begun.until), after=begun.place
    ):
        for recorded in step.events:
            begun.stage.take(recorded.position, recorded.event)
    return {name: (str(each.text), each.is_listed) for name, each in begun.stage.documents.items()}


def test_a_replay_shows_the_import_when_it_was_done_from_wherever_it_begins(
    server: ServerThread, ada: Somebody, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_imports, "PART_EDITS", 1)
    bring(ada, room, export(a_pad()))
    ada.post(f"/api/rooms/{room}/documents/notes/undo", {"user": "anonymous (a.ben)"})
    recorded = server.call(server.server.node.history.recorded(document_stream(room, "notes")))
    for since in (None, recorded[1].event.timestamp, recorded[3].event.timestamp):
        found = server.call(shown(server, room, since))
        assert found == {"main.md": ("", True), "notes": ("Hello\nworld\n", True)}, since
