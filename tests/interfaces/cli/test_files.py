"""The commands that write files: whole ones, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from interfaces.cli.main import main
from interfaces.cli.whole_files import whole_file
from interfaces.export import cells
from tests.interfaces.conftest import Stored
from tests.interfaces.quarter import ROOM


@pytest.fixture(autouse=True)
def _here(quarter: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", quarter.url)
    monkeypatch.chdir(tmp_path)


def test_an_export_writes_a_file_that_is_named_for_what_it_is(
    quarter: Stored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", ROOM]) == 0
    lines = (tmp_path / f"{ROOM}-events.jsonl").read_bytes().splitlines()
    assert len(lines) == sum(not event.TOPIC.startswith("profile.") for event in quarter.events)
    assert f"{ROOM}-events.jsonl: {len(lines):,} rows" in capsys.readouterr().out
    assert main(["export", "--all", "--format", "parquet", "--out", "all.parquet"]) == 0
    assert pq.read_metadata(tmp_path / "all.parquet").num_rows == len(quarter.events)


def test_an_export_can_be_piped(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["export", ROOM, "--out", "-", "--to", "2026-10-05T07:52:00Z"]) == 0
    [line] = capfdbinary.readouterr().out.splitlines()
    assert json.loads(line)["topic"] == "room.opened"


def test_a_file_that_cannot_be_written_to_its_end_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept.csv").write_text("as before")

    def break_off(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(cells, "lines_of", break_off)
    assert main(["export", ROOM, "--format", "csv", "--out", "kept.csv"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
    assert (tmp_path / "kept.csv").read_text() == "as before"


def test_a_report_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", ROOM, "--from", "2026-10-06T00:00Z", "--to", "2026-10-12T00:00Z"]) == 0
    assert (tmp_path / f"{ROOM}-report.html").read_text("utf-8").startswith("<!doctype html>")
    assert "events" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (["export", "nowhere"], 1, "there is no room 'nowhere'"),
        (["report", "nowhere"], 1, "there is no room 'nowhere'"),
        (["report", "no/room"], 1, "there is no room 'no/room'"),
        (["export", ROOM, "--from", "2026-10-06", "--to", "2026-10-05"], 2, "ends before it begins"),
        (["report", ROOM, "--from", "2026-10-06", "--to", "2026-10-05"], 2, "ends before it begins"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    asked: list[str], status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked) == status
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_whole_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with whole_file(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
