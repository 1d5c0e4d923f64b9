"""How fast the past answers: texts compared, and a bad edit found among 100,000. In this process, on a real
Postgres, so without the way over HTTP. Each question is a function of its own, asked of the one history.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from application.past.bisect import Bisect, Found, Matches, Parses, Question, TextPresent
from application.past.blame import Blame
from application.past.diff import Diff, op_between
from application.past.states import AtRevision, States
from domain.aggregate import Event, Snapshot
from domain.document import Document, DocumentState, Edit
from domain.text_op import Op
from infrastructure.differ import LibraryDiffer
from infrastructure.judge import TextJudges
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.snapshots import SNAPSHOT_EVERY
from interfaces.diff_pages import html
from interfaces.diffs import as_json
from interfaces.load.traces import read
from tests import trace_texts
from tests.benchmarks.harness import Machine, percentile, store_alone

ROOM: Final = "bench"
DOCUMENT: Final = "program.py"
REVISIONS: Final = 100_000
BATCH: Final = 500

# A program of a thousand lines, in which a figure is changed here and there, and from time to time one of the
# remarks at its end is deleted. At the last of these times something is added that does not parse.
LINE: Final = "value_{:04} = 123456789\n"
LINES: Final = 1_000
REMARK: Final = "# remark {:02}\n"
REMARK_EVERY: Final = 5_000
TIMES: Final = REVISIONS // REMARK_EVERY - 1

Figures = dict[str, Any]


async def past(running: Machine) -> Figures:
    """Write a history of 100,000 edits with its snapshots, and ask of it what people ask."""
    async with store_alone(running) as (database, connection):
        await _write(database)
        await connection.execute("ANALYZE record")
        figures: Figures = {}
        for name, ask in QUESTIONS.items():
            figures[name] = await ask(database)
        return figures


async def _write(database: Database) -> None:
    log, reader = PostgresLog(database, "record"), PostgresHistory(database)
    began = datetime.now(UTC) - timedelta(seconds=REVISIONS)
    document = Document.create(ROOM, DOCUMENT, actor="ada", at=began)
    chooser = random.Random(1)
    for revision in range(REVISIONS):
        edit = Edit(
            f"c{revision % 10}", revision // 10 + 1, revision, _op(revision, chooser), "0123456789abcdef"
        )
        document.edit(edit, actor=f"u{revision % 10}", at=began + timedelta(seconds=revision))
        is_round = document.version % SNAPSHOT_EVERY == 0
        if len(document.pending_events) >= BATCH or is_round or revision == REVISIONS - 1:
            events = [cast("Event", event) for event in document.collect_events()]
            await log.append(events, [None] * len(events))
        if is_round:
            await reader.save_snapshot(Snapshot.take(document))
    await log.disconnect()


def _op(revision: int, chooser: random.Random) -> Op:
    program, length = LINES * len(LINE.format(0)), len(LINE.format(0))
    time, is_time = divmod(revision + 1, REMARK_EVERY)
    if revision == 0:
        return ["".join([*map(LINE.format, range(LINES)), *map(REMARK.format, range(1, TIMES))])]
    if is_time == 0 and time < TIMES:
        return [program, {"d": len(REMARK.format(time))}]
    if is_time == 0 and time == TIMES:
        return [program, "(\n"]
    figure = chooser.randrange(LINES) * length + length - 1 - chooser.randint(1, 9)
    return [figure, chooser.choice("123456789"), {"d": 1}]


# Bisect.


async def bisects(database: Database) -> Figures:
    """By a text and a pattern each edit that has deleted a remark; by a parser the one that broke it."""
    differ, judges = LibraryDiffer(), TextJudges()
    try:
        bisect = Bisect(States(TimeTravel(database), _NoNames()), PostgresHistory(database), differ)
        remarks = range(1, TIMES)
        asked: dict[str, list[tuple[Question, int]]] = {
            "text": [(TextPresent(REMARK.format(n)), n * REMARK_EVERY) for n in remarks],
            "regex": [(Matches(rf"(?m)^# remark {n:02}$"), n * REMARK_EVERY) for n in remarks],
            "python": [(Parses("python"), TIMES * REMARK_EVERY)] * 5,
        }
        return {name: await _bisect(bisect, judges, questions) for name, questions in asked.items()}
    finally:
        await differ.close()
        await judges.close()


async def _bisect(bisect: Bisect, judges: TextJudges, questions: list[tuple[Question, int]]) -> Figures:
    took, looked = [], []
    for question, bad in questions:
        began = time.perf_counter()
        steps = [step async for step in bisect.run(ROOM, DOCUMENT, judges.by(question), AtRevision(1))]
        took.append((time.perf_counter() - began) * 1000)
        found = steps[-1]
        assert isinstance(found, Found)
        assert found.bad.revision == bad
        looked.append(len(found.evaluated))
    return {"p50_ms": percentile(took, 50), "max_ms": round(max(took), 1), "texts": max(looked)}


class _NoNames:
    async def names(self, room: str, document: str) -> dict[str, int]:
        return {}


# Diff. The texts are those of recorded editing, and some that were made to be slow.


async def diffs(database: Database) -> Figures:
    """A text compared with the last one: the comparison, an op of it, and how it is told."""
    del database
    differ = LibraryDiffer()
    try:
        figures = {}
        for name, (old, new) in {**_recorded(), **_hostile()}.items():
            figures[name] = await _diff(differ, old, new)
        return figures
    finally:
        await differ.close()


def _recorded() -> dict[str, tuple[str, str]]:
    revisions = {"books-ja": (20, 100), "clownschool": (1_000, 12_000), "sveltecomponent": (1_000, 9_000)}
    found: dict[str, tuple[str, str]] = {}
    for name, chosen in revisions.items():
        *before, last = trace_texts.texts(name, chosen).values()
        found |= {f"{name} from {n}": (text, last) for n, text in zip(chosen, before, strict=True)}
    return found


def _hostile() -> dict[str, tuple[str, str]]:
    letters = [random.Random(seed).choices("abcdefgh \n", k=1_000_000) for seed in (1, 2)]
    lines = [random.Random(seed).choices(["a\n", "b\n"], k=500_000) for seed in (1, 2)]
    same = "x\n" * 100_000
    return {
        "two different MB": ("".join(letters[0]), "".join(letters[1])),
        "two kinds of lines": ("".join(lines[0]), "".join(lines[1])),
        "100,000 equal lines": (same, f"{same}y\n{same}"),
    }


async def _diff(differ: LibraryDiffer, old: str, new: str) -> Figures:
    now = datetime.now(UTC)
    await differ.compare(old, new)  # the first one has to start the program
    compared = await _timed(lambda: differ.compare(old, new))
    made = await _timed(lambda: op_between(differ, old, new))
    comparison = await differ.compare(old, new)
    states = (DocumentState(ROOM, DOCUMENT, n, text, now) for n, text in enumerate((old, new)))
    diff = Diff(next(states), next(states), comparison)
    began = time.perf_counter()
    told = sum(map(len, as_json(diff)))
    json_ms = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    for _ in html(diff):
        pass
    html_ms = (time.perf_counter() - began) * 1000
    return {
        "compare_ms": round(compared, 1),
        "op_ms": round(made, 1),
        "components": len(await op_between(differ, old, new)),
        "places": len(comparison.changed),
        "is_coarse": comparison.is_coarse,
        "json_ms": round(json_ms, 1),
        "json_bytes": told,
        "html_ms": round(html_ms, 1),
    }


# Blame.


async def blames(database: Database) -> Figures:
    """Of recorded editing who wrote what at the end: asked for the first time, and again."""
    figures: Figures = {}
    for name in trace_texts.NAMES:
        text = await _write_recorded(database, name)
        blame = Blame(TimeTravel(database), KeptAttributions(database))
        revision = len(read(trace_texts.TRACES / f"{name}.jsonl.gz").lines)
        began = time.perf_counter()
        spans = await blame.at(ROOM, name, revision)
        first = (time.perf_counter() - began) * 1000
        assert spans[-1].end == len(text)
        again = await _timed(partial(blame.at, ROOM, name, revision))
        figures[name] = {
            "edits": revision,
            "first_ms": round(first, 1),
            "again_ms": again,
            "spans": len(spans),
            "people": len({span.facts.actor for span in spans}),
        }
    return figures


async def _write_recorded(database: Database, name: str) -> str:
    log = PostgresLog(database, "record")
    lines = read(trace_texts.TRACES / f"{name}.jsonl.gz").lines
    began = datetime.now(UTC) - timedelta(seconds=len(lines))
    document = Document.create(ROOM, name, actor="ada", at=began)
    seqs: Counter[int] = Counter()
    for revision, (line, op) in enumerate(zip(lines, trace_texts.committed(lines), strict=True)):
        seqs[line.agent] += 1
        edit = Edit(f"c{line.agent}", seqs[line.agent], revision, op, "0123456789abcdef")
        document.edit(edit, actor=f"u{line.agent}", at=began + timedelta(seconds=revision))
        if len(document.pending_events) >= BATCH or revision == len(lines) - 1:
            events = [cast("Event", event) for event in document.collect_events()]
            await log.append(events, [None] * len(events))
    await log.disconnect()
    return str(document.text)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds, the median of five."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return percentile(took, 50)


QUESTIONS: Final[dict[str, Callable[[Database], Awaitable[Figures]]]] = {
    "diffs": diffs,
    "bisects": bisects,
    "blames": blames,
}
"""All that is asked; whoever has another question adds it here."""
