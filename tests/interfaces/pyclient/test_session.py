"""A client's side of a room, in frames: what is pushed to it, what it sends, what it tells."""

from __future__ import annotations

from typing import Any

import pytest

from domain import attendance
from domain.errors import OpInvalid
from domain.receipts import Pointers
from domain.text_op import Op
from interfaces.pyclient import chat, commands, notices
from interfaces.pyclient import session as session_module
from interfaces.pyclient.commands import LATE_SECONDS
from interfaces.pyclient.document_link import CURSOR_SECONDS
from interfaces.pyclient.errors import NotEditable, NotSaved
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.reading import GATHER_SECONDS, RECEIPT_SECONDS
from interfaces.pyclient.reconnect import Verdict
from interfaces.pyclient.replica import Cursor
from interfaces.pyclient.requests import RESEND_SECONDS, RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS
from interfaces.pyclient.session import SILENCE_SECONDS, WELCOME_SECONDS, ClientSession

Frame = dict[str, Any]

WELCOME: Frame = {
    "type": "welcome",
    "protocol": 1,
    "epoch": "e1",
    "position": 10,
    "resumed": False,
    "session": "s1",
    "node": "n1",
    "you": {"user": "ada-l", "role": "editor", "name": "Ada", "colour": "#4c75f0", "avatar": ""},
    "room": {"id": "room", "title": "Room", "everyone": None},
    "members": [{"user": "ada-l", "role": "editor"}, {"user": "ben-k", "role": "owner"}],
    "documents": ["main.md"],
    "people": {"ben-k": {"name": "Ben", "colour": "#1d920c", "avatar": ""}},
    "roster": [
        {
            "client": "ben",
            "session": "s-ben",
            "user": "ben-k",
            "since": 1,
            "status": "idle",
            "active": 1,
            "cursors": [],
            "typing": [],
        }
    ],
    "messages": [],
    "receipts": [],
    "heartbeat": {"interval": 25, "timeout": 8},
    "limits": {"frame_bytes": 65536, "op_components": 5000, "edits_per_second": None},
}


class Script:
    """A session and its scripted server: every frame is answered by hand."""

    def __init__(self, *, compose: bool = True) -> None:
        self.session = ClientSession("ada", compose=compose)
        self.now = 100.0
        self.ref = 0

    # The transport.

    def connect(self, **welcome: Any) -> None:
        self.session.on_connected(self.now)
        self.expect("hello")
        self.reply("welcome", **WELCOME | welcome)

    def cut(self, code: int | None = None) -> Verdict:
        return self.session.on_disconnected(self.now, code)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.session.on_time(self.now)

    def push(self, kind: str, **fields: Any) -> None:
        self.session.on_frame({"type": kind, **fields}, self.now)

    def reply(self, kind: str, **fields: Any) -> None:
        """Answer the last expected request."""
        if kind == "opened":
            fields = {"cursors": []} | fields
        self.session.on_frame({**fields, "type": kind, "ref": self.ref}, self.now)

    def refuse(self, code: str, **facts: Any) -> None:
        self.reply("error", code=code, message="no", **facts)

    def expect(self, kind: str, **fields: Any) -> Frame:
        """The session's next frame, the only one, is this."""
        frames = self.session.frames_to_send()
        assert len(frames) == 1, frames
        frame = frames[0]
        self.ref = frame.get("ref", self.ref)
        assert frame["type"] == kind, frame
        assert {key: frame.get(key) for key in fields} == fields
        return frame

    def expect_silence(self) -> None:
        assert self.session.frames_to_send() == []

    def told(self, kind: type[Notice]) -> list[Any]:
        """The notices of a kind since the last call; the others are dropped."""
        return [notice for notice in self.session.take_notices() if isinstance(notice, kind)]

    # What the user does.

    def open(self, text: str = "ab", revision: int = 4, seq: int = 0) -> None:
        self.session.open("main.md", self.now)
        self.expect("open", document="main.md", revision=None)
        self.reply("opened", document="main.md", revision=revision, seq=seq, text=text)

    def edit(self, op: Op) -> int:
        return self.session.edit("main.md", op, self.now)

    def event(self, kind: str, position: int, **fields: Any) -> Frame:
        return {"event": kind, "position": position, "actor": "Somebody", "at": 7} | fields

    def edited(self, revision: int, client: str, seq: int, op: Op) -> Frame:
        return self.event(
            "edit", 100 + revision, document="main.md", revision=revision, client=client, seq=seq, op=op
        )

    def push_edit(self, revision: int, client: str, seq: int, op: Op) -> None:
        self.push("events", position=100 + revision, events=[self.edited(revision, client, seq, op)])

    def is_saved(self) -> bool:
        return self.session.is_saved

    @property
    def text(self) -> str:
        return self.session.replica("main.md").text


def opened_script(**welcome: Any) -> Script:
    script = Script()
    script.connect(**welcome)
    script.open()
    script.session.take_notices()
    return script


# Coming in.


def test_hello_names_who_we_are_and_the_welcome_who_is_there() -> None:
    script = Script()
    session = script.session
    session.on_connected(script.now)
    hello = script.expect("hello", protocol=1, client="ada")
    assert "resume" not in hello
    script.reply("welcome", **WELCOME)
    assert session.status is Status.ONLINE
    assert session.roster == {"ben": "Ben"}
    assert session.documents == {"main.md"}
    statuses = [notice.status for notice in script.told(notices.StatusChanged)]
    assert statuses == [Status.GREETING, Status.ONLINE]


def test_a_document_asked_for_before_the_welcome_is_opened_with_it() -> None:
    script = Script()
    script.session.open("new.md", script.now, create=True)
    script.expect_silence()
    script.connect()
    script.expect("open", document="new.md", create=True)
    script.session.open("new.md", script.now)
    script.expect_silence()  # once is enough


def test_an_open_without_answer_is_sent_again() -> None:
    script = Script()
    script.connect()
    script.session.open("main.md", script.now)
    first = script.expect("open")
    script.wait(RESEND_SECONDS - 0.01)
    script.expect_silence()
    script.wait(0.01)
    assert script.expect("open")["ref"] != first["ref"]


def test_a_document_that_is_not_there_is_refused() -> None:
    script = Script()
    script.connect()
    script.session.open("none.md", script.now)
    script.expect("open")
    script.refuse("E_NOT_FOUND")
    assert script.told(notices.DocumentRefused) == [notices.DocumentRefused("none.md", "E_NOT_FOUND", "no")]
    with pytest.raises(NotEditable):
        script.session.edit("none.md", ["x"], script.now)
    script.session.open("none.md", script.now)  # perhaps by now
    script.expect("open", document="none.md")
    script.cut()
    script.session.open_afresh("none.md", script.now)
    script.expect_silence()


def test_a_document_that_was_never_opened_cannot_be_edited_or_read() -> None:
    script = Script()
    script.connect()
    with pytest.raises(NotEditable):
        script.edit(["x"])
    script.session.open("main.md", script.now)
    with pytest.raises(NotEditable):
        _ = script.text


def test_a_busy_server_is_asked_again_ever_more_slowly() -> None:
    script = Script()
    script.connect()
    script.session.open("main.md", script.now)
    pauses = []
    for _ in range(8):
        script.expect("open")
        script.refuse("E_BUSY")
        due = script.session.next_time()
        assert due is not None
        pauses.append(round(due - script.now, 3))
        script.wait(due - script.now)
    assert pauses[:3] == [RETRY_FIRST_SECONDS, 2 * RETRY_FIRST_SECONDS, 4 * RETRY_FIRST_SECONDS]
    assert pauses[-1] == RETRY_MOST_SECONDS


# Edits.


def test_an_edit_is_acknowledged_by_its_own_event() -> None:
    script = opened_script()
    number = script.edit([1, "X"])
    script.expect("edit", document="main.md", seq=1, base=4, op=[1, "X"])
    assert not script.is_saved()
    script.push_edit(5, "ada", 1, [1, "X"])
    assert script.told(notices.Acked) == [notices.Acked("main.md", 1, 5, number)]
    assert script.is_saved()
    script.wait(RESEND_SECONDS)
    script.expect_silence()


def test_the_next_edit_goes_out_with_the_ack_and_is_made_on_the_whole_frame() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.edit([2, "Y"])
    script.edit([3, "Z"])
    script.expect_silence()
    script.push(
        "events",
        position=106,
        events=[script.edited(5, "ada", 1, [1, "X"]), script.edited(6, "ben", 1, ["😀"])],
    )
    script.expect("edit", seq=2, base=6, op=[3, "YZ"])
    assert script.text == "😀aXYZb"


