"""The commands that follow what is written, as a person runs them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest

from domain.text_op import Op, replace
from interfaces.pyclient.client import Client
from tests.acceptance.test_commands import ended, next_with, on_terminal
from tests.guests import guest
from tests.interfaces.server_thread import eventually
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

DOCUMENT = "fox.md"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        asyncio.run(_write(server.url))
        yield server


async def _write(url: str) -> None:
    """Ada writes three lines, Ben changes the second, which Ada has moved before; the last has an escape."""
    async with Client(url, "demo", name="Ada") as ada, Client(url, "demo", name="Ben") as ben:
        hers = await ada.open(DOCUMENT, create=True)
        hers.insert(0, "One\nThe quick fox\nThree\x1b[31m\n")
        await hers.saved()
        hers.insert(0, "Zero\n")
        await hers.saved()
        his = await ben.open(DOCUMENT)
        his.edit(replace(13, 5, "slow"))
        await his.saved()


def plain(server: ServerProcess, *arguments: str) -> list[str]:
    done = server.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def said(lines: list[str]) -> list[str]:
    """Without the times."""
    return [line.split("  ", 1)[1] for line in lines]


def test_the_edits_that_touched_a_passage_are_printed_oldest_first(server: ServerProcess) -> None:
    began, changed = said(plain(server, "watch", "demo", DOCUMENT, "--lines", "3:3"))
    assert began.startswith("guest-ada")
    assert began.endswith(r"  rev 1: {+The quick fox\n+}")
    assert changed.startswith("guest-ben")
    assert changed.endswith(r"  rev 3: The [-quick-]{+slow+} fox\n")


def test_a_range_is_in_the_text_of_its_revision_and_may_be_gone_by_now(server: ServerProcess) -> None:
    *edits, gone = plain(server, "watch", "demo", DOCUMENT, "--range", "8:13", "--revision", "1")
    assert [line.split("  ")[2] for line in edits] == ["rev 1: {+quick+}", "rev 3: [-quick-]"]
    assert gone == "nothing of it is left since revision 3"


def test_with_a_limit_it_is_told_where_there_are_more(server: ServerProcess) -> None:
    more, edit = plain(server, "watch", "demo", DOCUMENT, "--lines", "3:3", "--limit", "1")
    assert more == "… there are more, from revision 2 on"
    assert "rev 3: " in edit


def test_programs_get_the_lines_of_http(server: ServerProcess) -> None:
    printed = plain(server, "watch", "demo", DOCUMENT, "--lines", "3:3", "--json")
    lines = [json.loads(line) for line in printed]
    assert [(line["type"], line["direction"], line["revision"]) for line in lines] == [
        ("end", "back", 0),
        ("edit", "back", 1),
        ("edit", "back", 3),
        ("end", "forward", 3),
    ]
    assert lines[0]["why"] == "began"
    assert [piece["kind"] for piece in lines[2]["pieces"]] == ["kept", "deleted", "inserted", "kept"]


def test_a_terminal_gets_changes_in_the_colour_of_who_made_them_and_no_escapes_of_others(
    server: ServerProcess,
) -> None:
    shown = on_terminal(server, "watch", "demo", DOCUMENT, "--lines", "3:4")
    assert re.search(r"The \x1b\[9;\d+m\[-quick-\]\x1b\[0m\x1b\[1;\d+m{\+slow\+}\x1b\[0m fox", shown)
    assert "Three\\x1b[31m" in shown
    assert "Three\x1b[31m" not in shown


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ((DOCUMENT, "--lines", "4:6"), 1, "there are no lines 4 to 6, but 1 to 4"),
        ((DOCUMENT, "--range", "5:5"), 1, "a passage begins before it ends"),
        ((DOCUMENT, "--range", "0:400"), 1, "the passage reaches beyond the end of the text"),
        ((DOCUMENT, "--range", "0:1", "--limit", "0"), 2, "there is nothing to watch so"),
        ((DOCUMENT, "--range", "0:1", "--revision", "9"), 1, f"{DOCUMENT} has 3 revisions, not 9"),
        (("nothing.md", "--range", "0:1"), 1, "there is no document 'nothing.md'"),
    ],
)
def test_what_cannot_be_watched_is_told(
    server: ServerProcess, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = server.run("watch", "demo", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert complaint in done.stderr.decode()


async def _edit(url: str, document: str, op: Op) -> None:
    async with Client(url, "demo", name="Cleo") as client:
        opened = await client.open(document, create=True)
        opened.edit(op)
        await opened.saved()


def test_a_passage_is_followed_until_it_is_gone(server: ServerProcess) -> None:
    """Over edits elsewhere, which move it and are not printed; then the command ends by itself."""
    asyncio.run(_edit(server.url, "followed.md", ["Here it is."]))
    command = ("watch", "demo", "followed.md", "--range", "0:7", "-f")
    with ended(server, *command) as lines:
        next_with(lines, "rev 1: {+Here it+}")
        asyncio.run(_edit(server.url, "followed.md", ["Look! "]))
        asyncio.run(_edit(server.url, "followed.md", [10, " again"]))
        line = next_with(lines, "rev ")
        assert "rev 3: Here{+ again+} it" in line
        assert "guest-cleo" in line
        asyncio.run(_edit(server.url, "followed.md", [6, {"d": "Here again it"}]))
        next_with(lines, "rev 4: [-Here again it-]")
        next_with(lines, "nothing of it is left since revision 4")


# Phrases.


@pytest.fixture(scope="module")
def searched(server: ServerProcess) -> ServerProcess:
    """With a document that is off the list by now."""
    asyncio.run(_edit(server.url, "old.md", ["The old fox"]))
    by = guest(server.url, "Ada")
    by.ask("DELETE", "/api/rooms/demo/documents/old.md")
    return server


def test_when_a_phrase_was_there_is_printed_newest_first(server: ServerProcess) -> None:
    gone, there = said(plain(server, "phrases", "demo", DOCUMENT, "quick fox"))
    assert re.fullmatch(rf"guest-ben-\w+  gone since rev 3 of {DOCUMENT}: .*The quick fox\\nThree.*", gone)
    assert re.fullmatch(rf"guest-ada-\w+  there since rev 1 of {DOCUMENT}: .*The quick fox\\nThree.*", there)
    [there] = said(plain(server, "phrases", "demo", DOCUMENT, "o"))
    assert f"there since rev 1 of {DOCUMENT} (3 times at the most): " in there
    [never] = plain(server, "phrases", "demo", DOCUMENT, "wolf")
    assert never == f"{DOCUMENT} never had it, in 3 revisions"


def test_a_room_is_searched_for_what_is_there_and_what_is_gone(searched: ServerProcess) -> None:
    def printed() -> list[str]:
        """Until the directory knows the document that is off the list."""
        return plain(searched, "search", "demo", "FOX", "--ignore-case")

    lines = eventually(printed, lambda lines: len(lines) == 4)
    assert sorted(lines[:2]) == [
        rf"{DOCUMENT} (revision 3, once): Zero\nOne\nThe slow fox\nThree\x1b[31m\n",
        "old.md (revision 1, once): The old fox",
    ]
    assert [line.split("  ")[2].partition(":")[0] for line in lines[2:]] == [
        "there since rev 1 of old.md",
        f"there since rev 1 of {DOCUMENT}",
    ]
    gone = said(plain(searched, "search", "demo", "quick", "--document", DOCUMENT))
    assert [line.split("  ")[1].partition(":")[0] for line in gone] == [
        f"gone since rev 3 of {DOCUMENT}",
        f"there since rev 1 of {DOCUMENT}",
    ]
    assert plain(searched, "search", "demo", "e", "--limit", "1")[-1] == (
        "… there is more: see --limit and --document"
    )


def test_what_was_found_is_lines_of_http_for_programs(searched: ServerProcess) -> None:
    printed = plain(searched, "search", "demo", "quick", "--json")
    assert [json.loads(line)["type"] for line in printed] == ["life", "document", "end"]
    printed = plain(searched, "phrases", "demo", DOCUMENT, "slow", "--json")
    assert [json.loads(line)["type"] for line in printed] == ["life", "document"]


def test_a_terminal_gets_what_is_found_marked_behind_a_bar_that_goes_away(searched: ServerProcess) -> None:
    shown = on_terminal(searched, "search", "demo", "slow", "--document", DOCUMENT)
    assert "The \x1b[7mslow\x1b[0m fox" in shown
    before, after = shown.split("reading", 1)
    assert f"{DOCUMENT}\x1b[0m (revision 3, once)" in before
    assert f"there since rev 3 of {DOCUMENT}: " in after
    assert r"Three\x1b[31m" in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("search", "nowhere", "x"), "there is no room 'nowhere'"),
        (("search", "no/where", "x"), "there is no room 'no/where'"),
        (("search", "demo", "x", "--document", "no.md"), "there is no document 'no.md' in the room 'demo'"),
        (("search", "demo", ""), "a phrase has 1 to 200 characters"),
        (("phrases", "demo", DOCUMENT, "x" * 201), "a phrase has 1 to 200 characters"),
        (("phrases", "demo", "no.md", "x"), "there is no document 'no.md' in the room 'demo'"),
    ],
)
def test_what_cannot_be_looked_for_is_told(
    searched: ServerProcess, arguments: tuple[str, ...], complaint: str
) -> None:
    done = searched.run(*arguments)
    assert (done.returncode, done.stdout) == (1, b"")
    assert complaint in done.stderr.decode()


# Moments.


def test_the_moment_of_a_character_is_printed_with_the_room_as_it_was(server: ServerProcess) -> None:
    def printed() -> list[str]:
        """Until the tables have what was done afterwards."""
        return plain(server, "moment", "demo", DOCUMENT, "--position", "14", "--around", "50")

    lines = eventually(printed, lambda lines: any("  left" in line for line in lines))
    edit, *room = lines
    assert re.search(
        rf"  guest-ben-\w+  rev 3 of {DOCUMENT}, position 14 “l”: .*The \[-quick-\]{{\+slow\+}} fox", edit
    )
    here = room[1 : room.index("documents")]
    assert sorted(line.split(" (")[0].strip() for line in here) == ["Ada", "Ben"]
    documents = room[room.index("documents") + 1 : room.index("said")]
    assert f"  {DOCUMENT}  rev 3" in documents
    done = room[room.index("done") + 1 :]
    marked = done.index(f"  → rev 3 of {DOCUMENT}")
    assert any(f"edited {DOCUMENT}" in line for line in done[:marked])
    assert any("  left" in line for line in done[marked:])


def test_the_moment_of_a_revision_is_one_object_for_programs(server: ServerProcess) -> None:
    [line] = plain(server, "moment", "demo", DOCUMENT, "--revision", "2", "--json")
    told = json.loads(line)
    assert (told["revision"], told["inserted"], told["written"]) == (2, 5, None)
    assert told["user"].startswith("guest-ada")


def test_a_terminal_gets_a_moment_in_colours(server: ServerProcess) -> None:
    shown = on_terminal(server, "moment", "demo", DOCUMENT, "--position", "14")
    assert re.search(r"\x1b\[1;\d+m{\+slow\+}\x1b\[0m", shown)
    assert "\x1b[1mhere\x1b[0m" in shown
    assert "Three\\x1b[31m" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ((DOCUMENT,), 2, "say a position, a revision or both"),
        ((DOCUMENT, "--position", "999"), 1, "there is no character at this position"),
        ((DOCUMENT, "--revision", "0"), 1, "there is no such edit"),
        ((DOCUMENT, "--revision", "9"), 1, f"{DOCUMENT} has 3 revisions, not 9"),
        (("no.md", "--position", "0"), 1, "there is no document 'no.md'"),
    ],
)
def test_what_is_no_moment_is_told(
    server: ServerProcess, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = server.run("moment", "demo", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert complaint in done.stderr.decode()
