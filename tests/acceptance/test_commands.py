"""The commands that look back, as a person runs them: beside a server, without one, on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final

import psycopg
import pytest

from domain.instants import as_datetime
from infrastructure.embedded_postgres import find_running
from infrastructure.postgres.migrations import migrate
from infrastructure.rebuild import REBUILD_LOCKS
from interfaces.pyclient.client import Client
from tests.interfaces.replay.pages import Read
from tests.interfaces.server_thread import eventually
from tests.servers import ROOT, ServerProcess, running_server

pytestmark = pytest.mark.slow

# For a line to come: a process has to start on a loaded machine, or to find a server that has just come back.
LINE_SECONDS: Final = 30.0

NEWLINE: Final = "\n"
TEXT: Final = "Grüße, 本\x1b[31m red\r\nno line end"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        asyncio.run(_write(server.url))
        yield server


async def _write(url: str) -> None:
    async with Client(url, "demo", name="Ada") as client:
        document = await client.open("notes.md", create=True)
        document.insert(0, TEXT)
        await document.saved()
        document.delete(0, 7)
        await document.saved()
        await client.post("Done.\x07 Next?")


async def _name(url: str, name: str) -> None:
    async with Client(url, "demo", name="Ada") as client:
        await client.save_revision(await client.open("notes.md"), name)


async def _write_much(url: str) -> None:
    async with Client(url, "demo", name="Ada") as client:
        document = await client.open("much.md", create=True)
        for _ in range(5):
            document.insert(0, "line\n" * 10_000)
            await document.saved()


async def _write_program(url: str) -> None:
    """Seven revisions, of which the fourth and those after it do not parse."""
    async with Client(url, "demo", name="Dora") as client:
        document = await client.open("program.py", create=True)
        for text in ("a = 1\n", "b = 2\n", "c = 3\n", "d = (\n", "e = 5\n", "f = 6\n", "g = 7\n"):
            document.insert(len(document.text), text)
            await document.saved()


@contextmanager
def following(server: ServerProcess, *arguments: str) -> Iterator[Queue[str]]:
    """The lines of a command with -f as they come; it must end as Ctrl-C ends a program."""
    with _running(server, *arguments, "-f") as (process, lines):
        yield lines
        process.send_signal(signal.SIGINT)
        assert process.wait(LINE_SECONDS) == 130


@contextmanager
def ended(server: ServerProcess, *arguments: str) -> Iterator[Queue[str]]:
    """The same of a command that must end by itself."""
    with _running(server, *arguments) as (process, lines):
        yield lines
        assert process.wait(LINE_SECONDS) == 0


@contextmanager
def _running(server: ServerProcess, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Queue[str]]]:
    command = [sys.executable, "-m", "interfaces.cli.main", *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=server.environment,
        stdout=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a shell, Ctrl-C is ignored, and would be by the command.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    lines: Queue[str] = Queue()
    assert process.stdout is not None
    reader = Thread(target=_put_all, args=[process.stdout, lines])
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def _put_all(output: Iterable[str], lines: Queue[str]) -> None:
    for line in output:
        lines.put(line)


def next_with(lines: Queue[str], part: str) -> str:
    """The next line that holds `part`; those before it are passed over."""
    passed: list[str] = []
    while True:
        try:
            line = lines.get(timeout=LINE_SECONDS)
        except Empty:
            raise AssertionError(f"no line with {part!r} after {passed}") from None
        if part in line:
            return line
        passed.append(line)


async def _post(url: str, text: str) -> None:
    async with Client(url, "demo", name="Ben") as client:
        await client.post(text)


async def _type(url: str) -> None:
    async with Client(url, "demo", name="Cleo") as client:
        document = await client.open("typed.md", create=True)
        for _ in range(5):
            document.insert(0, "x")
            await document.saved()


def on_terminal(server: ServerProcess, *arguments: str) -> str:
    """What a command prints when its output is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "interfaces.cli.main", *arguments],
        cwd=ROOT,
        env={**server.environment, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    with suppress(OSError):  # how a terminal says that the other side is gone
        while data := os.read(ours, 65_536):
            printed += data
    os.close(ours)
    assert process.wait(LINE_SECONDS) == 0
    return printed.decode().replace("\r\n", "\n")


def test_a_document_is_printed_exactly(server: ServerProcess) -> None:
    assert server.run("show", "demo", "notes.md").stdout == TEXT[7:].encode()
    assert server.run("show", "demo", "notes.md", "--revision", "1").stdout == TEXT.encode()
    assert server.run("show", "demo", "notes.md", "--revision", "0").stdout == b""


def test_a_document_is_shown_as_of_a_moment(server: ServerProcess) -> None:
    log = server.run("log", "demo", "--json").stdout.splitlines()
    edits = [
        event for event in map(json.loads, log) if event["event"] == "edit" and event["actor"] != "@server"
    ]
    assert len(edits) == 2
    moment = as_datetime(edits[0]["at"]).isoformat()
    assert server.run("show", "demo", "notes.md", "--at", moment).stdout == TEXT.encode()


def test_a_document_is_shown_at_a_place_of_the_log_and_by_name(server: ServerProcess) -> None:
    log = server.run("log", "demo", "--json").stdout.splitlines()
    edits = [
        event for event in map(json.loads, log) if event["event"] == "edit" and event["actor"] != "@server"
    ]
    position = str(edits[0]["position"])
    assert server.run("show", "demo", "notes.md", "--position", position).stdout == TEXT.encode()
    asyncio.run(_name(server.url, "First draft"))
    assert server.run("show", "demo", "notes.md", "--name", "First draft").stdout == TEXT[7:].encode()
    arguments = ("diff", "demo", "notes.md", "--from", f"position:{position}", "--words")
    by_name = server.run(*arguments, "--to", "name:First draft").stdout
    assert by_name == server.run(*arguments, "--to", "2").stdout
    assert "[-Grüße, -]本".encode() in by_name


def test_a_diff_is_printed_for_patch_for_people_and_for_programs(server: ServerProcess) -> None:
    arguments = ("diff", "demo", "notes.md", "--from", "1")
    unified = server.run(*arguments).stdout.decode()
    assert unified.startswith("--- notes.md\t")
    assert f"\n-{TEXT.partition(NEWLINE)[0]}\n+{TEXT[7:].partition(NEWLINE)[0]}\n" in unified
    told = json.loads(server.run(*arguments, "--json").stdout)
    assert (told["old"]["revision"], told["new"]["revision"]) == (1, 2)
    page = server.run(*arguments, "--html").stdout.decode()
    assert page.startswith("<!doctype html>")
    assert '<span class="control">U+001B</span>' in page
    shown = on_terminal(server, *arguments)
    assert "\x1b[31m-" in shown
    assert r"本\x1b[31m red\r" in shown


def test_a_pager_that_has_seen_enough_is_no_failure(server: ServerProcess) -> None:
    asyncio.run(_write_much(server.url))
    done = subprocess.run(
        [
            "/bin/bash",
            "-o",
            "pipefail",
            "-c",
            f"{sys.executable} -m interfaces.cli.main diff demo much.md --from 0 | head -1",
        ],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"--- much.md")


def test_the_edit_that_made_a_document_bad_is_found(server: ServerProcess) -> None:
    asyncio.run(_write_program(server.url))
    for asked in (
        ("--parses", "python"),
        ("--text-absent", "("),
        ("--regex", r"^[^(]*$"),
        ("--run", f"{sys.executable} -c 'import ast, sys; ast.parse(sys.stdin.read())'"),
    ):
        done = server.run("bisect", "demo", "program.py", *asked, "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, found["good"], found["bad"]) == (0, 3, 4)
        assert found["edit"]["user"].startswith("guest-dora")
        assert len(done.stderr.splitlines()) == len(found["evaluated"])
    done = server.run("bisect", "demo", "program.py", "--parses", "python", "--good", "1", "--bad", "now")
    first, *_, looked = done.stdout.decode().splitlines()
    assert "made program.py bad with revision 4" in first
    assert looked.startswith("looked at ")
    shown = on_terminal(server, "bisect", "demo", "program.py", "--parses", "python")
    assert "made program.py bad with revision 4" in shown


def test_a_search_that_hangs_ends(server: ServerProcess) -> None:
    asked = ("--run", "grep -q '(' && sleep 1000; true", "--timeout", "0.5")
    found = json.loads(server.run("bisect", "demo", "program.py", *asked, "--json").stdout)
    assert (found["good"], found["bad"]) == (3, 4)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("show", "demo", "nothing.md"), "there is no document 'nothing.md' in the room 'demo'"),
        (("show", "nowhere", "notes.md"), "there is no document 'notes.md' in the room 'nowhere'"),
        (("show", "demo", "../x"), "there is no document '../x'"),
        (("show", "demo", "notes.md", "--revision", "3"), "notes.md has 2 revisions, not 3"),
        (("show", "demo", "notes.md", "--at", "2001-01-01"), "notes.md was created later"),
        (("show", "demo", "notes.md", "--name", "Nothing"), "none of its revisions has that name"),
        (("show", "demo", "notes.md", "--position", "0"), "not yet at that moment"),
        (("diff", "demo", "notes.md", "--from", "1", "--to", "3"), "notes.md has 2 revisions, not 3"),
        (("diff", "demo", "nothing.md", "--from", "0"), "there is no document 'nothing.md'"),
        (("bisect", "demo", "notes.md", "--parses", "json", "--bad", "9"), "has 2 revisions, not 9"),
        (("bisect", "demo", "notes.md", "--text-present", "x"), "revision 0 is bad, not good"),
        (("bisect", "demo", "notes.md", "--text-absent", "x"), "revision 2 is good, not bad"),
        (("bisect", "demo", "notes.md", "--regex", "("), "no pattern of RE2's: missing ): ("),
        (("bisect", "demo", "notes.md", "--run", "exit 127"), "the command has ended with 127"),
        (("log", "nowhere"), "there is no room 'nowhere'"),
        (("activity", "nowhere"), "there is no room 'nowhere'"),
        (("activity", "no/where"), "there is no room 'no/where'"),
        (("log", "no/where"), "there is no room 'no/where'"),
        (("replay", "nowhere"), "there is no room 'nowhere'"),
        (("replay", "no/where", "--json"), "there is no room 'no/where'"),
    ],
)
def test_what_is_not_there_is_told_and_ends_with_one(
    server: ServerProcess, arguments: tuple[str, ...], complaint: str
) -> None:
    done = server.run(*arguments)
    assert done.returncode == 1
    assert done.stdout == b""
    assert complaint in done.stderr.decode()


