"""Texts and ops for property tests, made so that the answer is known before anything is computed.

An edit is made from spans: what is kept, what is deleted, what is inserted. The text before, the
text after and the op are three readings of the same spans.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from domain.text_op import Component, Op

# ASCII, line ends, letters with and without a combining mark, text outside the BMP, and what a
# reader sees as one character but is up to seven. Few different ones, so that texts repeat themselves.
ATOMS = ("a", "a", "b", " ", "\n", "\r\n", "é", "e\u0301", "本", "😀", "👍🏽", "🇯🇵", "👨‍👩‍👧‍👦", "\u202e")


class Change(NamedTuple):
    """An op with the text that it was made on and the text that it makes."""

    before: str
    op: Op
    after: str


def texts(max_atoms: int = 8) -> st.SearchStrategy[str]:
    """Texts, the empty one among them."""
    return st.lists(st.sampled_from(ATOMS), max_size=max_atoms).map("".join)


def some_text() -> st.SearchStrategy[str]:
    """Texts that are not empty."""
    return st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3).map("".join)


@st.composite
def changes(draw: st.DrawFn, before: str | None = None, *, invertible: bool = False) -> Change:
    """A normal op on `before` (or on any text); with `invertible`, every delete has its text."""
    if before is None:
        before = draw(texts())
    op: Op = []
    after: list[str] = []
    rest = before
    while rest:
        end = draw(st.integers(1, len(rest)))
        span, rest = rest[:end], rest[end:]
        inserted = _insert_perhaps(draw, op, after)
        kept = draw(st.booleans()) if inserted or not op else not isinstance(op[-1], int)
        if kept:
            after.append(span)
            op.append(len(span))
        else:
            op.append({"d": span if invertible or draw(st.booleans()) else len(span)})
    _insert_perhaps(draw, op, after)
    if op and isinstance(op[-1], int):
        op.pop()
    return Change(before, op, "".join(after))


def _insert_perhaps(draw: st.DrawFn, op: Op, after: list[str]) -> bool:
    inserted = draw(st.booleans())
    if inserted:
        text = draw(some_text())
        after.append(text)
        op.append(text)
    return inserted


@st.composite
def misfits(draw: st.DrawFn, text: str) -> Op:
    """A normal op that does not fit `text`: one that does, up to the place where it goes wrong."""
    start = draw(st.integers(0, len(text)))
    left = len(text) - start
    too_far = draw(st.integers(left + 1, left + 3))
    wrong = draw(some_text().filter(lambda deleted: not text.startswith(deleted, start)))
    tail: Op = draw(st.sampled_from([[{"d": too_far}], [{"d": wrong}], [{"d": wrong}, "x"]]))
    if draw(st.booleans()):
        tail = ["new", *tail]
    return [start, *tail] if start else [*tail]


@st.composite
def sloppy_components(draw: st.DrawFn, text: str) -> list[Component]:
    """Components that fit `text` but are not normal: with empty ones, neighbours, skips at the end."""
    components: list[Component] = []
    position = 0
    for _ in range(draw(st.integers(0, 8))):
        length = draw(st.integers(0, min(2, len(text) - position)))
        span = text[position : position + length]
        choices: list[Component] = [length, draw(texts(2)), {"d": length}, {"d": span}]
        component = draw(st.sampled_from(choices))
        components.append(component)
        if not isinstance(component, str):
            position += length
    return components