def test_somebody_s_edit_is_told_as_it_changes_our_text() -> None:
    script = opened_script()
    script.edit(["X"])
    script.push_edit(5, "ben", 1, [1, "Y"])
    assert script.told(notices.Edited) == [notices.Edited("main.md", 5, "ben", "Somebody", [2, "Y"], 7)]


def test_an_edit_without_ack_is_sent_again_as_it_was() -> None:
    script = opened_script()
    script.edit([1, "X"])
    first = script.expect("edit")
    script.push_edit(5, "ben", 1, ["before"])
    script.wait(RESEND_SECONDS)
    again = script.expect("edit", seq=1, base=4, op=[1, "X"])
    assert again["ref"] != first["ref"]
    script.push_edit(6, "ada", 1, [7, "X"])
    script.reply("ok", revision=6)  # the answer to the resend, when it has been overtaken
    script.expect_silence()
    assert script.is_saved()


def test_an_edit_said_to_be_stored_whose_event_does_not_come_is_looked_for() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.reply("ok", revision=5)
    script.wait(RETRY_FIRST_SECONDS)
    script.expect("open", revision=4)
    script.reply("opened", revision=5, seq=1, edits=[script.edited(5, "ada", 1, [1, "X"])])
    assert script.is_saved()
    script.expect_silence()


@pytest.mark.parametrize("code", ["E_BUSY", "E_RATE", "E_STORE"])
def test_an_edit_refused_for_now_is_sent_again_when_the_server_said(code: str) -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.refuse(code, retry_after=2.5)
    script.edit([2, "Y"])  # into the buffer: what was sent stays as it is
    script.wait(2.4)
    script.expect_silence()
    script.wait(0.1)
    script.expect("edit", seq=1, base=4, op=[1, "X"])


def test_an_ack_that_comes_while_waiting_to_try_again_ends_the_wait() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.refuse("E_STORE", retry_after=1)
    script.push_edit(5, "ada", 1, [1, "X"])
    script.wait(1)
    script.expect_silence()


def test_a_right_that_the_first_copy_of_an_edit_did_not_have_the_last_may_have() -> None:
    """Its number must not go to another edit while the last copy may yet be stored."""
    script = opened_script()
    script.edit([1, "X"])
    first = script.expect("edit")
    script.wait(RESEND_SECONDS)
    last = script.expect("edit", seq=1)
    script.ref = first["ref"]
    script.refuse("E_FORBIDDEN", role="viewer")
    script.expect_silence()
    assert script.told(notices.EditRefused) == []
    script.ref = last["ref"]
    script.refuse("E_FORBIDDEN", role="viewer")
    assert len(script.told(notices.EditRefused)) == 1
    assert script.is_saved()


def test_after_an_overtaken_refusal_an_edit_is_sent_again_if_nothing_is_heard() -> None:
    script = opened_script()
    script.edit([1, "X"])
    first = script.expect("edit")
    script.wait(RESEND_SECONDS)
    script.expect("edit")
    script.ref = first["ref"]
    script.refuse("E_FORBIDDEN", role="viewer")
    script.wait(RESEND_SECONDS)
    script.expect("edit", seq=1, op=[1, "X"])


@pytest.mark.parametrize("code", ["E_DOC_SIZE", "E_OP_SIZE", "E_TEXT", "E_FORBIDDEN"])
def test_an_edit_refused_for_good_is_taken_back_and_the_next_goes(code: str) -> None:
    script = opened_script()
    refused = script.edit([1, "X"])
    script.expect("edit", seq=1)
    script.edit([3, "Y"])
    script.refuse(code)
    assert script.told(notices.EditRefused) == [
        notices.EditRefused("main.md", code, "no", [1, "X"], [1, {"d": "X"}], range(refused, refused + 1))
    ]
    assert script.text == "abY"
    script.expect("edit", seq=1, base=4, op=[2, "Y"])


def test_an_edit_the_server_cannot_make_sense_of_strands_the_document() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.refuse("E_OP_INVALID")
    assert script.told(notices.UnsentText) == [
        notices.UnsentText("main.md", "aXb", [[1, "X"]], "E_OP_INVALID: no")
    ]
    with pytest.raises(NotEditable):
        script.edit(["more"])
    script.push_edit(5, "ben", 1, ["ignored"])
    assert script.text == "aXb"
    script.session.open_afresh("main.md", script.now)
    script.expect("open", revision=None)


def test_an_edit_whose_base_is_too_old_starts_from_a_newer_one_under_its_number() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.push_edit(5, "ben", 1, ["😀"])
    script.refuse("E_VERSION_OLD", revision=20_000)
    script.expect("edit", seq=1, base=5, op=[3, "X"])


def test_an_edit_whose_base_is_too_old_on_a_client_that_is_far_behind_catches_up_first() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.refuse("E_VERSION_OLD", revision=20_000)
    script.wait(RETRY_FIRST_SECONDS)
    script.expect("open", revision=4)


def test_an_edit_number_that_is_taken_is_compared_with_what_was_stored_under_it() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.refuse("E_ID_REUSED")
    script.wait(RETRY_FIRST_SECONDS)
    script.expect("open", revision=4)
    script.reply("opened", revision=5, seq=1, edits=[script.edited(5, "ada", 1, ["other"])])
    script.expect("edit", seq=2, base=5, op=[7, "X"])
    assert script.text == "otherabX"


def test_a_server_that_cannot_show_what_it_goes_by_is_asked_again_ever_more_slowly() -> None:
    script = opened_script()
    script.edit([2, "X"])
    pauses = []
    for _ in range(10):
        script.expect("edit", seq=1)
        script.refuse("E_ID_REUSED")
        due = script.session.next_time()
        assert due is not None
        pauses.append(round(due - script.now, 3))
        script.wait(due - script.now)
        script.expect("open", revision=4)
        script.reply("opened", revision=4, seq=0, edits=[])
    assert pauses[:3] == [RETRY_FIRST_SECONDS, 2 * RETRY_FIRST_SECONDS, 4 * RETRY_FIRST_SECONDS]
    assert pauses[-1] == RETRY_MOST_SECONDS
    script.expect("edit", seq=1)
    script.push_edit(5, "ada", 1, ["given up in a life before"])
    script.expect("edit", seq=2, base=5)


def test_a_missing_edit_is_asked_for() -> None:
    script = opened_script()
    script.push_edit(6, "ben", 2, ["later"])
    script.expect("open", revision=4)
    script.push_edit(7, "ben", 3, ["latest"])  # while we wait
    script.expect_silence()
    edits = [script.edited(revision, "ben", revision - 4, [str(revision)]) for revision in (5, 6, 7)]
    script.reply("opened", revision=7, seq=0, edits=edits)
    assert script.text == "765ab"
    script.push_edit(7, "ben", 3, ["7"])  # once more, late
    assert script.text == "765ab"


def test_an_op_that_does_not_fit_is_refused_at_once() -> None:
    script = opened_script()
    with pytest.raises(OpInvalid):
        script.edit([3, "x"])
    script.expect_silence()


def test_edits_keep_to_the_pace_that_the_server_names() -> None:
    script = opened_script(limits={"edits_per_second": 2})
    sent = []
    for seq in range(1, 6):
        script.edit([2, "x"])
        if not (frames := script.session.frames_to_send()):
            due = script.session.next_time()
            assert due is not None
            script.wait(due - script.now)
            frames = script.session.frames_to_send()
        sent.append(script.now)
        assert frames[0]["seq"] == seq
        script.push_edit(4 + seq, "ada", seq, [2, "x"])
    assert [time - 100.0 for time in sent] == [0, 0, 0.5, 1.0, 1.5]


def test_a_resend_keeps_to_the_pace_too() -> None:
    script = opened_script(limits={"edits_per_second": 0.1})
    script.edit([2, "x"])
    script.expect("edit")
    script.cut()
    script.connect(resumed=True)
    script.expect("open")
    script.reply("opened", revision=4, seq=0, edits=[])
    script.expect_silence()
    script.wait(10)
    assert [frame["type"] for frame in script.session.frames_to_send()] == ["edit"]


# Coming back.


