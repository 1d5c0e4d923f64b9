"""Recorded sessions on a real server, over real sockets: every copy equal, and the past all there.

The server is `chronoscribe serve` with a Postgres of its own; the load is `chronoscribe load`. What is
compared with what the server says is folded here by the plain algebra.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest

from application.past.blame import Blame, Span
from domain.document import EditApplied
from domain.ids import document_stream
from domain.text_op import apply
from domain.undo import as_ranges
from infrastructure.embedded_postgres import EmbeddedPostgres, find_running
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.time_travel import TimeTravel
from interfaces.cli.store import reading
from interfaces.load.run import LoadRun
from interfaces.load.traces import read
from tests.guests import guest
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

TRACES: Final = Path(__file__).parents[1] / "traces"
ROOM: Final = "traces"

# A single author types as fast as he is acknowledged; the limits are for people.
NO_LIMITS: Final[dict[str, Any]] = {"edits_per_second": 100_000, "frames_per_second": 200_000}

# What a loaded machine needs for the longest of them, several times over.
LOAD_SECONDS: Final = 600.0

# The long single author's session begins with its pastes and largest edits; its rest is more of the same.
SVELTE_LINES: Final = 2_000

# Each costs a fold from the last snapshot on, so not all 27,000 of them are asked for: all of the short
# session with its large edits, and of the others one in so many and those around each snapshot.
REVISIONS_STEP: Final = 29
SNAPSHOT_EVERY: Final = 1_000

# Revisions of each at which one asks who wrote what, and spans of it that are taken back.
BLAMED: Final = 20
TAKEN_BACK: Final = 12


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(**NO_LIMITS) as server:
        yield server


@pytest.fixture(scope="module")
def loaded(server: ServerProcess) -> dict[str, dict[str, Any]]:
    """What `chronoscribe load` says of each document."""
    both = (("books-ja", "clownschool"), ("sveltecomponent", "--lines", str(SVELTE_LINES)))
    with ThreadPoolExecutor() as pool:  # the one waits where the other works
        documents = list(chain.from_iterable(pool.map(lambda what: _load(server, *what), both)))
    return {document["document"]: document for document in documents}


def _load(server: ServerProcess, *arguments: str) -> list[dict[str, Any]]:
    traces = [str(TRACES / f"{name}.jsonl.gz") if name[0].isalpha() else name for name in arguments]
    done = server.run("load", "--url", server.url, "--room", ROOM, "--json", *traces, seconds=LOAD_SECONDS)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    print(report)
    found: list[dict[str, Any]] = report["documents"]
    return found


def test_recorded_sessions_end_in_the_recorded_text_everywhere(loaded: dict[str, dict[str, Any]]) -> None:
    for name, document in loaded.items():
        lines = SVELTE_LINES if name == "sveltecomponent" else None
        trace = read(TRACES / f"{name}.jsonl.gz", lines)
        assert document["is_as_recorded"] is True
        assert document["sha256"] == trace.sha256
        assert document["clients"] == len(trace.agents)
        assert document["edits"] == len(trace.lines)
    assert len(loaded) == 3


async def test_every_text_is_the_same_after_a_restart(
    server: ServerProcess, loaded: dict[str, dict[str, Any]]
) -> None:
    await asyncio.to_thread(server.restart)
    reader = await asyncio.to_thread(guest, server.url)
    for name, document in loaded.items():
        now = await asyncio.to_thread(reader.ask, "GET", f"/api/rooms/{ROOM}/documents/{name}")
        assert sha256(now["text"].encode()).hexdigest() == document["sha256"]
        assert now["revision"] == document["revision"]


async def test_every_revision_is_what_its_first_edits_make(
    server: ServerProcess, loaded: dict[str, dict[str, Any]]
) -> None:
    dsn = find_running(server.folder)
    assert dsn is not None
    async with reading(dsn) as (history, database):
        past = TimeTravel(database)
        for name, document in loaded.items():
            stream = document_stream(ROOM, name)
            edits = await history.edits(stream, 0, document["revision"])
            text = ""
            for revision in range(document["revision"] + 1):
                if revision:
                    assert edits[revision - 1].revision == revision
                    text = apply(text, edits[revision - 1].op)
                if _is_asked_for(revision, document["revision"]):
                    found = await past.at_revision(stream, revision)
                    assert found is not None
                    assert (found.revision, found.text) == (revision, text)
            assert sha256(text.encode()).hexdigest() == document["sha256"]
            assert await past.at_revision(stream, document["revision"] + 1) is None


def _is_asked_for(revision: int, last: int) -> bool:
    is_near_snapshot = (revision + 3) % SNAPSHOT_EVERY < 6
    return last < SNAPSHOT_EVERY or revision % REVISIONS_STEP == 0 or is_near_snapshot or revision == last


async def test_every_character_is_told_to_be_of_who_wrote_it(
    server: ServerProcess, loaded: dict[str, dict[str, Any]]
) -> None:
    dsn = find_running(server.folder)
    assert dsn is not None
    async with reading(dsn) as (history, database):
        blame = Blame(TimeTravel(database), KeptAttributions(database))
        for name, document in loaded.items():
            edits = await history.edits(document_stream(ROOM, name), 0, document["revision"])
            written: list[int] = []
            asked = range(0, document["revision"] + 1, max(1, document["revision"] // BLAMED))
            for edit in edits:
                _write(written, edit)
                if edit.revision in asked:
                    spans = await blame.at(ROOM, name, edit.revision)
                    told = [(span.revision, span.facts.actor) for span in spans for _ in _positions(span)]
                    assert told == [(revision, edits[revision - 1].actor) for revision in written]
            assert len({edit.actor for edit in edits}) == document["clients"]


def _positions(span: Span) -> range:
    return range(span.start, span.end)


def _write(written: list[int], edit: EditApplied) -> None:
    """Which edit wrote each character, by the plainest of ways."""
    position = 0
    for component in edit.op:
        if isinstance(component, int):
            position += component
        elif isinstance(component, str):
            written[position:position] = [edit.revision] * len(component)
            position += len(component)
        else:
            del written[position : position + len(str(component["d"]))]


async def test_whatever_was_done_in_a_recorded_session_is_taken_back_alone(
    server: ServerProcess, loaded: dict[str, dict[str, Any]]
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    dsn = find_running(server.folder)
    assert dsn is not None
    async with reading(dsn) as (history, database):
        past = TimeTravel(database)
        blame = Blame(past, KeptAttributions(database))
        for name, document in loaded.items():
            stream, last = document_stream(ROOM, name), document["revision"]
            edits = await history.edits(stream, 0, last)
            present = await past.now(stream)
            assert present is not None
            written: list[int] = []
            for edit in edits:
                _write(written, edit)
            for first, until in ((last, last), (last - last // 10, last), *_spans(chance, last)):
                by = chance.choice(edits[first - 1 : until]).actor
                chosen = [edit.revision for edit in edits[first - 1 : until] if edit.actor == by]
                unravelled = await blame.unravelled(stream, chosen[0] - 1, last, limit=last)
                taken = unravelled.take_back(as_ranges(chosen))
                assert taken is not None
                after = apply(present.text, taken.op)
                kept = "".join(c for c, r in zip(present.text, written, strict=True) if r not in set(chosen))
                assert _is_within(kept, after)
                back = sum(len(component) for component in taken.op if isinstance(component, str))
                assert len(after) == len(kept) + back
                if by == edits[-1].actor and len(chosen) == last + 1 - chosen[0]:
                    before = await past.at_revision(stream, chosen[0] - 1)
                    assert before is not None
                    assert after == before.text


def _spans(chance: random.Random, last: int) -> Iterator[tuple[int, int]]:
    for _ in range(TAKEN_BACK):
        first = chance.randint(1, last)
        yield first, min(last, first + chance.choice((0, 10, 500)))


def _is_within(kept: str, text: str) -> bool:
    """Whether all of `kept` stands in `text`, in order."""
    rest = iter(text)
    return all(character in rest for character in kept)


async def test_the_command_line_shows_a_revision_exactly(
    server: ServerProcess, loaded: dict[str, dict[str, Any]]
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    dsn = find_running(server.folder)
    assert dsn is not None
    async with reading(dsn) as (history, _):
        for name, document in loaded.items():
            revision = chance.randint(0, document["revision"])
            text = ""
            for edit in await history.edits(document_stream(ROOM, name), 0, revision):
                text = apply(text, edit.op)
            shown = await asyncio.to_thread(server.run, "show", ROOM, name, "--revision", str(revision))
            assert shown.returncode == 0, shown.stderr
            assert shown.stdout == text.encode()


async def test_agents_on_two_nodes_see_the_same(durable_postgres: Callable[[], EmbeddedPostgres]) -> None:
    dsn = durable_postgres().start()
    with (
        running_server(database_url=dsn, **NO_LIMITS) as one,
        running_server(database_url=dsn, **NO_LIMITS) as other,
    ):
        run = LoadRun([one.url, other.url], ROOM)
        run.add_trace(read(TRACES / "clownschool.jsonl.gz", 1_500), "clownschool")
        run.add_trace(read(TRACES / "books-ja.jsonl.gz"), "books-ja")
        run.add_typing(10, 20, "typing", seed="two nodes")
        report = await run.run()
    assert [document["is_as_recorded"] for document in report["documents"]] == [None, True, None]


async def test_a_session_goes_on_over_a_killed_server() -> None:
    with running_server(**NO_LIMITS) as server:
        run = LoadRun([server.url], ROOM)
        run.add_trace(read(TRACES / "clownschool.jsonl.gz", 1_500), "clownschool")
        run.add_trace(read(TRACES / "books-ja.jsonl.gz"), "books-ja")
        restarts: list[asyncio.Future[None]] = []

        def kill_at_a_third(edits: int) -> None:
            if edits > 500 and not restarts:
                server.kill()
                restarts.append(asyncio.ensure_future(asyncio.to_thread(server.start)))

        report = await run.run(kill_at_a_third)
        await asyncio.gather(*restarts)
    assert restarts
    assert [document["is_as_recorded"] for document in report["documents"]] == [None, True]


def test_a_session_that_ends_otherwise_than_recorded_is_a_failure(
    server: ServerProcess, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.gz"
    with gzip.open(TRACES / "books-ja.jsonl.gz", "rt") as source, gzip.open(changed, "wt") as target:
        header = json.loads(next(source))
        header["final"]["sha256"] = "0" * 64
        target.writelines([json.dumps(header) + "\n", *source])
    done = server.run("load", str(changed), "--url", server.url, "--room", ROOM, "--document", "changed")
    assert done.returncode == 1
    assert b"recorded was 0000" in done.stderr
    assert done.stdout == b""


def test_a_document_that_is_not_new_is_not_loaded_into(server: ServerProcess) -> None:
    first = server.run("load", "--typing", "2", "--edits", "5", "--url", server.url, "--document", "used")
    assert first.returncode == 0, first.stderr
    again = server.run("load", "--typing", "2", "--edits", "5", "--url", server.url, "--document", "used")
    assert again.returncode == 1
    assert b"used is not empty" in again.stderr
