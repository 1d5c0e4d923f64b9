"""Blame: folded once, kept for the next question, told span by span and line by line."""

from __future__ import annotations

import pytest

from application.past import blame
from tests.application.past.scenes import ROOM, STREAM, Scene

DOCUMENT = "main.md"


async def test_every_span_is_told_with_its_author_time_and_cause() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    at = scene.clock.now()
    await scene.type("ben", [4, "2", {"d": 3}])
    await scene.here.undo.undo_mine(ROOM, DOCUMENT, actor="ben")
    [span] = await scene.here.blame.at(ROOM, DOCUMENT, 3)
    assert (span.start, span.end, span.revision, span.document) == (0, 7, 1, DOCUMENT)
    assert (span.facts.actor, span.facts.at, span.facts.cause) == ("ada", at, "typed")
    two = await scene.here.blame.at(ROOM, DOCUMENT, 2)
    assert [(span.start, span.end, span.facts.actor) for span in two] == [(0, 4, "ada"), (4, 5, "ben")]
    assert await scene.here.blame.at(ROOM, DOCUMENT, 0) == []


async def test_what_was_folded_is_kept_and_read_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blame, "KEEP_EVERY", 4)
    monkeypatch.setattr(blame, "PAGE_EDITS", 3)
    monkeypatch.setattr(blame, "PAGE_RUNS", 2)
    monkeypatch.setattr(blame, "PAGE_FACTS", 2)
    scene = await Scene.make()
    for number in range(10):
        await scene.type("ada" if number % 2 else "ben", [str(number)])
    told: list[tuple[int, int]] = []
    first = await scene.here.blame.at(ROOM, DOCUMENT, 10, lambda done, of: told.append((done, of)))
    assert told == [(3, 10), (4, 10), (7, 10), (8, 10), (10, 10)]
    assert sorted(scene.past.kept) == [(STREAM, 4), (STREAM, 8)]
    told.clear()
    assert await scene.here.blame.at(ROOM, DOCUMENT, 10, lambda done, of: told.append((done, of))) == first
    assert told == [(2, 2)]
    assert [span.facts.actor for span in first] == ["ada", "ben"] * 5
    assert await scene.here.blame.runs(STREAM, 8) == scene.past.kept[STREAM, 8]


async def test_a_line_is_of_who_wrote_in_it_and_not_of_who_went_on_behind_it() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one\ntwo"])
    await scene.type("ben", [3, "\n1.5"])
    await scene.type("cy", [11, "\n\n"])
    text = await scene.text()
    told = list(blame.lines(text, await scene.here.blame.at(ROOM, DOCUMENT, 3)))
    assert [(line.text, line.newest and line.newest.facts.actor) for line in told] == [
        ("one\n", "ada"),
        ("1.5\n", "ben"),
        ("two\n", "ada"),
        ("\n", "cy"),
        ("", None),
    ]


async def test_what_takes_long_tells_how_far_it_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blame, "PAGE_EDITS", 2)
    scene = await Scene.make()
    for number in range(5):
        await scene.type("ada", [str(number)])
    told: list[tuple[int, int]] = []
    asked = blame.Blame(scene.store, scene.past, lambda done, of: told.append((done, of)))
    unravelled = await asked.unravelled(STREAM, 2, 5, limit=10)
    assert unravelled.revision == 5
    assert told == [(2, 2), (2, 3), (3, 3)]
