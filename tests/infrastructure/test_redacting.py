"""Text that is removed from a room is nowhere in its store, and all that was there beside it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from application.documents import digest
from application.past.past import Past
from application.past.redact import Target
from application.past.undo import Passage, Selection
from application.services import Services
from domain.aggregate import Snapshot
from domain.document import Edit
from domain.errors import Corrupt, Forbidden, TextInvalid
from domain.ids import document_stream, message_stream
from domain.phrase import Phrase
from domain.redaction import RedactionMade
from domain.rights import Role
from domain.text_op import Op
from infrastructure.node import Node
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.proof.verify import verify
from infrastructure.rebuild import Rebuild
from infrastructure.views import all_views
from tests.infrastructure.nodes import a_node
from tests.infrastructure.proof.stores import tampering
from tests.waiting import until

SECRET = "hunter2"
STREAM = document_stream("demo", "main.md")


class Room:
    """A room of Ada's on one node, in which she and others write."""

    def __init__(self, node: Node, services: Services) -> None:
        self.node = node
        self.services = services
        self.past: Past = node.past(services)
        self.seqs: dict[tuple[str, str], int] = {}

    async def open(self) -> None:
        await self.services.rooms.open("demo", "Demo", actor="ada", everyone=Role.EDITOR)
        await self.services.documents.create("demo", "main.md", actor="ada")

    async def text(self, document: str = "main.md") -> str:
        return str((await self.services.documents.get("demo", document)).text)

    async def edit(self, op: Op, *, by: str = "ada", document: str = "main.md") -> int:
        """The revision that it made, or one behind it."""
        base = (await self.services.documents.get("demo", document)).revision
        seq = self.seqs[document, by] = self.seqs.get((document, by), 0) + 1
        edit = Edit(f"{by}-1", seq, base, op, digest(base, op))
        await self.services.documents.edit("demo", document, edit, actor=by)
        return (await self.services.documents.get("demo", document)).revision

    async def type(self, position: int, text: str, **how: Any) -> None:
        for at, letter in enumerate(text, position):
            await self.edit([at, letter] if at else [letter], **how)

    async def say(self, message: str, text: str, by: str = "ada") -> None:
        await self.services.messages.post(
            "demo", message, client=f"{by}-1", text=text, documents={}, actor=by
        )

    async def redact(self, target: Target, actor: str = "ada") -> RedactionMade | None:
        redacting = self.node.redacting(self.services)
        done = await redacting.redact("demo", target, reason="a password", actor=actor)
        if done is None:
            return None
        await until(lambda: self.node.record.feed.position >= done.position)
        assert isinstance(done.event, RedactionMade)
        return done.event

    async def texts(self, document: str = "main.md") -> list[str]:
        """At each revision, by the log."""
        stream = document_stream("demo", document)
        now = await self.node.time_travel.now(stream)
        assert now is not None
        states = [await self.node.time_travel.at_revision(stream, n) for n in range(now.revision + 1)]
        return [state.text for state in states if state is not None]

    async def projected(self) -> None:
        end = await self.node.history.position()
        for view in all_views(self.node.database):
            await _until_read(self.node.database, view.name, end)


async def _until_read(database: Database, view: str, end: int) -> None:
    async with asyncio.timeout(20):
        while True:
            rows = await database.fetch(
                "SELECT notification_id FROM tracking WHERE application_name = %s", (view,)
            )
            if rows and rows[0][0] >= end:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with a_node(database) as (node, services):
        room = Room(node, services)
        await room.open()
        yield room