def test_the_log_has_a_line_for_everything_in_its_order(server: ServerProcess) -> None:
    lines = server.run("log", "demo").stdout.decode().splitlines()
    after_time = [line.split("  ", 2)[1:] for line in lines if "@server" not in line]
    said = [what for _, what in after_time if not what.startswith(("joined as Ada", "is editing"))]
    assert said[:5] == [
        "document notes.md listed",
        "document notes.md created",
        r'edit in notes.md rev 1: +"Grüße, 本\x1b[31m red\r\nno line end"',
        "edit in notes.md rev 2: −7",
        r"says Done.\x07 Next?",
    ]
    assert all(actor.startswith("guest-ada") for actor, _ in after_time[:5])


def test_a_terminal_gets_a_heading_whole_lines_and_no_escapes_of_others(server: ServerProcess) -> None:
    shown = on_terminal(server, "show", "demo", "notes.md")
    assert "notes.md  revision 2" in shown.splitlines()[0]
    assert r"本\x1b[31m red\r" in shown
    assert shown.endswith("no line end\n")
    assert "\x1b[31m" not in shown


def test_a_terminal_gets_the_log_in_colours_and_no_escapes_of_others(server: ServerProcess) -> None:
    shown = on_terminal(server, "log", "demo")
    assert '\x1b[32m+"Grüße, 本\\x1b[31m red' in shown
    assert "\x07" not in shown


