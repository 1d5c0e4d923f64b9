"""What the commands take that change something."""

from __future__ import annotations

from datetime import datetime

import pytest

from application.past.undo import Passage, Selection
from interfaces.cli.main import main, parser
from interfaces.cli.undo import selection_of


def selected(*arguments: str) -> Selection | None:
    return selection_of(parser().parse_args(["undo", "demo", "main.md", "--as", "ada", *arguments]))


@pytest.mark.parametrize(
    ("arguments", "selection"),
    [
        (["--mine"], None),
        (["--revision", "3"], Selection(first=3, last=3)),
        (["--revisions", "3:7"], Selection(first=3, last=7)),
        (["--range", "10:25@7"], Selection(passage=Passage(7, 10, 25))),
        (
            ["--user", "ben", "--since", "2026-11-23T14:05", "--revisions", "1:2"],
            Selection(1, 2, "ben", datetime(2026, 11, 23, 14, 5).astimezone()),
        ),
    ],
)
def test_edits_are_selected_by_all_that_is_given(arguments: list[str], selection: Selection | None) -> None:
    assert selected(*arguments) == selection


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["undo", "demo", "main.md", "--as", "ada"], "say which edits"),
        (["undo", "demo", "main.md", "--as", "ada", "--mine", "--revision", "1"], "say which edits"),
        (
            ["undo", "demo", "main.md", "--as", "ada", "--revision", "1", "--revisions", "1:2"],
            "say which edits",
        ),
        (["undo", "demo", "main.md", "--as", "no id", "--mine"], "is no id of a user"),
        (["branch", "demo", "main.md", "no/name", "--as", "ada"], "is no name of a document"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_opened(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mine"],
        ["--as", "ada", "--range", "5:1@2"],
        ["--as", "ada", "--range", "5:6"],
        ["--as", "ada", "--revisions", "3"],
        ["--as", "ada", "--mine", "--yes", "--preview"],
    ],
)
def test_what_is_no_argument_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["undo", "demo", "main.md", *arguments])


def test_a_document_of_no_name_is_in_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redo", "demo", "no/name", "--as", "ada"]) == 1
    assert "there is no document 'no/name'" in capsys.readouterr().err