def test_after_a_lost_connection_the_outstanding_edit_is_resent_as_it_was() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit", seq=1, base=4, op=[1, "X"])
    assert script.cut() is Verdict.RECONNECT
    script.edit([2, "Y"])
    script.expect_silence()
    script.session.on_connected(script.now)
    script.expect("hello", resume={"epoch": "e1", "position": 10})
    script.reply("welcome", **WELCOME | {"resumed": True, "position": 30})
    script.expect("open", document="main.md", revision=4)
    script.reply("opened", revision=5, seq=0, edits=[script.edited(5, "ben", 1, ["😀"])])
    script.expect("edit", seq=1, base=4, op=[1, "X"])
    script.push_edit(6, "ada", 1, [2, "X"])
    script.expect("edit", seq=2, base=6, op=[3, "Y"])
    assert script.text == "😀aXYb"


def test_an_edit_stored_before_the_connection_was_lost_is_acknowledged_by_opening() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    script.edit([2, "Y"])
    script.cut()
    script.connect(resumed=True)
    script.expect("open", revision=4)
    script.reply("opened", revision=5, seq=1, edits=[script.edited(5, "ada", 1, [1, "X"])])
    script.expect("edit", seq=2, base=5, op=[2, "Y"])


def test_what_was_asked_before_the_connection_was_lost_is_not_answered_after_it() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    late = script.ref
    script.cut()
    script.connect(resumed=True)
    script.expect("open")
    script.push("error", ref=late, code="E_DOC_SIZE", message="no")
    assert script.text == "aXb"


def test_nothing_is_sent_without_a_socket() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.session.do(commands.post("m1", "hi"), script.now)
    assert len(script.session.frames_to_send()) == 2
    script.cut()
    assert script.session.next_time() is None
    script.wait(RESEND_SECONDS)
    script.expect_silence()


def test_the_position_moves_on_only_with_the_events_themselves() -> None:
    script = opened_script()
    script.cut()
    script.connect(resumed=True, position=30)
    assert script.session.position == 10
    joined = script.event(
        "joined", 20, client="eve", session="s-eve", name="Eve", colour="#2284bf", avatar=""
    )
    script.push("events", position=30, events=[joined])
    assert script.session.position == 30
    assert script.told(notices.Joined) == [notices.Joined("eve", "Somebody", "Eve", 7)]
    script.push("events", position=30, events=[joined])
    assert script.told(notices.Joined) == []


def test_far_behind_with_nothing_unsaved_the_text_is_taken_anew() -> None:
    script = opened_script()
    script.session.cursor("main.md", 1, 1, script.now)
    script.expect("cursor")
    script.cut()
    script.connect()
    script.expect("open", revision=4)
    script.refuse("E_VERSION_OLD", revision=5000)
    script.expect("open", revision=None)
    script.reply("opened", revision=5000, seq=0, text="new")
    assert script.told(notices.DocumentReset) == [notices.DocumentReset("main.md", "ab", 5000)]
    assert script.text == "new"
    script.expect_silence()


def test_far_behind_with_something_unsaved_every_edit_between_is_read() -> None:
    script = opened_script()
    script.cut()
    script.edit([2, "mine"])
    script.connect()
    script.expect("open", revision=4)
    script.refuse("E_VERSION_OLD", revision=7)
    script.expect("catch_up", document="main.md", after=4, limit=1000)
    script.reply("edits", edits=[script.edited(5, "ben", 1, ["😀"]), script.edited(6, "ben", 2, ["6"])])
    script.expect("catch_up", after=6)
    script.refuse("E_BUSY", retry_after=0.2)
    script.wait(0.2)
    script.expect("catch_up", after=6)
    script.reply("edits", edits=[script.edited(7, "ben", 3, ["7"])])
    script.expect("open", revision=7)
    script.reply("opened", revision=7, seq=0, edits=[])
    script.expect("edit", seq=1, base=7, op=[5, "mine"])
    assert script.text == "76😀abmine"


def test_what_is_typed_while_a_new_text_is_on_its_way_is_not_lost_under_it() -> None:
    script = opened_script()
    script.cut()
    script.connect()
    script.expect("open", revision=4)
    script.refuse("E_VERSION_OLD", revision=5)
    script.expect("open", revision=None)
    script.edit([2, "mine"])
    script.reply("opened", revision=5, seq=0, text="😀ab")
    script.expect("catch_up", after=4)
    script.reply("edits", edits=[script.edited(5, "ben", 1, ["😀"])])
    script.expect("open", revision=5)
    script.reply("opened", revision=5, seq=0, edits=[])
    script.expect("edit", seq=1, base=5, op=[3, "mine"])


def test_a_server_that_cannot_give_the_edits_between_strands_the_document() -> None:
    script = opened_script()
    script.edit([2, "mine"])
    script.expect("edit")
    script.cut()
    script.connect()
    script.expect("open")
    script.refuse("E_VERSION_OLD", revision=7)
    script.expect("catch_up")
    script.refuse("E_NOT_FOUND")
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abmine"]


def test_a_client_ahead_of_the_server_hands_its_text_out_and_stops() -> None:
    script = opened_script()
    script.cut()
    script.connect()
    script.expect("open")
    script.refuse("E_VERSION_AHEAD", revision=2)
    assert script.told(notices.UnsentText) == [notices.UnsentText("main.md", "ab", [], "E_VERSION_AHEAD: no")]
    assert script.cut(4507) is Verdict.STOP
    assert script.session.status is Status.STOPPED
    assert script.told(notices.UnsentText) == []


def test_a_server_that_forgot_an_acknowledged_edit_is_not_merged_with() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.push_edit(5, "ada", 1, [2, "X"])
    script.cut()
    script.connect()
    script.expect("open", revision=5)
    script.reply("opened", revision=5, seq=0, edits=[])
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abX"]


def test_another_epoch_keeps_unsaved_text_apart() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.cut()
    script.connect(epoch="e2", position=3)
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abX"]
    script.expect_silence()
    assert script.session.position == 3
    script.session.on_disconnected(script.now)
    script.session.on_connected(script.now)
    script.expect("hello", resume={"epoch": "e2", "position": 3})
    script.reply("welcome", **WELCOME | {"epoch": "e2"})
    script.expect_silence()
    script.session.open_afresh("main.md", script.now)
    script.expect("open", revision=None)


def test_another_epoch_replaces_a_saved_text() -> None:
    script = opened_script()
    script.cut()
    script.connect(epoch="e2")
    script.expect("open", revision=None)
    script.cut()
    script.connect(epoch="e2")
    script.expect("open", revision=None)  # still
    script.reply("opened", revision=1, seq=0, text="other")
    assert script.told(notices.DocumentReset) == [notices.DocumentReset("main.md", "ab", 1)]
    script.cut()
    script.connect(epoch="e2")
    script.expect("open", revision=1)


def test_what_is_typed_before_the_other_epoch_s_text_is_there_is_kept_apart() -> None:
    script = opened_script()
    script.cut()
    script.connect(epoch="e2")
    script.expect("open", revision=None)
    script.edit([2, "X"])
    script.reply("opened", revision=1, seq=0, text="other")
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abX"]


def test_a_document_that_was_not_opened_yet_does_not_mind_another_epoch() -> None:
    script = Script()
    script.connect()
    script.session.open("main.md", script.now)
    script.expect("open")
    script.cut()
    script.connect(epoch="e2")
    script.expect("open", revision=None)
    script.reply("opened", revision=1, seq=0, text="other")
    assert script.text == "other"


@pytest.mark.parametrize(("op", "kind"), [([], notices.DocumentRefused), ([2, "X"], notices.UnsentText)])
def test_a_document_closed_to_us_is_refused_when_saved_and_stranded_when_not(
    op: Op, kind: type[Notice]
) -> None:
    script = opened_script()
    script.cut()
    script.edit(op)
    script.connect()
    script.expect("open")
    script.refuse("E_FORBIDDEN")
    assert len(script.told(kind)) == 1
    with pytest.raises(NotEditable):
        script.edit(op)
    script.cut(4506)
    assert script.told(notices.UnsentText) == []  # handed out once


# Leaving and stopping.


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (None, Verdict.RECONNECT),
        (1000, Verdict.RECONNECT),
        (1001, Verdict.RECONNECT),
        (1006, Verdict.RECONNECT),
        (1009, Verdict.STOP),
        (4400, Verdict.RECONNECT),
        (4402, Verdict.RECONNECT),
        (4403, Verdict.RECONNECT),
        (4405, Verdict.RECONNECT_LATER),
        (4406, Verdict.STOP),
        (4407, Verdict.RECONNECT),
        (4500, Verdict.STOP),
        (4502, Verdict.RECONNECT),
        (4505, Verdict.STOP),
        (4506, Verdict.STOP),
    ],
)
def test_close_codes_say_whether_to_come_back(code: int | None, expected: Verdict) -> None:
    script = opened_script()
    assert script.cut(code) is expected
    changed = script.told(notices.StatusChanged)[-1]
    assert changed.status is (Status.STOPPED if expected is Verdict.STOP else Status.OFFLINE)
    assert changed.code == code