def dump(url: str) -> str:
    """All rows of all tables, as text; what is stored as bytes, too."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = [
            str(value)
            for (name,) in names
            for row in connection.execute(f"SELECT * FROM {name}".encode(), binary=True)
            for value in row
        ]
    return "\n".join(rows)


def everything_is_sound(url: str) -> None:
    verdict = verify(url, workers=1)
    assert verdict.findings.first == []
    assert verdict.redacted > 0


async def test_a_secret_is_gone_from_every_past_and_present_text(room: Room, migrated_url: str) -> None:
    await room.edit(["key = \n"])
    await room.type(6, SECRET)
    await room.say("m1", f"It is {SECRET}, keep it")
    await room.edit([6, {"d": 7}], by="ben")
    await room.past.undo.undo("demo", "main.md", Selection(9, 9), actor="ada")
    await room.edit([{"d": 2}], by="ben")
    before = await room.texts()
    assert before[-1] == f"y = {SECRET}\n"

    made = await room.redact(Target(phrase=Phrase(SECRET)))

    assert made is not None
    assert (made.documents, made.messages, made.reason) == (["main.md"], ["m1"], "a password")
    assert await room.text() == "y = ███████\n"
    after = await room.texts()
    assert after == [*(text[:6] + "█" * (len(text) - 7) + text[-1:] for text in before[:9]), *after[9:]]
    assert after[9:] == ["key = \n", "key = ███████\n", "y = ███████\n", "y = ███████\n"]
    await room.projected()
    assert SECRET not in dump(migrated_url)
    everything_is_sound(migrated_url)
    message = await room.node.record.lives.get(message_stream("demo", "m1"))
    assert message is not None
    assert message.text == "It is ███████, keep it"


async def test_blame_undo_branches_and_edits_go_on_after_it(room: Room, migrated_url: str) -> None:
    await room.edit([f"one {SECRET}\n"])
    await room.edit(["zero\n"], by="ben")
    branches = room.past.branches
    await branches.start("demo", "main.md", 2, "try.md", actor="ben")
    await room.edit([{"d": 5}], by="cem", document="try.md")
    await room.edit([9, {"d": 7}], by="cem")
    made = await room.redact(Target(phrase=Phrase(SECRET), document="main.md"))
    assert made is not None
    assert made.documents == ["main.md", "try.md"]
    assert await room.text("try.md") == "one ███████\n"
    await room.past.undo.undo("demo", "main.md", Selection(3, 3), actor="ada")
    assert await room.text() == "zero\none ███████\n"
    await room.edit([16, "!"], by="cem")
    await branches.merge("demo", "try.md", actor="cem")
    state = await room.node.time_travel.now(STREAM)
    assert state is not None
    assert SECRET not in state.text
    spans = await room.past.blame.at("demo", "main.md", state.revision)
    assert {span.facts.actor for span in spans if "█" in state.text[span.start : span.end]} == {"ada"}
    assert SECRET not in dump(migrated_url)
    everything_is_sound(migrated_url)


async def test_one_event_is_redacted_again_and_again(room: Room, migrated_url: str) -> None:
    await room.edit(["alpha beta gamma"])
    await room.say("m1", "alpha beta gamma")
    for phrase in ("beta", "alpha", "gamma"):
        assert await room.redact(Target(phrase=Phrase(phrase))) is not None
        everything_is_sound(migrated_url)
    assert (await room.texts())[1] == "█████ ████ █████"
    await room.projected()
    found = dump(migrated_url)
    assert not any(word in found for word in ("alpha", "beta", "gamma"))


async def test_a_passage_goes_wherever_its_letters_came_to_stand(room: Room) -> None:
    await room.edit(["keep this, lose that"])
    await room.edit([11, {"d": 5}], by="ben")
    await room.redact(Target(document="main.md", passage=Passage(1, 11, 20)))
    assert await room.texts() == ["", "keep this, █████████", "keep this, ████", "keep this, ████"]


async def test_all_that_somebody_wrote_goes_and_nothing_else(room: Room, migrated_url: str) -> None:
    await room.edit(["ada and "])
    await room.edit([8, "ben"], by="ben")
    await room.edit([2, {"d": 7}], by="cem")
    await room.say("m1", "by ada")
    await room.say("m2", "by ben", by="ben")
    made = await room.redact(Target(author="ben"))
    assert made is not None
    assert (made.author, made.messages) == ("ben", ["m2"])
    await room.projected()
    assert await room.texts() == ["", "ada and ", "ada and ███", "ad██", "ad██"]
    found = dump(migrated_url)
    assert "by ada" in found
    assert "by ben" not in found
    everything_is_sound(migrated_url)


async def test_a_message_goes_whether_or_not_it_was_deleted(room: Room, migrated_url: str) -> None:
    await room.say("m1", SECRET)
    await room.services.messages.delete("demo", "m1", actor="ada")
    await room.say("m2", f"not {SECRET}")
    made = await room.redact(Target(message="m1"))
    assert made is not None
    assert made.messages == ["m1"]
    assert f"not {SECRET}" in dump(migrated_url)
    assert dump(migrated_url).count(SECRET) >= 1
    assert await room.redact(Target(phrase=Phrase(SECRET))) is not None
    await room.projected()
    assert SECRET not in dump(migrated_url)


async def test_what_was_never_there_leaves_no_trace(room: Room) -> None:
    await room.edit(["text"])
    position = await room.node.history.position()
    assert await room.redact(Target(phrase=Phrase(SECRET))) is None
    assert await room.node.history.position() == position


async def test_only_owners_remove_and_only_with_a_reason(room: Room) -> None:
    await room.edit([SECRET])
    redacting = room.node.redacting(room.services)
    with pytest.raises(Forbidden):
        await room.redact(Target(phrase=Phrase(SECRET)), actor="ben")
    with pytest.raises(TextInvalid):
        await redacting.redact("demo", Target(phrase=Phrase(SECRET)), reason=" ", actor="ada")


async def test_what_was_altered_before_is_not_made_to_look_right(room: Room, migrated_url: str) -> None:
    revision = await room.edit([SECRET])
    with tampering(migrated_url) as connection:
        connection.execute("UPDATE record SET actor = 'ben' WHERE originator_version = %s", (revision + 1,))
        connection.execute("ALTER TABLE record ENABLE TRIGGER ALL")
    with pytest.raises(Corrupt):
        await room.redact(Target(phrase=Phrase(SECRET)))
    assert not verify(migrated_url, workers=1).is_sound


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET state = 'x'",
        "UPDATE record SET actor = 'x'",
        "DELETE FROM record",
        "UPDATE record_chain SET link = ''",
        "DELETE FROM record_chain",
    ],
)
async def test_the_database_lets_through_nothing_but_a_redaction_that_says_so(
    room: Room, migrated_url: str, statement: str
) -> None:
    await room.edit(["text"])
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute("SET chronoscribe.redaction = 'redaction:demo/forged'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement.encode())


async def test_the_other_node_forgets_it_and_goes_on(room: Room, migrated_url: str) -> None:
    database = Database(migrated_url)
    await database.open()
    try:
        async with a_node(database) as (node, services):
            other = Room(node, services)
            await room.edit([f"one {SECRET} "])
            assert await other.text() == f"one {SECRET} "
            made = await room.redact(Target(phrase=Phrase(SECRET)))
            assert made is not None
            end = await node.history.position()
            await until(lambda: node.record.feed.position >= end)
            await other.edit([12, "two"], by="ben")
            live = await node.record.lives.get(STREAM)
            assert live is not None
            assert str(live.text) == "one ███████ two"
            assert SECRET not in str([event.op for event in live.window])
            await node.close()  # which keeps snapshots of what is in memory
    finally:
        await database.close()
    assert SECRET not in dump(migrated_url)


async def test_a_snapshot_of_before_is_not_kept_after(room: Room, migrated_url: str) -> None:
    await room.edit([SECRET])
    live = await room.node.record.lives.get(STREAM)
    assert live is not None
    before, heard = Snapshot.take(live), room.node.record.feed.position
    await room.redact(Target(phrase=Phrase(SECRET)))
    await room.node.history.save_snapshot(before, heard)
    assert await room.node.database.fetch("SELECT * FROM snapshots") == []
    after = Snapshot.take(await room.node.record.lives.get(STREAM))
    await room.node.history.save_snapshot(after, room.node.record.feed.position)
    assert len(await room.node.database.fetch("SELECT * FROM snapshots")) == 1
    assert SECRET not in dump(migrated_url)


async def test_it_is_removed_while_people_write_it_again_and_again(room: Room, migrated_url: str) -> None:
    await room.edit([f"{SECRET} "])
    writing = True

    async def write(by: str) -> None:
        while writing:
            await room.edit([f"{by} "], by=by)
            await asyncio.sleep(0.001)

    writers = [asyncio.create_task(write(by)) for by in ("ben", "cem", "dee")]
    await asyncio.sleep(0.05)
    for _ in range(3):
        await room.edit([f"{SECRET} "])
        made = await room.redact(Target(phrase=Phrase(SECRET)))
        assert made is not None
    writing = False
    await asyncio.gather(*writers)
    assert SECRET not in await room.text()
    assert SECRET not in "".join(await room.texts())
    await room.projected()
    assert SECRET not in dump(migrated_url)
    everything_is_sound(migrated_url)


async def test_the_tables_made_anew_are_those_that_there_are(room: Room) -> None:
    await room.say("m1", f"It is {SECRET}, {SECRET}!")
    await room.edit([f"{SECRET}"])
    await room.services.messages.edit("demo", "m1", f"No: {SECRET}", actor="ada")
    await room.redact(Target(phrase=Phrase(SECRET)))
    await room.projected()
    for view in all_views(room.node.database):
        rebuild = Rebuild(room.node.database, PostgresLog(room.node.database, "record"), view)
        rebuilt = await rebuild.run(lambda done, end: None, is_comparing=True)
        assert [d for d in rebuilt.differences or () if d.count] == [], view.name
