"""The scripts that all clients play; see tests/scripts/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from domain.errors import OpInvalid
from interfaces.pyclient import notices
from interfaces.pyclient.errors import NotEditable
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.reconnect import Verdict
from interfaces.pyclient.session import ClientSession

Frame = dict[str, Any]
Step = dict[str, Any]

SCRIPTS: Final = Path(__file__).parents[2] / "scripts"
WELCOME: Final[Frame] = orjson.loads((SCRIPTS / "welcome.json").read_bytes())
DOCUMENT: Final = "main.md"


def read_scripts() -> list[Any]:
    return [
        pytest.param(script["steps"], id=f"{path.stem}: {script['name']}")
        for path in sorted(SCRIPTS.glob("*.json"))
        if path.name != "welcome.json"
        for script in orjson.loads(path.read_bytes())
    ]


def edit_event(revision: int, client: str, seq: int, op: list[Any]) -> Frame:
    event = {"event": "edit", "position": 100 + revision, "actor": f"{client}-user", "at": 7}
    return event | {
        "document": DOCUMENT,
        "revision": revision,
        "base": revision - 1,
        "client": client,
        "seq": seq,
        "op": op,
    }


class Player:
    """A session, of which each step does or asks something: the method of its name."""

    def __init__(self) -> None:
        self.session = ClientSession("ada")
        self.now = 100.0
        self.frames: list[Frame] = []
        self.ref: int | None = None
        self.refs: dict[str, int | None] = {}
        self.unsent: list[Frame] = []
        self.replaced = ""
        self.counts = {"done": 0, "refused": 0}

    def play(self, steps: list[Step]) -> None:
        for step in steps:
            name = next(iter(step))
            try:
                getattr(self, f"_on_{name}")(step[name], step)
            except AssertionError as error:
                error.add_note(f"at step {steps.index(step) + 1}: {step}")
                raise
            self._take()
        assert self.frames == []

    def _take(self) -> None:
        self.frames += self.session.frames_to_send()
        for notice in self.session.take_notices():
            self._on_notice(notice)

    def _on_notice(self, notice: Notice) -> None:
        match notice:
            case notices.UnsentText():
                inserted = [part for op in notice.unsaved for part in op if isinstance(part, str)]
                self.unsent.append({"inserted": inserted, "text": notice.text})
            case notices.EditRefused():
                self.unsent.append({"inserted": [part for part in notice.refused if isinstance(part, str)]})
            case notices.DocumentReset():
                self.replaced = notice.text
            case notices.CommandDone():
                self.counts["done"] += 1
            case notices.CommandRefused():
                self.counts["refused"] += 1
            case _:
                pass

    # The socket.

    def _on_connect(self, fields: Frame, step: Step) -> None:
        assert self.frames == []
        self._on_greet({}, step)
        self._take()
        self._on_expect({"type": "hello", **step.get("hello", {})}, {})
        self._on_answer({"type": "welcome", **fields}, {})

    def _on_greet(self, _value: Frame, _step: Step) -> None:
        self.session.on_connected(self.now)

    def _on_expect(self, fields: Frame, step: Step) -> None:
        assert self.frames, "the client says nothing"
        frame = self.frames.pop(0)
        assert {name: frame.get(name) for name in fields} == fields, frame
        self.ref = frame.get("ref")
        if "as" in step:
            self.refs[step["as"]] = self.ref

    def _on_silence(self, _value: bool, _step: Step) -> None:
        assert self.frames == []

    def _on_answer(self, fields: Frame, step: Step) -> None:
        reply = {**fields, "ref": self.refs[step["to"]] if "to" in step else self.ref}
        if fields["type"] == "welcome":
            reply = WELCOME | reply
        if "edits" in fields:
            reply["edits"] = [edit_event(*edit) for edit in fields["edits"]]
        if fields["type"] == "opened":
            reply = {"document": DOCUMENT, "cursors": []} | reply
        self._on_push(reply, step)

    def _on_push(self, frame: Frame, _step: Step) -> None:
        self.session.on_frame(frame, self.now)

    def _on_edited(self, edits: list[Any], step: Step) -> None:
        events = [edit_event(*edit) for edit in edits]
        self._on_push({"type": "events", "position": events[-1]["position"], "events": events}, step)

    def _on_wait(self, seconds: float, _step: Step) -> None:
        # In thousandths, so that what is due in a tenth of a second is due after a tenth of a second.
        self.now = round(self.now + seconds, 3)
        self.session.on_time(self.now + 1e-6)

    def _on_cut(self, code: int | None, step: Step) -> None:
        verdict = self.session.on_disconnected(self.now, code)
        if "verdict" in step:
            assert ("stop" if verdict is Verdict.STOP else "reconnect") == step["verdict"]

    # The person.

    def _on_open(self, fields: Frame, _step: Step) -> None:
        self.session.open(DOCUMENT, self.now, create=fields.get("create", False))

    def _on_opened(self, fields: Frame, step: Step) -> None:
        self._on_open({}, step)
        self._take()
        self._on_expect({"type": "open", "revision": None}, {})
        self._on_answer({"type": "opened", "revision": 4, "seq": 0, "text": "ab", **fields}, {})

    def _on_edit(self, op: list[Any], step: Step) -> None:
        if not step.get("throws"):
            self.session.edit(DOCUMENT, op, self.now)
            return
        with pytest.raises((NotEditable, OpInvalid)):
            self.session.edit(DOCUMENT, op, self.now)

    def _on_cursor(self, ends: list[int], _step: Step) -> None:
        self.session.cursor(DOCUMENT, ends[0], ends[1], self.now)

    def _on_close(self, _value: bool, _step: Step) -> None:
        self.session.close(DOCUMENT)

    def _on_afresh(self, _value: bool, _step: Step) -> None:
        self.session.open_afresh(DOCUMENT, self.now)

    def _on_command(self, frame: Frame, _step: Step) -> None:
        self.session.do(frame, self.now)

    # What must be so.

    def _on_done(self, count: int, _step: Step) -> None:
        assert self.counts["done"] == count

    def _on_refused(self, count: int, _step: Step) -> None:
        assert self.counts["refused"] == count

    def _on_text(self, text: str, _step: Step) -> None:
        assert self.session.replica(DOCUMENT).text == text

    def _on_saved(self, is_saved: bool, _step: Step) -> None:
        assert self.session.replica(DOCUMENT).is_saved is is_saved

    def _on_states(self, states: list[str], _step: Step) -> None:
        replica = self.session.replica(DOCUMENT)
        assert [replica.state_of(edit).value for edit in range(1, replica.local + 1)] == states

    def _on_cursors(self, cursors: dict[str, list[int]], _step: Step) -> None:
        present = self.session.replica(DOCUMENT).cursors
        assert {client: [*cursor] for client, cursor in present.items()} == cursors

    def _on_unsent(self, expected: list[Frame], _step: Step) -> None:
        assert len(self.unsent) == len(expected), self.unsent
        for found, wanted in zip(self.unsent, expected, strict=True):
            assert {name: found.get(name) for name in wanted} == wanted
        self.unsent.clear()

    def _on_replaced(self, text: str, _step: Step) -> None:
        assert self.replaced == text

    def _on_status(self, status: str, _step: Step) -> None:
        present = self.session.status
        assert ("offline" if present is Status.GREETING else present.value) == status

    def _on_given_up(self, is_given_up: bool, _step: Step) -> None:
        assert self.session.close_wanted is is_given_up


@pytest.mark.parametrize("steps", read_scripts())
def test_the_client_plays_the_script(steps: list[Step]) -> None:
    Player().play(steps)
