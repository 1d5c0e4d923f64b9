"""Runs, as clients report them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Forbidden, IdReused
from domain.run import Outcome, Run, RunFinished, RunStarted
from tests.domain.events import NOON, collect

FIELDS: dict[str, Any] = {"client": "ada-1", "title": "pytest", "document": "main.md", "revision": 3}


def a_run() -> Run:
    return Run.start("demo", "r1", **FIELDS, actor="ada", at=NOON)


def finish(run: Run, outcome: Outcome, code: int | None = None, client: str = "ada-1") -> None:
    run.finish(outcome, code, client=client, actor="ada", at=NOON)


def test_a_run_has_a_beginning_and_an_end() -> None:
    run = a_run()
    finish(run, Outcome.FAILED, -9)
    started, finished = collect(run)
    assert isinstance(started, RunStarted)
    assert (started.originator_id, started.title, started.document) == ("run:demo/r1", "pytest", "main.md")
    assert isinstance(finished, RunFinished)
    assert (finished.run, finished.outcome, finished.exit_code) == ("r1", "failed", -9)


def test_what_is_told_again_adds_nothing() -> None:
    run = a_run()
    run.check_resend(**FIELDS)
    finish(run, Outcome.PASSED, 0)
    finish(run, Outcome.PASSED, 0)
    assert len(collect(run)) == 2


@pytest.mark.parametrize(
    "other", [{"client": "ben-1"}, {"title": "mypy"}, {"document": None}, {"revision": 4}]
)
def test_another_run_under_the_same_id_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(IdReused):
        a_run().check_resend(**{**FIELDS, **other})


def test_a_run_finishes_once_and_only_by_its_client() -> None:
    run = a_run()
    with pytest.raises(Forbidden):
        finish(run, Outcome.PASSED, client="ben-1")
    finish(run, Outcome.STOPPED)
    with pytest.raises(IdReused):
        finish(run, Outcome.PASSED)
    assert len(collect(run)) == 2
