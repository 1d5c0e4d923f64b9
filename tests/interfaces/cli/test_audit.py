"""`chronoscribe audit` and `chronoscribe analyst`, on the sample rooms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest
from rich.cells import cell_len

from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.audit import questions
from interfaces.cli import analyst
from interfaces.cli.audit import VARIABLES
from interfaces.cli.main import main
from tests.conftest import new_database
from tests.infrastructure.sample_rooms import OTHER, ROOM


class Done(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(sample_url: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command on the sample rooms."""
    return _runner(sample_url, monkeypatch, capfdbinary)


def _runner(url: str, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[bytes]) -> Run:
    monkeypatch.setenv("DATABASE_URL", url)

    def run(*arguments: str) -> Done:
        captured.readouterr()
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = captured.readouterr()
        return Done(status, out.decode(), err.decode())

    return run


def test_without_a_question_all_are_listed(run: Run) -> None:
    done = run("audit")
    assert done.status == 0
    for question in questions().values():
        assert question.name in done.out
        assert question.title in done.out


def test_every_question_can_be_asked_on_a_terminal_with_all_that_it_asks_for(run: Run) -> None:
    asked = {variable.name for question in questions().values() for variable in question.variables}
    assert asked == VARIABLES.keys()
    for question in questions().values():
        done = run("audit", question.name, "--room", ROOM)
        assert done.status == 0, done.err
        head, rule, *lines = done.out.splitlines()
        assert head.startswith("room ")
        assert set(rule) == {"-", " "}
        assert all(line.startswith(ROOM) for line in lines), question.name


def test_a_table_is_aligned_also_with_wide_characters(run: Run) -> None:
    """Behind the names of documents, all of a column begin in one place; the last column is Japanese."""
    lines = run("audit", "largest_pastes", "--room", ROOM, "--least", "400").out.splitlines()
    assert len({cell_len(line.partition("2026-")[0]) for line in lines[2:]}) == 1
    assert any("言語" in line for line in lines)


def test_it_comes_as_json_and_csv_for_programs(run: Run) -> None:
    objects = [
        json.loads(line) for line in run("audit", "hot_documents", "--format", "json").out.splitlines()
    ]
    rows = list(csv.DictReader(io.StringIO(run("audit", "hot_documents", "--format", "csv").out)))
    assert [one["document"] for one in objects] == [row["document"] for row in rows]
    assert {one["room"] for one in objects} == {ROOM, OTHER}
    assert [str(one["edits"]) for one in objects] == [row["edits"] for row in rows]
    assert isinstance(objects[0]["last_edit"], int)


def test_what_is_asked_for_narrows_the_answer(run: Run) -> None:
    asked = ("--document", "plan.md", "--at", "2026-11-23T09:00Z", "--format", "json")
    rows = [json.loads(line) for line in run("audit", "who_could_read", *asked).out.splitlines()]
    assert {row["document"] for row in rows} == {"plan.md"}
    assert {row["who"] for row in rows} == {"*", "ada", "ben", "dora", "eve", "finn"}


def test_an_answer_without_rows_is_an_empty_table(run: Run) -> None:
    done = run("audit", "hot_documents", "--to", "2020-01-01")
    assert (done.status, len(done.out.splitlines())) == (0, 2)


def test_the_sql_is_shown_for_whoever_wants_to_change_it(run: Run) -> None:
    assert run("audit", "bus_factor", "--sql").out == questions()["bus_factor"].file


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("who_is_best",), 2, "there is no question 'who_is_best'"),
        (("hot_documents", "--zone", "UTC"), 2, "hot_documents does not ask for --zone"),
        (("hot_documents", "--room", "nowhere"), 1, "there is no room 'nowhere'"),
        (("hot_documents", "--room", "no room"), 1, "there is no room 'no room'"),
        (("hot_documents", "--from", "yesterday"), 2, "is no time"),
        (("activity_by_hour", "--zone", "Atlantis"), 1, "cannot be read"),
        (("coediting_hours", "--minutes", "-1"), 2, "is no whole number"),
        (("coediting_hours", "--minutes", "9999999999"), 1, "cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_said(run: Run, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = run("audit", *arguments)
    assert done.status == status
    assert said in done.err
    assert "Traceback" not in done.err


# Analysts.


@pytest.fixture
def run_alone(
    postgres_server: EmbeddedPostgres,
    database_names: Iterator[str],
    sample_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Run]:
    """Runs a command on a copy of the sample rooms."""
    sample = str(psycopg.conninfo.conninfo_to_dict(sample_url)["dbname"])
    with new_database(postgres_server, next(database_names), sample) as url:
        yield _runner(url, monkeypatch, capfdbinary)


def test_an_analyst_is_added_listed_and_removed(run_alone: Run) -> None:
    added = run_alone("analyst", "add", "cli_ann", "--room", ROOM, "--room", OTHER)
    assert added.status == 0, added.err
    seen, password, psql = added.out.splitlines()
    assert seen == f"cli_ann sees {ROOM}, {OTHER}"
    assert password.startswith("password, shown this once: ")
    assert "user=cli_ann" in psql
    again = run_alone("analyst", "add", "cli_ann", "--room", ROOM)
    assert again.out.splitlines()[0] == f"cli_ann sees {ROOM}"
    assert "password" not in again.out
    run_alone("analyst", "add", "cli_bob", "--all")
    assert {"cli_ann  atelier", "cli_bob  all rooms"} <= set(run_alone("analyst", "list").out.splitlines())
    listed = [json.loads(line) for line in run_alone("analyst", "list", "--json").out.splitlines()]
    assert {"name": "cli_bob", "rooms": None} in listed
    for name in ("cli_ann", "cli_bob"):
        assert run_alone("analyst", "remove", name).status == 0
    gone = run_alone("analyst", "remove", "cli_ann")
    assert (gone.status, gone.err) == (1, "chronoscribe: there is no analyst 'cli_ann'\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cli_eve",), "one of the arguments --room --all is required"),
        (("cli_eve", "--room", "nowhere"), "there is no room 'nowhere'"),
        (("Eve; DROP TABLE record", "--all"), "a name is 1 to 63 of a-z"),
        (("app", "--all"), "of another kind"),
    ],
)
def test_who_cannot_be_added_is_said(run_alone: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run_alone("analyst", "add", *arguments)
    assert done.status != 0
    assert said in done.err


def test_the_way_in_is_told_without_the_password_that_we_have() -> None:
    told = analyst._as("ann", "postgresql://owner:secret@db.example/team?sslmode=require")
    assert "secret" not in told
    assert psycopg.conninfo.conninfo_to_dict(told) == {
        "user": "ann",
        "host": "db.example",
        "dbname": "team",
        "sslmode": "require",
    }
