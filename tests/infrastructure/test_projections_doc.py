"""The examples of docs/projections.md give the results that stand there."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.aggregate import Aggregate, Event
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document
from domain.instants import as_microseconds
from domain.message import Message
from domain.profile import Profile
from domain.receipts import Receipts
from domain.retention import Retention
from domain.rights import Role
from domain.room import Room
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import Projector
from infrastructure.views import all_views
from tests.domain.events import collect, edit

PAGE = (Path(__file__).parents[2] / "docs" / "projections.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)\n```", PAGE, re.DOTALL)


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day that the page tells of."""
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


def history() -> list[Event]:
    return [event for aggregate in [*_earlier(), *_lab()] for event in collect(aggregate)]


def _earlier() -> list[Aggregate]:
    return [_hall(), _demo(), *_profiles(), *_stays(), _document(), *_tea(), _retention()]


def _hall() -> Room:
    return Room.open("hall", "Hall", actor="cleo", at=at(8), everyone=Role.COMMENTER)


def _demo() -> Room:
    room = Room.open("demo", "Demo", actor="ada", at=at(9))
    room.add_member("ben", Role.VIEWER, actor="ada", at=at(9, 5))
    room.add_member("ben", Role.EDITOR, actor="ada", at=at(10))
    room.change_access(Role.VIEWER, actor="ada", at=at(11))
    room.remove_member("ben", actor="ada", at=at(17))
    return room


def _profiles() -> list[Profile]:
    ada = Profile.create("ada", "Ada Lovelace", actor="ada", at=at(8))
    ben = Profile.create("ben", "Ben", actor="ben", at=at(8))
    ben.change(name="Adam B.", colour=None, avatar=None, actor="ben", at=at(9))
    return [ada, ben]


def _stays() -> list[Attendance]:
    one, two, three = _stay("s1", "ada", at(9)), _stay("s2", "ada", at(9, 50)), _stay("s3", "ben", at(23))
    one.change_status(Status.EDITING, "derived", actor="ada", at=at(9, 10))
    one.change_status(Status.IDLE, "derived", actor="ada", at=at(9, 40))
    one.leave("left", actor="ada", at=at(10))
    two.leave("left", actor="ada", at=at(10, 30))
    three.change_status(Status.EDITING, "derived", actor="ben", at=at(23, 30))
    return [one, two, three]


def _stay(session: str, user: str, since: datetime) -> Attendance:
    look = Appearance(user, "#4c75f0")
    return Attendance.join(
        "demo", session, client=f"{user}-1", node="node-1", appearance=look, actor=user, at=since
    )


def _document() -> Document:
    document = Document.create("demo", "main.md", actor="ada", at=at(9))
    document.edit(edit("c", 1, 0, ["Hello, world"]), actor="ada", at=at(9, 10))
    document.edit(edit("c", 2, 1, [5, {"d": 7}, "!"]), actor="ada", at=at(9, 20))
    document.edit(edit("c", 3, 2, [6, "?"]), actor="ben", at=at(23, 31))
    return document


def _tea() -> list[Message]:
    return [
        _message("1", "ada", "Tea, anybody?", at(10)),
        _message("2", "ben", "Yes: green tea", at(10, 0) + timedelta(seconds=20)),
        _message("3", "cleo", "For me", at(10, 0) + timedelta(seconds=30), reply_to="1"),
        _message("4", "ada", "Here is tea", at(10, 30) + timedelta(seconds=30)),
    ]


def _lab() -> list[Aggregate]:
    """Positions are known: this is the end of the log, one event after the other."""
    begin = sum(len(collect(aggregate)) for aggregate in _earlier())
    one = _message("1", "ada", "Café au lait is ready", at(12), room="lab")
    one.react("👍", actor="ben", at=at(12, 1))
    two = _message("2", "ada", "@ben: with sugar?", at(12, 2), room="lab")
    three = _message("3", "cleo", "No sugar left", at(12, 3), room="lab")
    receipts = Receipts.begin("lab", "node-1", node="node-1", at=at(12, 4))
    receipts.record([["ben", begin + 4, begin + 3, as_microseconds(at(12, 4))]], at=at(12, 4))
    return [one, two, three, receipts]


def _message(
    message: str, who: str, text: str, moment: datetime, reply_to: str | None = None, room: str = "tea"
) -> Message:
    return Message.post(
        room, message, client="c", text=text, documents={}, actor=who, at=moment, reply_to=reply_to
    )


def _retention() -> Retention:
    retention = Retention.begin("presence", actor="@server", at=at(1))
    retention.drop(date(2026, 10, 23), 7200, kept_days=30, actor="@server", at=at(1))
    return retention


async def test_the_examples_of_the_page_give_what_stands_there(database: Database) -> None:
    log = PostgresLog(database, "record")
    events = history()
    await log.append(events, [None] * len(events))
    await log.disconnect()
    async with await database.connect("test") as connection:
        for view in all_views(database):
            projector = Projector(database, log, view)
            await projector.begin(connection)
            assert await projector.step(connection)
    assert len(EXAMPLES) == PAGE.count("```sql") == 19
    told = [_as_text(await database.fetch(query)) for query, _ in EXAMPLES]
    assert told == [result for _, result in EXAMPLES]


def _as_text(rows: list[Any]) -> str:
    return "\n".join(" | ".join(str(value) for value in row) for row in rows)


async def test_every_table_and_column_is_on_the_page(database: Database) -> None:
    tables = [table for view in all_views(database) for table in view.tables]
    for table in tables:
        rows = await database.fetch(
            "SELECT column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s",
            (table,),
        )
        section = re.split(r"^## ", PAGE[PAGE.index(f"`{table}`") :], maxsplit=1, flags=re.MULTILINE)[0]
        for (column,) in rows:
            assert f"`{column}`" in section, f"{column} of {table}"