def test_a_session_that_stops_hands_out_what_is_unsaved() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    assert script.cut(4406) is Verdict.STOP
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abX"]
    assert script.cut() is Verdict.STOP
    script.session.stop(None, "again")
    assert script.session.take_notices() == []
    assert script.text == "abX"
    assert script.session.next_time() is None
    with pytest.raises(AssertionError):
        script.session.open("other.md", script.now)


def test_a_closed_document_is_followed_no_longer() -> None:
    script = opened_script()
    script.session.close("main.md")
    script.expect("close", document="main.md")
    script.reply("ok")
    script.push_edit(5, "ben", 1, ["x"])
    script.cut()
    script.connect()
    script.expect_silence()


def test_a_document_closed_with_something_unsaved_hands_it_out() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.session.close("main.md")
    assert [notice.text for notice in script.told(notices.UnsentText)] == ["abX"]
    script.expect("close")
    script.wait(RESEND_SECONDS)
    script.expect_silence()


def test_closing_without_a_socket_needs_no_frame() -> None:
    script = opened_script()
    script.cut()
    script.session.close("main.md")
    script.connect()
    script.expect_silence()


# Time.


def test_a_server_that_does_not_welcome_is_given_up() -> None:
    script = Script()
    script.session.on_connected(script.now)
    assert script.session.next_time() == script.now + WELCOME_SECONDS
    script.wait(WELCOME_SECONDS)
    assert script.session.close_wanted
    assert script.session.next_time() is None
    script.cut()
    assert not script.session.close_wanted


def test_a_refused_hello_waits_for_the_close_code() -> None:
    script = Script()
    script.session.on_connected(script.now)
    script.expect("hello")
    script.refuse("E_NOT_FOUND")
    assert script.session.status is Status.GREETING
    assert script.cut(4500) is Verdict.STOP
    assert script.told(notices.StatusChanged)[-1] == notices.StatusChanged(
        Status.STOPPED, "E_NOT_FOUND", "no"
    )


def test_a_silent_server_is_given_up_and_pings_are_answered() -> None:
    script = opened_script()
    script.wait(SILENCE_SECONDS - 1)
    script.push("ping")
    script.expect("pong")
    script.wait(SILENCE_SECONDS - 1)
    assert not script.session.close_wanted
    script.wait(1)
    assert script.session.close_wanted


def test_the_next_time_is_that_of_whatever_is_due_first() -> None:
    script = opened_script()
    assert script.session.next_time() == script.now + SILENCE_SECONDS
    script.session.do(commands.post("m1", "hi"), script.now)
    assert script.session.next_time() == script.now + RESEND_SECONDS
    script.expect("post")
    script.now += 1
    script.push("ping")
    script.edit([1, "X"])
    assert script.session.has_frames
    assert script.session.next_time() == script.now - 1 + RESEND_SECONDS  # the post's


# The chat.


def post_event(
    script: Script, position: int, message: str, client: str | None = "ada", **fields: Any
) -> Frame:
    as_it_stands: Frame = {
        "message": message,
        "author": "ada-l" if client == "ada" else "ben-k",
        "posted": 7,
        "client": client,
        "text": "hi",
        "documents": {},
        "reply_to": None,
        "mentions": [],
        "link": None,
        "edits": 0,
        "edited": None,
        "deleted": None,
        "pinned": None,
        "reactions": {},
        "imported": None,
    }
    return script.event("message", position, **as_it_stands | fields)


def test_a_message_is_acknowledged_by_its_own_event() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "hi"), script.now)
    script.expect("post", message="m1", text="hi")
    assert script.session.undone == [commands.post("m1", "hi")]
    script.push("events", position=11, events=[post_event(script, 11, "m1")])
    told = script.session.take_notices()
    assert told == [
        notices.MessageReceived("m1", "ada", "Somebody", "hi", {}, 7),
        notices.CommandDone(1),
    ]
    assert script.is_saved()
    assert list(script.session.chat.messages) == ["m1"]


def test_messages_are_said_in_the_order_they_were_written() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "1"), script.now)
    script.session.do(commands.post("m2", "2"), script.now)
    script.expect("post", message="m1")
    script.refuse("E_RATE", retry_after=1)
    script.wait(1)
    script.expect("post", message="m1")
    script.push("events", position=11, events=[post_event(script, 11, "m1")])
    script.expect("post", message="m2")


def test_an_unacknowledged_message_is_sent_again_over_any_number_of_sockets() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "hi"), script.now)
    script.expect("post")
    script.wait(RESEND_SECONDS)
    script.expect("post", message="m1")
    script.cut()
    script.session.do(commands.post("m2", "and"), script.now)
    script.connect(epoch="e2")
    frames = script.session.frames_to_send()
    assert [frame.get("message") for frame in frames] == ["m1", None]
    script.ref = frames[0]["ref"]
    script.reply("ok")  # it was stored before
    assert script.told(notices.CommandDone) == [notices.CommandDone(1)]
    script.expect("post", message="m2")


def test_a_message_refused_for_good_comes_back_and_the_next_is_said() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "hi"), script.now)
    script.session.do(commands.post("m2", "and"), script.now)
    script.expect("post")
    script.refuse("E_TEXT")
    refused = notices.CommandRefused(1, commands.post("m1", "hi"), "E_TEXT", "no")
    assert script.told(notices.CommandRefused) == [refused]
    script.wait(RETRY_FIRST_SECONDS)
    script.expect("post", message="m2")


def test_a_right_that_the_first_copy_of_a_message_did_not_have_the_last_may_have() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "hi"), script.now)
    first = script.expect("post")
    script.wait(RESEND_SECONDS)
    script.expect("post", message="m1")
    script.ref = first["ref"]
    script.refuse("E_FORBIDDEN", role="viewer")
    script.expect_silence()
    assert script.told(notices.CommandRefused) == []


def test_messages_missed_beyond_resuming_are_told_once() -> None:
    script = opened_script()
    script.push("events", position=11, events=[post_event(script, 11, "b1", "ben")])
    script.session.do(commands.post("m1", "hi"), script.now)
    script.session.do(commands.post("m2", "ho"), script.now)
    script.expect("post", message="m1")
    script.session.take_notices()
    script.cut()
    missed = [
        post_event(script, 11, "b1", "ben"),
        post_event(script, 12, "b2", "ben"),
        post_event(script, 13, "m1"),
    ]
    script.connect(messages=missed, position=13)
    told = script.session.take_notices()
    assert [n.message for n in told if isinstance(n, notices.MessageReceived)] == ["b2", "m1"]
    assert [n.command for n in told if isinstance(n, notices.CommandDone)] == [1]
    assert script.session.frames_to_send()[0]["message"] == "m2"
    assert len(script.session.chat.messages) == 3


def test_a_node_that_is_behind_the_last_one_tells_nothing_twice() -> None:
    script = opened_script()
    seen = post_event(script, 11, "b1", "ben")
    script.push("events", position=11, events=[seen])
    script.cut()
    script.connect(position=9)
    script.session.take_notices()
    script.push("events", position=12, events=[seen, post_event(script, 12, "b2", "ben")])
    assert [notice.message for notice in script.told(notices.MessageReceived)] == ["b2"]
    assert list(script.session.chat.messages) == ["b1", "b2"]


def test_what_was_told_is_remembered_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "TOLD_KEPT", 1)
    script = opened_script()
    for position in (11, 12, 13):
        script.cut()
        script.connect(messages=[post_event(script, position, f"b{position}", "ben")], position=position)
    script.cut()
    script.session.take_notices()
    script.connect(messages=[post_event(script, 11, "b11", "ben")], position=13)
    assert [notice.message for notice in script.told(notices.MessageReceived)] == ["b11"]