def test_a_reader_that_has_seen_enough_is_no_failure(server: ServerProcess) -> None:
    done = subprocess.run(
        [
            "/bin/bash",
            "-o",
            "pipefail",
            "-c",
            f"{sys.executable} -m interfaces.cli.main log demo --json | true",
        ],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_activity_is_printed_for_people_and_for_programs(server: ServerProcess) -> None:
    def printed() -> str:
        return server.run("activity", "demo").stdout.decode()

    shown = eventually(printed, lambda shown: "left" in shown and "said: " in shown).splitlines()
    said = [line.split("  ", 2)[2] for line in shown]
    assert "added the document notes.md" in said
    assert f"edited notes.md: 2 edits, +{len(TEXT)} −7 characters, revision 0 to 2" in said
    assert r"said: Done.\x07 Next?" in said
    objects = [json.loads(line) for line in server.run("activity", "demo", "--json").stdout.splitlines()]
    assert [line["changed"] for line in objects] == sorted(line["changed"] for line in objects)
    assert "said: Done.\x07 Next?" in [line["line"] for line in objects]


def test_activity_is_followed(server: ServerProcess) -> None:
    with following(server, "activity", "demo") as lines:
        next_with(lines, "opened the room")
        asyncio.run(_post(server.url, "Are you there?"))
        assert "guest-ben" in next_with(lines, "said: Are you there?")
        asyncio.run(_type(server.url))
        assert "guest-cleo" in next_with(lines, "edited typed.md: 5 edits, +5 characters,")


def test_following_goes_on_over_a_restart_of_the_server(server: ServerProcess) -> None:
    with following(server, "log", "demo") as lines, following(server, "log", "demo", "--json") as objects:
        next_with(lines, "opened the room")
        next_with(objects, "room_opened")
        asyncio.run(_post(server.url, "before"))
        assert re.search(r"  guest-ben-\w+  says before$", next_with(lines, "before").rstrip())
        assert json.loads(next_with(objects, "before"))["text"] == "before"
        server.restart()
        asyncio.run(_post(server.url, "after"))
        next_with(lines, "says after")
        next_with(objects, '"after"')


# Replay.


def test_a_replay_has_a_line_for_each_event_with_its_time(server: ServerProcess) -> None:
    lines = server.run("replay", "demo").stdout.decode().splitlines()
    said = [line.split("  ", 2)[2] for line in lines]
    edit = r'edit in notes.md rev 1: +"Grüße, 本\x1b[31m red\r\nno line end"'
    assert said.index("document notes.md listed") < said.index(edit) < said.index(r"says Done.\x07 Next?")
    times = [line[:23] for line in lines]
    assert times == sorted(times)
    others = server.run("replay", "demo", "--document", "welcome.md").stdout.decode()
    assert "edit in notes.md" not in others
    assert "says Done" in others


def test_a_replay_of_a_span_begins_and_ends_there(server: ServerProcess) -> None:
    log = server.run("log", "demo", "--json").stdout.splitlines()
    first, second = (
        event
        for event in map(json.loads, log)
        if event.get("document") == "notes.md" and event["event"] == "edit"
    )
    moments = [as_datetime(edit["at"]).isoformat() for edit in (first, second)]
    told = server.run("replay", "demo", "--json", "--from", moments[0], "--to", moments[1]).stdout
    begin, *steps, end = map(json.loads, told.splitlines())
    assert (begin["type"], end["type"], end["at"]) == ("begin", "end", second["at"])
    texts = {document["document"]: document["text"] for document in begin["stage"]["documents"]}
    assert texts["notes.md"] == TEXT
    edits = [event for step in steps for event in step["events"] if event.get("event") == "edit"]
    assert [edit["revision"] for edit in edits] == [2]


def test_a_replay_is_written_as_a_page_with_the_same_lines(server: ServerProcess, tmp_path: Path) -> None:
    until = as_datetime(time.time_ns() // 1_000).isoformat()
    path = tmp_path / "demo.html"
    done = server.run("replay", "demo", "--to", until, "--html", str(path))
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rf"{path}: \d+ events, \d+ KiB\n", done.stdout.decode())
    told = server.run("replay", "demo", "--to", until, "--json").stdout
    assert Read(path.read_bytes()).lines == [json.loads(line) for line in told.splitlines()]
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_cannot_be_written_leaves_nothing_behind(server: ServerProcess, tmp_path: Path) -> None:
    done = server.run("replay", "demo", "--html", str(tmp_path / "no" / "demo.html"))
    assert done.returncode == 1
    assert b"No such file or directory" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_replay_runs_to_its_end_on_a_terminal_without_a_keyboard(server: ServerProcess) -> None:
    shown = on_terminal(server, "replay", "demo", "--speed", "64", "--skip-idle", "--document", "notes.md")
    assert "notes.md  revision 2" in shown
    assert r"Done.\x07 Next?" in shown
    assert "\x07" not in shown
    assert "\x1b[?1049l" in shown  # the screen is as it was before


def test_a_replay_is_ended_by_a_key(server: ServerProcess) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "interfaces.cli.main", "replay", "demo"],
        cwd=ROOT,
        env={**server.environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    while b"q end" not in printed:
        printed += os.read(ours, 65_536)
    os.write(ours, b" \x1b[C\x1b[C\x1b[Dq")
    with suppress(OSError):
        while os.read(ours, 65_536):
            pass
    os.close(ours)
    assert process.wait(LINE_SECONDS) == 0


# Rebuilding.


def connect(server: ServerProcess) -> psycopg.Connection[Any]:
    dsn = find_running(server.folder)
    assert dsn is not None
    return psycopg.connect(dsn, autocommit=True)


def directory_of(server: ServerProcess) -> list[Any]:
    with connect(server) as connection:
        return connection.execute("SELECT * FROM directory ORDER BY room, document").fetchall()


def test_a_projection_is_rebuilt_while_the_server_runs(server: ServerProcess) -> None:
    before = directory_of(server)
    done = server.run("rebuild", "directory")
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"directory: \d+ events in \d+\.\d s, up to position \d+\n", done.stdout)
    assert directory_of(server) == before
    asyncio.run(_create(server.url, "later.md"))
    end = time.monotonic() + LINE_SECONDS
    while len(directory_of(server)) == len(before):
        assert time.monotonic() < end
        time.sleep(0.02)


