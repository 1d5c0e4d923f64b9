"""Who wrote the lines of a text, and the parts of one author: all of it is told, each part in its place."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past.blame import EditFacts, Span, by_author, lines
from tests.domain.events import NOON

TEXTS = st.text(alphabet=st.sampled_from("ab\n\r\u2028🎉"), max_size=40)


def span(start: int, end: int, revision: int, author: str = "ada") -> Span:
    at = NOON + timedelta(seconds=revision)
    return Span(start, end, "main.md", revision, EditFacts(author, at, "typed"))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text, and the spans that it is made of."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=10)))
    places = [0, *(cut for cut in cuts if cut < len(text)), len(text)] if text else []
    return text, [
        span(start, end, draw(st.integers(1, 5)), draw(st.sampled_from(("ada", "ben"))))
        for start, end in pairwise(places)
    ]


@given(written())
def test_the_lines_are_the_text_and_each_span_is_in_exactly_its_lines(
    text_and_spans: tuple[str, list[Span]],
) -> None:
    text, spans = text_and_spans
    told = [*lines(text, spans)]
    assert "".join(line.text for line in told) == text
    assert [line.number for line in told] == [*range(1, text.count("\n") + 2)]
    start = 0
    for line in told:
        end = start + len(line.text)
        assert [*line.spans] == [span for span in spans if span.start < end and span.end > start]
        if line.text:
            assert line.newest in line.spans
            assert line.newest is not None
            in_line = [span for span in line.spans if span.start < start + len(line.text.rstrip("\n"))]
            assert line.newest.revision == max(span.revision for span in in_line or line.spans)
        else:
            assert line is told[-1]
            assert line.newest is None
        start = end


@given(written(), st.integers(1, 5))
def test_spans_of_one_author_are_joined_whole_and_in_parts(
    text_and_spans: tuple[str, list[Span]], size: int
) -> None:
    _, spans = text_and_spans
    joined = [*by_author(spans)]
    authors = [each.facts.actor for each in joined]
    assert all(one != next_ for one, next_ in pairwise(authors))
    covered = [(i, each.facts.actor) for each in joined for i in range(each.start, each.end)]
    assert covered == [(i, each.facts.actor) for each in spans for i in range(each.start, each.end)]
    for each in joined:
        inside = [span for span in spans if each.start <= span.start < each.end]
        assert each.revision == max(span.revision for span in inside)
    parts: list[Span] = []
    for first in range(0, len(spans), size):
        parts[-1:] = by_author([*parts[-1:], *spans[first : first + size]])
    assert parts == joined


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\r\nb\r\n", ["a\r\n", "b\r\n", ""]),
        ("\n\n", ["\n", "\n", ""]),
        ("a\u2028b\rc", ["a\u2028b\rc"]),
    ],
)
def test_a_line_ends_at_a_line_feed_and_nowhere_else(text: str, expected: list[str]) -> None:
    spans = [span(0, len(text), 1)] if text else []
    assert [line.text for line in lines(text, spans)] == expected
