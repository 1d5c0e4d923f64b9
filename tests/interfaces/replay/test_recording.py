"""The player's half without a page, in Node: at every step it shows what the stage says, in Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attendance import Status
from domain.errors import ClientError
from interfaces.replay.page import SCRIPTS
from tests.domain.strategies import ATOMS
from tests.interfaces.replay.sessions import Session

NODE: Final = shutil.which("node")
SCRIPT: Final = Path(__file__).with_name("fold.js")
PLAYER: Final = Path(__file__).parents[3] / "interfaces" / "replay"

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node here to run the player in")

USERS: Final = ("ada", "ben", "cleo")
DOCUMENTS: Final = ("main.md", "plan.py")
STATUSES: Final = (Status.EDITING, Status.RUNNING, Status.IDLE, Status.AWAY)

Fold = Callable[[list[Any]], Any]


@pytest.fixture(scope="module")
def fold() -> Iterator[Fold]:
    """What `fold.js` answers to the lines of a replay."""
    assert NODE is not None
    with subprocess.Popen(
        [NODE, str(SCRIPT), *(str(PLAYER / name) for name in SCRIPTS[:2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        given, told = node.stdin, node.stdout

        def ask(lines: list[Any]) -> Any:
            given.write(json.dumps(lines) + "\n")
            given.flush()
            return json.loads(told.readline())

        yield ask
        given.close()


class Command(NamedTuple):
    """`number` and `other` choose among what there is to choose."""

    what: str
    user: str
    document: str
    number: int
    other: int
    text: str
    seconds: float


class Acting:
    """Does what commands say, as far as it can be done."""

    def __init__(self) -> None:
        self.session = Session()

    def run(self, command: Command) -> None:
        self.session.wait(command.seconds)
        getattr(self, f"_{command.what}")(command)

    def _join(self, command: Command) -> None:
        self.session.join(command.user)

    def _leave(self, command: Command) -> None:
        if self.session.is_here(command.user):
            self.session.leave(command.user)

    def _status(self, command: Command) -> None:
        if self.session.is_here(command.user):
            self.session.change_status(command.user, STATUSES[command.number % 4])

    def _rename(self, command: Command) -> None:
        if self.session.is_here(command.user):
            self.session.rename(command.user, f"{command.user} 😀 {command.number}")

    def _list(self, command: Command) -> None:
        self.session.list_document(command.document, is_listed=command.number % 3 > 0)

    def _edit(self, command: Command) -> None:
        document = self.session.documents.get(command.document)
        if document is None:
            return
        base = max(0, document.revision - command.other % 4)
        length = len(document.text_at(base))
        start = command.number % (length + 1)
        deleted = min(command.other % 4, length - start)
        op: list[Any] = [start] if start else []
        op += [command.text] if command.text else []
        op += [{"d": deleted}] if deleted else []
        if command.text or deleted:
            self.session.edit(command.user, command.document, op, base)

    def _move(self, command: Command) -> None:
        document = self.session.documents.get(command.document)
        if document is None or not self.session.is_here(command.user):
            return
        revision = document.revision
        length = len(document.text)
        anchor, head = command.number % (length + 1), (command.number + command.other) % (length + 1)
        self.session.move(command.user, command.document, anchor, head, revision)

    def _hide(self, command: Command) -> None:
        if command.document in self.session.documents:
            self.session.hide(command.user, command.document)

    def _type(self, command: Command) -> None:
        where = command.document if command.number % 2 else ""
        self.session.type(command.user, where, is_typing=command.other % 3 > 0)

    def _say(self, command: Command) -> None:
        self.session.say(command.user, f"{command.text}!", self._some_message(command))

    def _some_message(self, command: Command) -> str | None:
        names = list(self.session.messages)
        return names[command.number % len(names)] if names else None

    def _change_message(self, command: Command) -> None:
        name = self._some_message(command)
        if name is None:
            return
        session, text = self.session, f"{command.text} @ada"
        acts: tuple[Callable[[], None], ...] = (
            lambda: session.react(command.user, name, "👍"),
            lambda: session.react(command.user, name, "1️⃣"),
            lambda: session.react(command.user, name, "👍", is_reacted=False),
            lambda: session.reword(name, text),
            lambda: session.pin(command.user, name, is_pinned=command.number % 2 > 0),
            lambda: session.erase(name),
        )
        acts[command.other % len(acts)]()


_WHATS: Final = (
    *["edit"] * 8,
    *["move"] * 4,
    *("join", "join", "leave", "status", "rename", "list", "list", "hide", "type", "say"),
    *["change_message"] * 2,
)

_COMMANDS: Final = st.builds(
    Command,
    st.sampled_from(_WHATS),
    st.sampled_from(USERS),
    st.sampled_from(DOCUMENTS),
    st.integers(0, 40),
    st.integers(0, 11),
    st.lists(st.sampled_from(ATOMS), max_size=3).map("".join),
    st.sampled_from([0, 0.05, 1, 11]),
)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    acting = Acting()
    acting.session.list_document("main.md")
    for user in USERS:
        acting.session.join(user)
    for command in draw(st.lists(_COMMANDS, min_size=20, max_size=60)):
        try:
            acting.run(command)
        except ClientError:
            continue  # such as of a message that is deleted
    return acting.session


def as_shown(stage: Any) -> Any:
    """A stage without what the player does not keep."""
    documents = [{**told, "length": len(told["text"])} for told in stage["documents"]]
    people = [
        {**person, "typing": person["typing"] and {"document": person["typing"]["document"]}}
        for person in stage["people"]
    ]
    return {"documents": documents, "people": people, "messages": stage["messages"]}


def as_staged(state: Any) -> Any:
    """A state of the player, with of a message only what a stage has of it."""
    messages = [
        {name: value for name, value in message.items() if name not in {"event", "actor", "at"}}
        for message in state["messages"]
    ]
    return {**state, "messages": messages}


@given(sessions())
def test_at_every_step_the_player_shows_what_the_stage_says(fold: Fold, session: Session) -> None:
    lines, stages = session.told()
    answer = fold(lines)
    assert [as_staged(state) for state in answer["states"]] == [as_shown(stage) for stage in stages]
    assert answer["isSameAnywhere"]


@given(sessions(), st.data())
def test_a_replay_that_begins_in_the_middle_has_the_same_texts_and_messages(
    fold: Fold, session: Session, data: st.DataObject
) -> None:
    since = data.draw(st.integers(0, len(session.steps)))
    lines, stages = session.told(since)
    for state, stage in zip(fold(lines)["states"], stages, strict=True):
        shown = as_staged(state)
        assert shown["documents"] == as_shown(stage)["documents"]
        assert shown["messages"] == stage["messages"]