async def _create(url: str, name: str) -> None:
    async with Client(url, "demo", name="Ben") as client:
        await client.open(name, create=True)


def test_rows_that_are_not_as_the_log_has_them_are_told_and_put_right(server: ServerProcess) -> None:
    before = directory_of(server)
    with connect(server) as connection:
        connection.execute("UPDATE directory SET modified_by = E'\\x1b[31m' WHERE document = 'notes.md'")
    said, stood, says = server.run("rebuild", "directory", "--compare").stdout.decode().splitlines()
    assert said.endswith("; 2 rows differ")
    assert stood.startswith("- directory (demo,notes.md,2,")
    assert r"\x1b[31m" in stood
    assert says.startswith("+ directory (demo,notes.md,2,")
    assert directory_of(server) == before
    assert server.run("rebuild", "directory", "--compare").stdout.endswith(b"; no row differs\n")


def test_a_second_rebuild_of_the_same_projection_is_refused(server: ServerProcess) -> None:
    with connect(server) as connection:
        connection.execute("SELECT pg_advisory_lock(%s, hashtext('directory'))", (REBUILD_LOCKS,))
        done = server.run("rebuild", "directory")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"chronoscribe: directory is being rebuilt already" in done.stderr


def test_a_terminal_gets_the_report_of_a_rebuild(server: ServerProcess) -> None:
    assert " events in " in on_terminal(server, "rebuild", "directory")


def test_without_a_server_the_commands_start_postgres_and_stop_it(server: ServerProcess) -> None:
    server.terminate()
    try:
        assert find_running(server.folder) is None
        assert server.run("show", "demo", "notes.md").stdout == TEXT[7:].encode()
        assert b"notes.md rev 2" in server.run("log", "demo").stdout
        assert find_running(server.folder) is None
    finally:
        server.start()
    assert server.run("show", "demo", "notes.md").stdout == TEXT[7:].encode()


def test_with_a_database_of_ones_own_the_commands_read_that(database_url: str) -> None:

    async def prepare() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await migrate(connection)

    asyncio.run(prepare())
    with running_server(database_url=database_url, start=False) as server:
        done = server.run("log", "demo")
        assert done.returncode == 1
        assert b"there is no room 'demo'" in done.stderr
