"""Who wrote each character: each exactly once, and its true author, whatever has happened to the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.attribution import CHUNK_RUNS, Run, Weave
from tests.domain.histories import Past, pasts


@given(pasts())
def test_every_character_is_covered_once_and_named_by_who_wrote_it(past: Past) -> None:
    weave = Weave()
    plain = type(past.plain)()
    for applied, text in zip(past.edits, past.texts[1:], strict=True):
        weave.apply(applied)
        plain.apply(applied)
        told = [
            (run.source.revision, run.source.offset + i) for run in weave.spans() for i in range(run.length)
        ]
        assert len(told) == len(text) == len(weave)
        assert told == [character.written for character in plain.seen()]


@given(pasts(), st.data())
def test_a_weave_that_begins_anywhere_and_keeps_what_is_deleted_tells_the_same(
    past: Past, data: st.DataObject
) -> None:
    base = data.draw(st.integers(0, past.revision))
    kept = Weave(past.weave(base).spans(), base, keeps_deleted=True)
    for applied in past.edits[base:]:
        kept.apply(applied)
    assert kept.spans() == past.weave().spans()
    assert kept.copy().spans() == kept.spans()


def test_what_was_undone_or_restored_is_still_of_who_first_wrote_it() -> None:
    past = Past()
    past.type("ada", ["hello world"])
    past.type("ben", [5, {"d": 6}])
    past.undo([2])
    assert past.text == "hello world"
    assert past.weave().spans() == [Run(11, 1, 0)]
    past.type("ben", [{"d": 11}])
    past.restore(3)
    [span] = past.weave().spans()
    assert (span.revision, span.source.revision, span.source.offset) == (5, 1, 0)


def test_a_long_text_typed_everywhere_is_attributed_as_a_short_one() -> None:
    past = Past()
    for number in range(4 * CHUNK_RUNS):
        past.type("ada", [number * 7 % (number + 1), "x"] if number * 7 % (number + 1) else ["x"])
    while len(past.text) > CHUNK_RUNS:
        past.type("ben", [len(past.text) // 3, {"d": len(past.text) // 3}])
    told = [(run.revision, run.offset + i) for run in past.weave().spans() for i in range(run.length)]
    assert told == [character.written for character in past.plain.seen()]