def test_an_undo_tells_what_it_has_made_and_is_asked_again_as_it_was() -> None:
    script = opened_script()
    script.session.do(commands.undo("main.md", 4), script.now)
    script.expect("undo", document="main.md", revision=4)
    script.wait(RESEND_SECONDS)
    script.expect("undo", document="main.md", revision=4)
    script.reply("ok", revision=5)
    assert script.told(notices.CommandDone) == [notices.CommandDone(1, 5)]
    script.session.do(commands.redo("main.md", 5), script.now)
    script.wait(LATE_SECONDS)  # the first copy of the undo may still be on its way
    script.expect("redo", document="main.md", revision=5)
    script.reply("ok", revision=None)
    assert script.told(notices.CommandDone) == [notices.CommandDone(2)]


def test_an_edit_that_was_not_typed_says_why_it_was_made() -> None:
    script = opened_script()
    undone = script.event(
        "edit", 105, document="main.md", revision=5, client="@ada", seq=1, op=["X"], cause="undo"
    )
    script.push("events", position=105, events=[undone])
    [told] = script.told(notices.Edited)
    assert (told.cause, told.client) == ("undo", "@ada")
    assert script.session.replica("main.md").text.startswith("X")


def test_a_message_of_an_earlier_life_of_ours_acknowledges_nothing() -> None:
    script = opened_script()
    script.push("events", position=11, events=[post_event(script, 11, "old")])
    assert script.told(notices.CommandDone) == []


def test_the_first_welcome_s_messages_are_no_news() -> None:
    script = Script()
    script.connect(messages=[post_event(script, 9, "b1", "ben")])
    assert script.told(notices.MessageReceived) == []
    assert len(script.session.chat.messages) == 1


# What becomes of messages, saves and runs.


ABOUT_A_MESSAGE: list[tuple[Frame, str, Frame]] = [
    (commands.edit_message("m1", "ho"), "message_edited", {"text": "ho", "mentions": []}),
    (commands.delete_message("m1"), "message_deleted", {}),
    (commands.react("m1", "👍"), "reaction_added", {"emoji": "👍"}),
    (commands.react("m1", "👍", reacted=False), "reaction_removed", {"emoji": "👍"}),
    (commands.pin_message("m1"), "message_pinned", {}),
    (commands.pin_message("m1", pinned=False), "message_unpinned", {}),
]
OTHERS: list[tuple[Frame, str, Frame]] = [
    (
        commands.save_revision("main.md", 4, "Draft"),
        "revision_saved",
        {"document": "main.md", "revision": 4, "name": "Draft"},
    ),
    (
        commands.start_run("r1", "Tests", document="main.md", revision=4),
        "run_started",
        {"run": "r1", "client": "ada", "title": "Tests", "document": "main.md", "revision": 4},
    ),
    (
        commands.finish_run("r1", "failed", 1),
        "run_finished",
        {"run": "r1", "outcome": "failed", "exit_code": 1},
    ),
]
COMMANDS = [(request, name, fields | {"message": "m1"}) for request, name, fields in ABOUT_A_MESSAGE] + OTHERS


def names(commands: list[tuple[Frame, str, Frame]]) -> list[str]:
    return [name for _, name, _ in commands]


@pytest.mark.parametrize(("request_", "name", "fields"), COMMANDS, ids=names(COMMANDS))
def test_a_command_is_done_when_it_is_answered(request_: Frame, name: str, fields: Frame) -> None:
    script = opened_script()
    number = script.session.do(request_, script.now)
    assert not script.is_saved()
    frame = script.expect(request_["type"])
    assert frame == {**request_, "ref": frame["ref"]}
    script.reply("ok")
    assert script.told(notices.CommandDone) == [notices.CommandDone(number)]
    assert script.is_saved()
    happened = script.event(name, 11, **{"actor": "ada-l", **fields})
    script.push("events", position=11, events=[happened])
    assert script.told(notices.CommandDone) == []


@pytest.mark.parametrize(("request_", "name", "fields"), COMMANDS, ids=names(COMMANDS))
def test_a_command_whose_answer_was_lost_is_known_by_what_has_happened(
    request_: Frame, name: str, fields: Frame
) -> None:
    """Another might have undone it since: asked for again, it would come out as the last."""
    script = opened_script()
    number = script.session.do(request_, script.now)
    script.expect(request_["type"])
    script.cut()
    script.connect(resumed=True, position=12)
    frames = script.session.frames_to_send()
    assert [frame["type"] for frame in frames] == [request_["type"], "open"]
    somebody_elses = script.event(name, 11, **{**fields, "actor": "ben-k", "client": "ben"})
    ours = script.event(name, 12, **{"actor": "ada-l", **fields})
    script.push("events", position=11, events=[somebody_elses])
    assert script.told(notices.CommandDone) == []
    script.push("events", position=12, events=[ours])
    assert script.told(notices.CommandDone) == [notices.CommandDone(number)]
    assert script.is_saved()


def test_what_has_happened_before_a_command_went_out_does_not_answer_it() -> None:
    script = opened_script()
    script.cut()
    script.session.do(commands.react("m1", "👍"), script.now)
    script.session.on_connected(script.now)
    ours = script.event("reaction_added", 11, actor="ada-l", message="m1", emoji="👍")
    script.push("events", position=11, events=[ours])
    assert script.told(notices.CommandDone) == []
    assert not script.is_saved()


def test_commands_are_done_in_order_whatever_they_are() -> None:
    script = opened_script()
    script.session.do(commands.post("m1", "hi", reply_to="m0"), script.now)
    script.session.do(commands.edit_message("m1", "ho"), script.now)
    script.session.do(commands.start_run("r1", "Tests"), script.now)
    script.expect("post", message="m1", reply_to="m0")
    script.push("events", position=11, events=[post_event(script, 11, "m1")])
    script.expect("edit_message", message="m1", text="ho")
    script.refuse("E_BUSY", retry_after=0.5)
    script.wait(0.5)
    script.expect("edit_message", message="m1", text="ho")
    script.reply("ok")
    script.expect("start_run", run="r1", title="Tests")


def test_a_command_without_answer_is_sent_again_and_the_answer_to_either_copy_counts() -> None:
    script = opened_script()
    script.session.do(commands.pin_message("m1"), script.now)
    first = script.expect("pin_message")["ref"]
    script.wait(RESEND_SECONDS)
    script.expect("pin_message")
    script.ref = first
    script.reply("ok")
    assert script.told(notices.CommandDone) == [notices.CommandDone(1)]
    script.expect_silence()


def test_the_next_command_waits_until_no_copy_of_the_one_before_is_on_its_way() -> None:
    """On a slow log a copy may come behind the next command, and undo it."""
    script = opened_script()
    script.session.do(commands.edit_message("m1", "one"), script.now)
    script.session.do(commands.edit_message("m1", "two"), script.now)
    refs = [script.expect("edit_message", text="one")["ref"]]
    for copies in (1, 2):
        script.wait(RESEND_SECONDS * copies)
        refs.append(script.expect("edit_message", text="one")["ref"])
    script.ref = refs[0]
    script.refuse("E_STORE", retry_after=1)  # it was stored none the less
    edited = script.event("message_edited", 11, actor="ada-l", message="m1", text="one", mentions=[])
    script.push("events", position=11, events=[edited])
    assert script.told(notices.CommandDone) == [notices.CommandDone(1)]
    script.wait(RESEND_SECONDS)
    for ref in (refs[2], refs[1]):
        script.expect_silence()
        script.ref = ref
        script.reply("ok")
    script.expect("edit_message", text="two")
    script.reply("ok")
    assert script.told(notices.CommandDone) == [notices.CommandDone(2)]


def test_a_copy_that_is_never_answered_does_not_stop_everything() -> None:
    script = opened_script()
    script.session.do(commands.react("m1", "👍"), script.now)
    first = script.expect("react")["ref"]
    script.wait(RESEND_SECONDS)
    script.expect("react")
    script.reply("ok")
    script.session.do(commands.react("m1", "👍", reacted=False), script.now)
    script.wait(LATE_SECONDS - 1)
    script.expect_silence()
    script.wait(1)
    last = script.expect("react", reacted=False)["ref"]
    script.ref = first
    script.reply("ok")  # after all
    assert not script.is_saved()
    script.ref = last
    script.reply("ok")
    assert script.is_saved()


def test_what_an_earlier_copy_is_told_for_now_does_not_count() -> None:
    script = opened_script()
    script.session.do(commands.react("m1", "👍"), script.now)
    first = script.expect("react")["ref"]
    script.wait(RESEND_SECONDS)
    last = script.expect("react")["ref"]
    script.ref = first
    script.refuse("E_BUSY", retry_after=0.1)
    script.wait(0.2)
    script.expect_silence()
    assert script.told(notices.CommandRefused) == []
    script.ref = last
    script.refuse("E_FORBIDDEN", role="viewer")
    assert len(script.told(notices.CommandRefused)) == 1


