"""What the commands take, and how they refuse."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.rebuild import Difference, Rebuilt
from interfaces.cli import load, past, progress, rebuild
from interfaces.cli.failures import CommandFailed
from interfaces.cli.main import MODULES, main, parser

BOOKS = str(Path(__file__).parents[2] / "traces" / "books-ja.jsonl.gz")


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "", "１", "9" * 17])
def test_a_revision_is_a_whole_number(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["show", "demo", "main.md", f"--revision={text}"])
    assert "is no whole number" in capsys.readouterr().err


def test_a_time_with_an_offset_is_that_moment() -> None:
    expected = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
    assert past.moment_of("2026-11-23T14:05:00+01:00") == expected
    assert past.moment_of("2026-11-23T13:05Z") == expected


def test_a_time_without_an_offset_is_the_time_here() -> None:
    moment = past.moment_of("2026-11-23T14:05")
    assert moment.utcoffset() is not None
    assert moment.replace(tzinfo=None) == datetime(2026, 11, 23, 14, 5)  # noqa: DTZ001


def test_a_revision_and_a_time_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["show", "demo", "main.md", "--revision", "1", "--at", "2026-01-01"])
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "x", "nan", "inf", ""])
def test_a_speed_is_above_zero(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["load", "t", f"--speed={text}"])
    assert "is no number above 0" in capsys.readouterr().err


def test_speeds_have_names() -> None:
    assert load.speed("max") is None
    assert load.speed("real") == 1.0
    assert load.speed("2.5") == 2.5


def test_one_trace_goes_into_the_document_that_is_named() -> None:
    assert load.documents(["clownschool"], ["notes.md"]) == ["notes.md"]


def test_documents_are_named_after_their_traces() -> None:
    assert load.documents(["a", "b"], []) == ["a", "b"]
    assert load.documents(["a", "b"], ["doc"]) == ["doc-a", "doc-b"]
    assert load.documents(["a", "b"], ["x", "y"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("names", "given"),
    [(["a", "a"], []), (["a", "b"], ["x", "x"]), (["a", "b", "c"], ["x", "y"]), (["..a"], [])],
)
def test_each_trace_needs_a_good_document_of_its_own(names: list[str], given: list[str]) -> None:
    with pytest.raises(CommandFailed) as failed:
        load.documents(names, given)
    assert failed.value.status == 2


@pytest.mark.parametrize("arguments", [[], [BOOKS, "--typing", "3"], [BOOKS, "--room", "no room"]])
def test_a_load_asked_wrongly_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", *arguments]) == 2
    assert capsys.readouterr().err.startswith("chronoscribe: ")


def test_a_projection_that_there_is_not_ends_with_two_and_the_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rebuild", "everything"]) == 2
    assert "there is no projection 'everything', but: directory" in capsys.readouterr().err


def test_the_report_of_a_rebuild_says_how_much_and_how_fast() -> None:
    rebuilt = Rebuilt(260_001, 260_000, 0, None)
    assert rebuild.report("directory", rebuilt, 3.25) == (
        "directory: 260,000 events in 3.2 s, up to position 260,001"
    )


def test_the_report_of_a_rebuild_says_what_was_parked_and_what_differed() -> None:
    assert rebuild.report("d", Rebuilt(9, 9, 2, ()), 1.0).endswith(
        "; 2 of them could not be taken in and are parked; no row differs"
    )
    found = [
        Difference("d", False, 30, tuple(f"({n})" for n in range(20))),
        Difference("d", True, 1, ("\x1b",)),
    ]
    assert rebuild.report("d", Rebuilt(9, 9, 0, tuple(found)), 1.0).endswith("; 31 rows differ")
    lines = list(rebuild.differences_of(found))
    assert (len(lines), lines[0], lines[-1]) == (21, "- d (0)", "and 11 more")
    assert list(rebuild.differences_of(found[1:])) == [r"+ d \x1b"]


def test_without_a_terminal_a_line_now_and_then_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say = progress.line_now_and_then("directory")
    say(1, 5_000)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    say(2_000, 5_000)
    assert capsys.readouterr().err == "directory: 2,000 of 5,000\n"


def test_a_file_that_is_no_trace_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", str(tmp_path / "missing")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_load_without_a_server_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", BOOKS, "--url", "http://127.0.0.1:1"]) == 1
    assert "no answer from http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["show", "demo", "main.md"],
        ["log", "demo"],
        ["log", "demo", "-f"],
        ["activity", "demo"],
        ["rebuild", "directory"],
    ],
)
def test_a_folder_without_data_is_told_and_not_filled(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main([*command, "--data", str(tmp_path / "none")]) == 1
    assert f"there is no data in {tmp_path / 'none'}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_database_without_a_log_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert main(["show", "demo", "main.md"]) == 1
    assert "this database holds no log" in capsys.readouterr().err


def test_percentiles_are_said_in_milliseconds() -> None:
    assert load.milliseconds({"p50": 1.24, "p95": 10.0, "p99": 1234.5}) == "p50 1.2  p95 10.0  p99 1,234.5 ms"
    assert load.milliseconds(None) == "by nobody"


def test_the_report_names_who_agrees() -> None:
    document = {"document": "a.md", "clients": 3, "revision": 9, "length": 5, "sha256": "d08"}
    report = {
        "clients": 4,
        "edits": 23_136,
        "seconds": 29.2,
        "edits_per_second": 792.3,
        "sent_bytes": 1_000,
        "received_bytes": 2_000,
        "ack_ms": {"p50": 1.0},
        "peer_ms": None,
        "documents": [
            {**document, "is_as_recorded": True},
            {**document, "document": "b.md", "clients": 1, "sha256": "e1c", "is_as_recorded": None},
        ],
    }
    text = load.as_text(report)
    assert "23,136 by 4 clients in 29.2 s: 792 edits/s" in text
    assert "sha256 d08: all 3 clients and the server, as recorded" in text
    assert text.endswith("sha256 e1c: the client and the server")


def test_time_here_and_elsewhere_are_told_apart() -> None:
    assert past.moment_of("2026-11-23T14:05:00+00:00") - past.moment_of(
        "2026-11-23T14:05:00+02:00"
    ) == timedelta(hours=2)


def test_a_port_that_is_taken_is_told(
    durable_postgres: Callable[[], EmbeddedPostgres],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", durable_postgres().start())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    assert "address already in use" in capsys.readouterr().err


def test_a_command_is_known_by_the_module_that_is_loaded_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Only that one is loaded, so that a command starts at once; for the help it is all of them."""
    with pytest.raises(SystemExit):
        main(["--help"])
    helped = capsys.readouterr().out
    for name in MODULES:
        assert re.search(rf"^    {name}\s", helped, re.MULTILINE), name
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: chronoscribe {name} ")
    with pytest.raises(SystemExit):
        main(["no-such-command"])
    assert "invalid choice: 'no-such-command'" in capsys.readouterr().err


def test_a_command_does_not_load_the_others() -> None:
    program = (
        "import sys, interfaces.cli.main as m; m.parser('show'); print('interfaces.cli.load' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout == b"False\n"
    )
