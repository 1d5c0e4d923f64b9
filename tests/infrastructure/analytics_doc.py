"""Writes docs/analytics.md: the columns of the views as the database has them, and each question with its SQL
and what the sample rooms answer. A test compares.

    python -m tests.infrastructure.analytics_doc
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infrastructure.postgres.audit import PostgresAuditor, questions
from infrastructure.postgres.database import Database
from interfaces.cli.tables import as_table
from projections.questions import Question

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "analytics.md"

# What is asked beside the room, and how much of the answer is shown.
SHOWN: Final[Mapping[str, Mapping[str, Any]]] = {
    "who_edited_what": {"from": "2026-11-16T00:00Z", "to": "2026-11-23T00:00Z"},
    "who_could_read": {"document": "books.md", "at": "2026-11-19T15:00Z"},
    "who_is_new_or_gone": {"from": "2026-11-22T00:00Z", "to": "2026-11-24T00:00Z"},
    "activity_by_hour": {"zone": "Europe/Prague"},
    "largest_pastes": {"least": 400},
    "presence_without_editing": {"to": "2026-11-24T00:00Z"},
}
ROOM: Final = "atelier"

_COLUMNS: Final = """
SELECT relname::text, attname::text, format_type(atttypid, NULL), col_description(attrelid, attnum)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'analytics'::regnamespace AND attnum > 0 ORDER BY relname, attnum
"""
_VIEWS: Final = """
SELECT relname::text, obj_description(oid) FROM pg_class
WHERE relnamespace = 'analytics'::regnamespace ORDER BY relname
"""


async def written(database: Database) -> str:
    """The document as it has to be: what stands between its marks is made anew."""
    text = DOCUMENT.read_text("utf-8")
    for mark, made in (("columns", await _columns(database)), ("questions", await _questions(database))):
        head, _, rest = text.partition(f"<!-- {mark} -->\n")
        _, end, tail = rest.partition(f"<!-- end of {mark} -->")
        assert end, mark
        text = f"{head}<!-- {mark} -->\n{made}{end}{tail}"
    return text


async def _columns(database: Database) -> str:
    columns = await database.fetch(_COLUMNS)
    parts = []
    for view, what in await database.fetch(_VIEWS):
        rows = [f"| `{of}` | `{name}` | {kind} | {told} |" for of, name, kind, told in columns if of == view]
        parts.append(
            f"**{view}**: {what}.\n\n| view | column | type | |\n|---|---|---|---|\n" + "\n".join(rows)
        )
    return "\n" + "\n\n".join(parts) + "\n\n"


async def _questions(database: Database) -> str:
    return "\n" + "\n".join([await _shown(database, question) for question in questions().values()])


async def _shown(database: Database, question: Question) -> str:
    given = SHOWN.get(question.name, {})
    options = "".join(f" --{name} {value}" for name, value in given.items())
    async with PostgresAuditor(database).ask(question, {"room": ROOM, **given}) as found:
        rows = [row async for page in found.pages for row in page]
        answer = "\n".join(as_table(found.columns, rows))
    return (
        f"### {question.title}\n\n{question.what}\n\n"
        f"```sql\n{question.file}```\n\n"
        f"`chronoscribe audit {question.name} --room {ROOM}{options}`\n\n```text\n{answer}\n```\n"
    )


async def _write(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        DOCUMENT.write_text(await written(database), "utf-8")
    finally:
        await database.close()


def main() -> None:
    import shutil
    import tempfile

    from infrastructure.embedded_postgres import EmbeddedPostgres
    from tests.infrastructure.sample_rooms import make_sample

    home = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    try:
        with EmbeddedPostgres(home, durable=False) as server:
            url = server.start()
            asyncio.run(make_sample(url))
            asyncio.run(_write(url))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