def test_what_is_refused_again_and_again_is_said_ever_more_slowly() -> None:
    """Or who comes back with a lower role and much to say would be sent away."""
    script = opened_script()
    for number in range(3):
        script.session.do(commands.post(f"m{number}", "hi"), script.now)
    pauses = []
    for number in range(3):
        script.expect("post", message=f"m{number}")
        script.refuse("E_FORBIDDEN", role="viewer")
        due = script.session.next_time()
        assert due is not None
        pauses.append(round(due - script.now, 3))
        script.wait(due - script.now)
    assert pauses == [RETRY_FIRST_SECONDS, 2 * RETRY_FIRST_SECONDS, 4 * RETRY_FIRST_SECONDS]
    script.session.do(commands.post("m9", "hi"), script.now)
    script.expect("post", message="m9")


def test_commands_keep_to_the_pace_that_the_server_asks_for() -> None:
    script = opened_script(limits=WELCOME["limits"] | {"chat_per_second": 2})
    sent = 0
    for number in range(5):
        script.session.do(commands.react("m1", f"emoji {number}"), script.now)
    for _ in range(5):
        for frame in script.session.frames_to_send():
            script.ref, sent = frame["ref"], sent + 1
            script.reply("ok")
    assert sent == 2
    script.wait(0.5)
    script.expect("react", emoji="emoji 2")


def test_what_becomes_of_messages_is_told_and_is_so_in_the_chat() -> None:
    script = opened_script()
    events = [post_event(script, 11, "m1", "ben")]
    events += [
        script.event(name, 12 + number, **fields, message="m1")
        for number, (_, name, fields) in enumerate(ABOUT_A_MESSAGE)
    ]
    script.push("events", position=20, events=events)
    told = script.told(notices.MessageChanged)
    assert [notice.change for notice in told] == names(ABOUT_A_MESSAGE)
    assert told[0] == notices.MessageChanged("m1", "message_edited", "Somebody", 7, events[1])
    message = script.session.chat.messages["m1"]
    assert (message["text"], message["deleted"], message["edits"]) == ("", 7, 1)


def test_saves_and_runs_are_told() -> None:
    script = opened_script()
    events = [script.event(name, 11 + n, **fields) for n, (_, name, fields) in enumerate(OTHERS)]
    script.push("events", position=13, events=events)
    assert script.session.take_notices() == [
        notices.RevisionSaved("main.md", 4, "Draft", "Somebody", 7),
        notices.RunStarted("r1", "ada", "Somebody", "Tests", "main.md", 4, 7),
        notices.RunFinished("r1", "failed", 1, "Somebody", 7),
    ]


def test_a_revision_to_save_and_a_range_to_point_at_are_of_a_text_that_the_server_has() -> None:
    script = opened_script()
    script.edit([1, "X"])
    script.expect("edit")
    with pytest.raises(NotSaved):
        script.session.saved_revision("main.md")
    with pytest.raises(NotSaved):
        script.session.link("main.md", 0, 1)
    script.push_edit(5, "ada", 1, [1, "X"])
    assert script.session.saved_revision("main.md") == 5
    link = script.session.link("main.md", 0, 3)
    assert link == {"document": "main.md", "revision": 5, "start": 0, "end": 3}
    script.session.do(commands.post("m1", "here", link=link), script.now)
    script.expect("post", link=link)
    for start, end in ((2, 1), (-1, 1), (0, 4)):
        with pytest.raises(ValueError, match="no range"):
            script.session.link("main.md", start, end)


# Who speaks to us.


def test_a_mention_is_told_once_whichever_way_it_comes() -> None:
    script = opened_script()
    to_us = {"mentions": ["ada-l"]}
    events = [
        post_event(script, 11, "b1", "ben", **to_us),
        post_event(script, 12, "b2", "ben", mentions=["eve-m"]),
        script.event("message_edited", 13, message="b1", text="again", **to_us),
        script.event("message_edited", 14, message="b2", text="you too", **to_us),
    ]
    script.push("events", position=14, events=events)
    elsewhere = {"notice": "mention", "room": "hall", "message": "b1", "actor": "eve-m", "at": 9}
    for _ in range(2):
        script.push("notice", position=15, **elsewhere)
    script.cut()
    script.connect(messages=[post_event(script, 11, "b1", "ben", **to_us)], position=15)
    assert script.told(notices.Mentioned) == [
        notices.Mentioned("room", "b1", "Somebody", 7),
        notices.Mentioned("room", "b2", "Somebody", 7),
        notices.Mentioned("hall", "b1", "eve-m", 9),
    ]


def test_mentions_of_before_we_came_are_no_news() -> None:
    script = Script()
    to_us = {"mentions": ["ada-l"]}
    script.connect(messages=[post_event(script, 9, "b1", "ben", **to_us)])
    edited = script.event("message_edited", 11, message="b1", text="again", **to_us)
    script.push("events", position=11, events=[edited])
    assert script.told(notices.Mentioned) == []


def test_mentions_are_remembered_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MENTIONS_KEPT", 1)
    script = opened_script()
    for message in ("b1", "b2", "b1"):
        script.push(
            "notice", notice="mention", room="hall", message=message, actor="eve-m", at=9, position=15
        )
    assert [notice.message for notice in script.told(notices.Mentioned)] == ["b1", "b2", "b1"]


# How far we have read.


def hear(script: Script, *positions: int) -> None:
    for position in positions:
        event = post_event(script, position, f"b{position}", "ben")
        script.push("events", position=position, events=[event])


def receipt(script: Script, position: int, **pointers: int) -> None:
    told = [{"user": "ada-l", **pointers}]
    script.push("events", position=position, events=[script.event("receipts", position, receipts=told)])


def test_what_has_come_is_told_to_be_delivered_in_one_frame_a_second() -> None:
    script = opened_script()
    hear(script, 11, 12)
    script.expect_silence()
    script.wait(GATHER_SECONDS)
    script.expect("receipt", delivered=12, read=0)
    hear(script, 13)
    script.wait(GATHER_SECONDS)
    script.expect_silence()  # one is under way
    script.reply("ok")
    script.wait(0.5)
    script.expect_silence()  # and a second has not passed
    hear(script, 14)
    script.wait(RECEIPT_SECONDS - 0.5)
    script.expect("receipt", delivered=14)
    script.reply("ok")
    script.wait(10)
    script.expect_silence()


def test_what_we_have_said_ourselves_is_not_told_to_be_delivered() -> None:
    script = opened_script()
    script.push("events", position=11, events=[post_event(script, 11, "m1")])
    script.wait(1)
    script.expect_silence()


def test_what_was_read_is_told_with_it_and_never_taken_back() -> None:
    script = opened_script()
    hear(script, 11, 12)
    assert script.session.unread == 2
    script.session.read(12, script.now)
    script.session.read(11, script.now)
    assert script.session.unread == 0
    assert not script.is_saved()
    script.wait(GATHER_SECONDS)
    script.expect("receipt", delivered=12, read=12)
    script.reply("ok")
    assert script.is_saved()


def test_nothing_is_read_that_has_not_come() -> None:
    script = opened_script()
    hear(script, 11)
    script.session.read(99, script.now)
    script.wait(GATHER_SECONDS)
    script.expect("receipt", delivered=11, read=11)


def test_what_was_read_at_another_place_of_ours_is_read_here() -> None:
    script = opened_script()
    hear(script, 11, 12)
    receipt(script, 13, delivered=12, read=11)
    assert script.session.unread == 1
    assert script.told(notices.ReceiptsMoved) == [notices.ReceiptsMoved({"ada-l": Pointers(12, 11)})]
    script.wait(GATHER_SECONDS)
    script.expect_silence()  # the server knows it already
    receipt(script, 14, delivered=11, read=11)
    assert script.told(notices.ReceiptsMoved) == []


def test_how_far_we_are_is_told_again_after_a_reconnect_unless_the_server_knows() -> None:
    script = opened_script()
    hear(script, 11)
    script.session.read(11, script.now)
    script.wait(GATHER_SECONDS)
    script.expect("receipt")
    script.cut()
    script.session.take_notices()
    script.connect(resumed=True)
    script.session.frames_to_send()
    script.wait(RECEIPT_SECONDS)
    script.expect("receipt", delivered=11, read=11)
    script.cut()
    script.connect(resumed=True, receipts=[{"user": "ada-l", "delivered": 11, "read": 11}])
    assert script.is_saved()
    script.session.frames_to_send()
    script.wait(RECEIPT_SECONDS)
    script.expect_silence()


