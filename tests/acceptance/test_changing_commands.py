"""The commands that change a document, as a person runs them beside a server in which others are at work."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import NamedTuple

import pytest

from interfaces.pyclient.client import Client
from tests.acceptance.test_commands import LINE_SECONDS, on_terminal
from tests.servers import ROOT, ServerProcess, running_server

pytestmark = pytest.mark.slow


_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


class Written(NamedTuple):
    """A document that Ada has begun and Ben has gone on with, and who they are."""

    server: ServerProcess
    document: str
    ada: str
    ben: str

    def run(self, command: str, *arguments: str, status: int = 0) -> str:
        done = self.server.run(command, "demo", self.document, *arguments)
        assert done.returncode == status, (done.stdout, done.stderr)
        return (done.stdout if status == 0 else done.stderr).decode()

    def text(self, document: str | None = None) -> str:
        return self.server.run("show", "demo", document or self.document).stdout.decode()


@pytest.fixture
def written(server: ServerProcess) -> Written:
    name = f"notes-{next(_numbers)}.md"
    return Written(server, name, *asyncio.run(_write(server.url, name)))


async def _write(url: str, name: str) -> tuple[str, str]:
    async with Client(url, "demo", name="Ada") as ada, Client(url, "demo", name="Ben") as ben:
        hers = await ada.open(name, create=True)
        hers.insert(0, "one\ntwo\nthree\n")
        await hers.saved()
        his = await ben.open(name)
        his.insert(7, " and\x1b[31m")
        await his.saved()
        assert ada.user
        assert ben.user
        return ada.user, ben.user


# Blame.


def test_each_line_is_printed_with_the_newest_edit_in_it(written: Written) -> None:
    lines = written.run("blame").splitlines()
    told = [line.split() for line in lines]
    assert [(words[0], words[1], words[4]) for words in told] == [
        ("1", written.ada, "1"),
        ("2", written.ben, "2"),
        ("1", written.ada, "3"),
    ]
    assert lines[1].endswith(r"2  two and\x1b[31m")
    assert written.run("blame", "--revision", "1").count(written.ada) == 3


def test_each_part_is_printed_by_its_place(written: Written) -> None:
    lines = written.run("blame", "--spans").splitlines()
    assert [line.split("  ", 3)[3] for line in lines] == [
        r'0–7  "one\ntwo"',
        r'7–16  " and\x1b[31m"',
        r'16–23  "\nthree\n"',
    ]


def test_programs_get_the_json_of_http(written: Written) -> None:
    told = json.loads(written.run("blame", "--json"))
    assert [(line["number"], line["author"]) for line in told["lines"]] == [
        (1, written.ada),
        (2, written.ben),
        (3, written.ada),
    ]
    assert told["people"].get(written.ada) == "Ada"
    assert len(json.loads(written.run("blame", "--json", "--spans"))["spans"]) == 3


def test_a_terminal_shows_people_in_their_colours_and_no_escapes_of_theirs(written: Written) -> None:
    shown = on_terminal(written.server, "blame", "demo", written.document)
    assert "\x1b[31m" not in shown
    assert f"m{written.ada}" in shown


# What changes something.


def test_the_diff_is_shown_and_what_is_wanted_is_done(written: Written) -> None:
    before = written.text()
    preview = written.run("undo", "--as", written.ada, "--user", written.ben, "--preview")
    assert "\n-two and\x1b[31m\n+two\n" in preview
    assert written.text() == before
    assert written.run("undo", "--as", written.ada, "--user", written.ben, "--yes").endswith(
        f"this is revision 3 of {written.document}\n"
    )
    assert written.text() == "one\ntwo\nthree\n"
    assert (
        written.run("undo", "--as", written.ada, "--user", written.ben, "--yes") == "there is nothing to do\n"
    )
    written.run("redo", "--as", written.ada, "--yes")
    assert written.text() == before


def test_what_is_selected_is_taken_back(written: Written) -> None:
    selected = ("--user", written.ben, "--since", "2000-01-01", "--until", "2999-01-01")
    written.run("undo", "--as", written.ada, *selected, "--yes")
    assert written.text() == "one\ntwo\nthree\n"
    written.run("undo", "--as", written.ada, "--revisions", "1:1", "--range", "4:23@2", "--yes")
    assert written.text() == "one\n"


def test_a_text_is_restored_by_revision_time_and_name(written: Written) -> None:
    before = written.text()
    written.run("restore", "--as", written.ben, "--revision", "1", "--yes")
    assert written.text() == "one\ntwo\nthree\n"
    written.run("restore", "--as", written.ben, "--revision", "2", "--yes")
    assert written.text() == before
    assert "has 4 revisions" in written.run(
        "restore", "--as", written.ben, "--revision", "9", "--yes", status=1
    )
    assert written.run("restore", "--as", written.ben, "--at", "2000-01-01", "--yes", status=1)
    assert written.run("restore", "--as", written.ben, "--name", "nothing", "--yes", status=1)


def test_a_branch_is_made_edited_and_merged(written: Written) -> None:
    branch = f"b-{written.document}"
    said = written.run("branch", branch, "--revision", "1", "--as", written.ben)
    assert said == f"{branch} has begun with revision 1 of {written.document}\n"
    asyncio.run(_type(written.server.url, branch, 0, "zero\n"))
    of_branch = written._replace(document=branch)
    assert "+zero\n" in of_branch.run("merge", "--as", written.ben, "--preview")
    of_branch.run("merge", "--as", written.ben, "--yes")
    assert written.text() == "zero\none\ntwo and\x1b[31m\nthree\n"
    assert of_branch.run("merge", "--as", written.ben, "--yes") == "there is nothing to do\n"
    assert "no branch" in written.run("merge", "--as", written.ben, "--yes", status=1)


async def _type(url: str, document: str, position: int, text: str) -> None:
    async with Client(url, "demo", name="Cleo") as client:
        opened = await client.open(document)
        opened.insert(position, text)
        await opened.saved()


def test_who_is_in_the_room_sees_it_at_once(written: Written) -> None:
    async def watch() -> str:
        async with Client(written.server.url, "demo", name="Vera") as vera:
            opened = await vera.open(written.document)
            changed = asyncio.Event()
            vera.on("edit", lambda edit: changed.set() if edit.cause == "undo" else None)
            undo = asyncio.to_thread(written.run, "undo", "--as", written.ben, "--mine", "--yes")
            await asyncio.gather(undo, asyncio.wait_for(changed.wait(), LINE_SECONDS))
            return opened.text

    assert asyncio.run(watch()) == "one\ntwo\nthree\n"


def test_where_nobody_can_be_asked_nothing_is_done(written: Written) -> None:
    before = written.text()
    complaint = written.run("undo", "--as", "ada", "--revision", "1", status=2)
    assert "nobody can be asked here" in complaint
    assert "no such revision" in written.run("undo", "--as", "ada", "--revision", "9", "--yes", status=1)
    assert written.text() == before


def test_who_may_not_edit_changes_nothing(written: Written) -> None:
    async def close_to_others() -> str:
        async with Client(written.server.url, "demo", name="Olga") as olga:
            room = (await olga.api.create_room(everyone="viewer"))["room"]
            await olga.api.create_document(room, "a.md")
            return str(room)

    room = asyncio.run(close_to_others())
    done = written.server.run("undo", room, "a.md", "--as", written.ada, "--mine", "--yes")
    assert (done.returncode, done.stdout) == (1, b"")
    done = written.server.run("restore", "nowhere", "a.md", "--as", written.ada, "--revision", "0", "--yes")
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize(("answer", "is_done"), [("y", True), ("", False)])
def test_on_a_terminal_is_asked(written: Written, answer: str, *, is_done: bool) -> None:
    before = written.text()
    shown = answered(written, answer, "undo", "demo", written.document, "--as", written.ben, "--mine")
    assert "Do this? [y/N]" in shown
    assert "\x1b[" in shown
    assert (written.text() != before) is is_done


def answered(written: Written, answer: str, *arguments: str) -> str:
    """What a command prints on a terminal on which somebody answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "interfaces.cli.main", *arguments],
        cwd=ROOT,
        env={**written.server.environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    is_asked = False
    with suppress(OSError):
        while data := os.read(ours, 65_536):
            printed += data
            if b"[y/N]" in printed and not is_asked:
                is_asked = True
                os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    assert process.wait(LINE_SECONDS) == 0, printed
    return printed.decode()


def test_without_a_server_a_command_does_the_same() -> None:
    with running_server() as server:
        ada, _ = asyncio.run(_write(server.url, "alone.md"))
        server.terminate()
        done = server.run("undo", "demo", "alone.md", "--as", ada, "--mine", "--yes")
        assert done.returncode == 0, done.stderr
        assert server.run("show", "demo", "alone.md").stdout == b" and\x1b[31m"
        unknown = server.run("undo", "demo", "nothing.md", "--as", ada, "--mine", "--yes")
        assert (unknown.returncode, unknown.stdout) == (1, b"")