def test_the_messages_of_a_welcome_have_been_delivered() -> None:
    script = Script()
    script.connect(messages=[post_event(script, 9, "b1", "ben")])
    script.wait(GATHER_SECONDS)
    script.expect("receipt", delivered=9, read=0)


def test_a_receipt_refused_for_now_is_told_later_with_what_was_read_since() -> None:
    script = opened_script()
    hear(script, 11)
    script.wait(GATHER_SECONDS)
    script.expect("receipt")
    script.refuse("E_BUSY", retry_after=2)
    script.session.read(11, script.now)
    script.wait(1.9)
    script.expect_silence()
    script.wait(0.1)
    script.expect("receipt", delivered=11, read=11)


def test_a_late_answer_does_not_vouch_for_what_was_read_since() -> None:
    script = opened_script()
    hear(script, 11, 12)
    script.session.read(11, script.now)
    script.wait(GATHER_SECONDS)
    first = script.expect("receipt", read=11)["ref"]
    script.session.read(12, script.now)
    script.wait(RESEND_SECONDS)
    script.expect("receipt", read=11)
    script.ref = first
    script.reply("ok")
    assert not script.is_saved()
    script.wait(GATHER_SECONDS)
    script.expect("receipt", read=12)


def test_a_receipt_refused_for_good_is_told_and_not_said_again() -> None:
    script = opened_script()
    hear(script, 11)
    script.wait(GATHER_SECONDS)
    script.expect("receipt")
    script.refuse("E_SCHEMA")
    assert script.told(notices.RequestRefused) == [notices.RequestRefused("E_SCHEMA", "no")]
    script.wait(10)
    script.expect_silence()


def test_in_another_log_nothing_is_read_yet() -> None:
    script = opened_script()
    hear(script, 11)
    script.session.read(11, script.now)
    script.cut()
    script.connect(epoch="e2", position=5, messages=[post_event(script, 5, "b1", "ben")])
    assert script.session.unread == 1
    script.session.frames_to_send()
    script.wait(RECEIPT_SECONDS)
    assert [frame["read"] for frame in script.session.frames_to_send() if frame["type"] == "receipt"] == [0]


# Streams.


def test_a_stream_is_followed_over_all_sockets_from_where_it_ended() -> None:
    script = opened_script()
    script.session.subscribe("activity", script.now)
    script.session.subscribe("activity", script.now)
    assert "after" not in script.expect("subscribe", to="activity")
    script.reply("ok")
    lines = [{"id": "l1", "changed": 20}, {"id": "l2", "changed": 15}]
    script.push("activity", position=20, lines=lines)
    assert script.told(notices.ActivityChanged) == [notices.ActivityChanged(lines)]
    script.cut()
    script.session.subscribe("statistics", script.now)
    script.connect()
    frames = script.session.frames_to_send()
    assert [(frame.get("to"), frame.get("after")) for frame in frames[:2]] == [
        ("activity", 20),
        ("statistics", None),
    ]
    script.push("statistics", position=21, day={}, ever={})
    told = notices.StatisticsChanged({"position": 21, "day": {}, "ever": {}})
    assert script.told(notices.StatisticsChanged) == [told]
    script.cut()
    script.connect()
    assert [frame.get("after") for frame in script.session.frames_to_send()[:2]] == [20, 21]
    script.cut()
    script.connect(epoch="e2")
    assert [frame.get("after") for frame in script.session.frames_to_send()[:2]] == [None, None]


def test_a_stream_is_followed_no_longer() -> None:
    script = opened_script()
    script.session.unsubscribe("activity")
    script.expect_silence()
    script.session.subscribe("activity", script.now)
    script.expect("subscribe")
    script.session.unsubscribe("activity")
    script.expect("unsubscribe", to="activity")
    script.reply("ok")
    script.push("activity", position=3, lines=[])  # it was on its way
    assert script.told(notices.ActivityChanged) == []
    script.session.subscribe("activity", script.now)
    script.cut()
    script.session.unsubscribe("activity")
    script.connect()
    assert [frame["type"] for frame in script.session.frames_to_send()] == ["open"]


def test_a_stream_refused_for_now_is_asked_for_again_and_one_refused_for_good_is_told() -> None:
    script = opened_script()
    script.session.subscribe("activity", script.now)
    script.expect("subscribe")
    script.refuse("E_STORE", retry_after=1)
    script.wait(1)
    script.expect("subscribe")
    script.refuse("E_FORBIDDEN")
    assert script.told(notices.RequestRefused) == [notices.RequestRefused("E_FORBIDDEN", "no")]
    script.wait(RESEND_SECONDS)
    script.expect_silence()


# The room.


def test_what_happens_in_the_room_is_told() -> None:
    script = opened_script()
    looks = {"name": "Eve", "colour": "#2284bf", "avatar": ""}
    events = [
        script.event("joined", 11, actor="eve-m", client="eve", session="s-eve", **looks),
        script.event("document_listed", 12, document="new.md"),
        script.event("room_opened", 13, title="Title", everyone=None),
        script.event("of a later server", 14),
        script.event("status", 15, actor="eve-m", client="eve", session="s-eve", status="running"),
        script.event("left", 16, client="ben", session="s-ben", reason="lost"),
        script.event("document_unlisted", 17, document="main.md"),
        script.event("status", 18, client="ben", session="s-ben", status="away"),  # gone already
    ]
    script.push("events", position=18, events=events)
    assert script.session.take_notices() == [
        notices.Joined("eve", "eve-m", "Eve", 7),
        notices.DocumentListed("new.md"),
        notices.PersonStatus("eve", "eve-m", "running", 7),
        notices.Left("ben", "lost", 7),
        notices.DocumentUnlisted("main.md"),
        notices.PersonStatus("ben", "Somebody", "away", 7),
    ]
    assert script.session.roster == {"eve": "Eve"}
    assert script.session.documents == {"new.md"}
    [eve] = script.session.people.present.values()
    assert (eve.user, eve.status, eve.looks.colour, eve.role) == (
        "eve-m",
        attendance.Status.RUNNING,
        "#2284bf",
        None,
    )


def test_rights_and_looks_follow_what_is_told() -> None:
    script = opened_script()
    session = script.session
    assert (session.user, session.role, session.title) == ("ada-l", "editor", "Room")
    new = {"name": "Benjamin", "colour": "#d31ded", "avatar": "https://example.org/b.png"}
    events = [
        script.event("member_added", 11, user="eve-m", role="viewer"),
        script.event("role_changed", 12, user="ada-l", role="commenter"),
        script.event("member_removed", 13, user="ben-k"),
        script.event("access_changed", 14, everyone="viewer"),
        script.event("room_renamed", 15, title="Study"),
        script.event("invitation_made", 16, invitation="i1", role="editor", expires=1, uses=None),
        script.event("invitation_revoked", 17, invitation="i1"),
        script.event("profile", 18, user="ben-k", **new),
    ]
    script.push("events", position=18, events=events)
    assert script.session.take_notices() == [
        notices.RoleChanged("eve-m", "viewer"),
        notices.RoleChanged("ada-l", "commenter"),
        notices.RoleChanged("ben-k", None),
        notices.RoomChanged("Room", "viewer"),
        notices.RoomChanged("Study", "viewer"),
        notices.InvitationMade("i1", "editor"),
        notices.InvitationRevoked("i1"),
        notices.ProfileChanged("ben-k", *new.values()),
    ]
    assert session.people.members == {"ada-l": "commenter", "eve-m": "viewer"}
    assert session.role == "commenter"
    [ben] = session.people.present.values()
    assert (ben.looks.name, ben.role) == ("Benjamin", "viewer")
    script.push("events", position=19, events=[script.event("room_closed", 19)])
    assert script.told(notices.RoomClosed) == [notices.RoomClosed()]


def test_one_person_at_several_places_is_one_person() -> None:
    script = opened_script()
    looks = {"name": "Ben", "colour": "#1d920c", "avatar": ""}
    joined = script.event("joined", 11, actor="ben-k", client="ben-2", session="s-ben-2", **looks)
    editing = script.event("status", 12, actor="ben-k", client="ben-2", session="s-ben-2", status="editing")
    script.push("events", position=12, events=[joined, editing])
    [ben] = script.session.people.present.values()
    assert [place.client for place in ben.places] == ["ben", "ben-2"]
    assert ben.status is attendance.Status.EDITING
    left = script.event("left", 13, client="ben-2", session="s-ben-2", reason="left")
    script.push("events", position=13, events=[left])
    [ben] = script.session.people.present.values()
    assert ben.status is attendance.Status.IDLE


def test_places_know_where_cursors_are_and_what_is_being_typed() -> None:
    script = opened_script()
    [place] = script.session.people.places.values()
    typing = [{"client": "ben", "document": None, "typing": True, "at": 9_000_000}]
    script.push("presence", position=1, moves=[move("ben", 1)], typing=typing)
    assert place.cursors["main.md"]["anchor"] == 1
    assert place.is_typing(None, 18_000_000)
    assert not place.is_typing(None, 19_000_000)  # a sign holds for ten seconds
    assert not place.is_typing("main.md", 9_000_000)
    assert place.active == 9_000_000
    hidden = move("ben", 1) | {"anchor": None, "head": None}
    stopped = [{"client": "ben", "document": None, "typing": False, "at": 10_000_000}]
    script.push("presence", position=2, moves=[hidden], typing=stopped)
    assert place.cursors == {}
    assert script.session.replica("main.md").cursors == {}
    assert not place.is_typing(None, 10_000_000)


def test_what_is_typed_and_done_is_shown_while_there_is_a_socket() -> None:
    script = opened_script()
    session = script.session
    session.type("main.md", is_typing=True)
    script.expect("typing", document="main.md", typing=True)
    session.type(None, is_typing=False)
    assert "document" not in script.expect("typing", typing=False)
    script.refuse("E_RATE")
    assert script.told(notices.RequestRefused) == [notices.RequestRefused("E_RATE", "no")]
    session.declare("running")
    script.expect("status", status="running")
    script.reply("ok")
    session.refresh("ticket-2")
    script.expect("refresh", ticket="ticket-2")
    script.reply("ok")
    script.cut()
    session.type(None, is_typing=True)
    session.declare("away")
    session.refresh("ticket-3")
    script.expect_silence()


def test_what_the_user_does_is_said_again_after_coming_back() -> None:
    script = Script()
    script.connect()
    script.session.declare("running")
    script.expect("status")
    script.cut()
    script.session.on_connected(script.now, ticket="ticket-1")
    script.expect("hello", ticket="ticket-1")
    script.reply("welcome", **WELCOME)
    script.expect("status", status="running")


def test_the_others_cursors_come_with_the_text_that_they_stand_in() -> None:
    script = Script()
    script.connect()
    script.session.open("main.md", script.now)
    script.expect("open")
    script.reply("opened", revision=4, seq=0, text="abc", cursors=[move("ben", 2)])
    assert script.session.replica("main.md").cursors["ben"].anchor == 2


def move(client: str, anchor: int, document: str = "main.md") -> Frame:
    return {
        "client": client,
        "document": document,
        "revision": 4,
        "anchor": anchor,
        "head": anchor,
        "at": 7,
    }


def test_cursors_are_kept_with_the_text_until_their_owner_leaves() -> None:
    script = opened_script()
    script.session.open("other.md", script.now)
    script.expect("open")
    moves = [move("ben", 1), move("ada", 2), move("ben", 0, "none.md"), move("ben", 0, "other.md")]
    script.push("presence", position=1, moves=moves, typing=[])
    assert script.told(notices.Presence) == [notices.Presence(moves, [])]
    assert script.session.replica("main.md").cursors == {"ben": Cursor(1, 1)}
    joined = script.event(
        "joined", 11, client="ben", session="s-ben-2", name="Ben", colour="#2284bf", avatar=""
    )
    left = script.event("left", 12, client="ben", session="s-ben", reason="superseded")
    script.push("events", position=12, events=[joined, left])
    assert script.session.roster == {"ben": "Ben"}
    assert script.session.replica("main.md").cursors == {"ben": Cursor(1, 1)}
    left = script.event("left", 13, client="ben", session="s-ben-2", reason="left")
    script.push("events", position=13, events=[left])
    assert script.session.replica("main.md").cursors == {}


def test_our_cursor_is_shown_at_a_bearable_pace_the_latest_wins() -> None:
    script = opened_script()
    for place in (0, 1, 2):
        script.session.cursor("main.md", place, place, script.now)
    script.expect("cursor", document="main.md", revision=4, anchor=0, head=0)
    assert script.session.next_time() == script.now + CURSOR_SECONDS
    script.wait(CURSOR_SECONDS)
    script.expect("cursor", anchor=2)
    script.wait(CURSOR_SECONDS)
    script.expect_silence()


def test_our_cursor_waits_for_what_we_have_typed() -> None:
    script = opened_script()
    script.edit([2, "X"])
    script.expect("edit")
    script.session.cursor("main.md", 3, 1, script.now)
    script.expect_silence()
    script.push_edit(5, "ada", 1, [2, "X"])
    script.expect("cursor", revision=5, anchor=3, head=1)


def test_our_cursor_is_shown_again_after_coming_back() -> None:
    script = opened_script()
    script.session.cursor("main.md", 1, 1, script.now)
    script.expect("cursor")
    script.cut()
    script.now += 1
    script.connect(resumed=True)
    script.expect("open")
    script.reply("opened", revision=5, seq=0, edits=[script.edited(5, "ben", 1, ["😀"])])
    script.expect("cursor", revision=5, anchor=2, head=2)


def test_a_cursor_refused_for_now_is_shown_later_and_one_refused_for_good_is_told() -> None:
    script = opened_script()
    script.session.cursor("main.md", 1, 1, script.now)
    script.expect("cursor")
    script.refuse("E_RATE", retry_after=2)
    script.wait(1)
    script.expect_silence()
    script.wait(1)
    script.expect("cursor")
    script.refuse("E_SCHEMA")
    assert script.told(notices.RequestRefused) == [notices.RequestRefused("E_SCHEMA", "no")]
    script.wait(9)
    script.expect_silence()


def test_an_error_without_ref_is_told() -> None:
    script = opened_script()
    script.push("error", ref=None, code="E_JSON", message="no")
    assert script.told(notices.RequestRefused) == [notices.RequestRefused("E_JSON", "no")]


def test_without_composing_each_edit_is_sent_by_itself() -> None:
    script = Script(compose=False)
    script.connect()
    script.open()
    script.edit(["x"])
    script.edit(["y"])
    script.expect("edit", seq=1, op=["x"])
    script.push_edit(5, "ada", 1, ["x"])
    script.expect("edit", seq=2, op=["y"])


def test_each_copy_without_answer_makes_the_next_one_wait_longer() -> None:
    """Over a slow line all are answered some time, and what is new waits behind the copies of the old."""
    script = opened_script()
    script.session.do(commands.post("m1", "Hello"), script.now)
    script.edit(["x"])
    script.session.frames_to_send()
    for pause in (5, 10, 20, 40, 40):
        script.wait(pause - 0.01)
        script.expect_silence()
        script.wait(0.01)
        assert [frame["type"] for frame in script.session.frames_to_send()] == ["post", "edit"]


def test_what_is_answered_or_lost_with_its_socket_makes_nothing_wait_longer() -> None:
    script = opened_script()
    script.edit(["x"])
    script.expect("edit", seq=1)
    script.wait(RESEND_SECONDS)
    script.expect("edit", seq=1)
    script.push_edit(5, "ada", 1, ["x"])
    script.edit(["y"])
    script.expect("edit", seq=2)
    script.wait(RESEND_SECONDS)
    script.expect("edit", seq=2)
    script.cut()
    script.connect()
    script.expect("open", revision=5)
    script.wait(RESEND_SECONDS)
    script.expect("open", revision=5)


def test_an_answer_that_takes_longer_than_the_resend_is_taken() -> None:
    """A large document over a slow line: else it would be asked for again and again, and never open."""
    script = Script()
    script.connect()
    script.session.open("main.md", script.now)
    first = script.expect("open", document="main.md")["ref"]
    script.wait(RESEND_SECONDS)
    second = script.expect("open", document="main.md")["ref"]
    assert second != first
    for ref in (first, second):
        script.ref = ref
        script.reply("opened", document="main.md", revision=4, seq=0, text="ab")
    assert [told.revision for told in script.told(notices.DocumentOpened)] == [4]
    script.edit([2, "c"])
    script.expect("edit", seq=1, base=4)
