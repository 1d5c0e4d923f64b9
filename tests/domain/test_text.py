"""The chunked text: whatever is done to it, it is what a plain str would be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import text, text_op
from domain.errors import OpInvalid
from domain.text import CHUNK_CUT, CHUNK_MAX, CHUNK_MIN, Text
from domain.text_op import Op, replace
from tests.domain.strategies import changes, misfits, texts


@pytest.fixture(scope="module", autouse=True)
def tiny_chunks() -> Iterator[None]:
    """Chunks so small that the texts of the property tests have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK_MAX", 4)
        patch.setattr(text, "CHUNK_CUT", 3)
        patch.setattr(text, "CHUNK_MIN", 2)
        yield


@pytest.fixture
def real_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "CHUNK_MAX", CHUNK_MAX)
    monkeypatch.setattr(text, "CHUNK_CUT", CHUNK_CUT)
    monkeypatch.setattr(text, "CHUNK_MIN", CHUNK_MIN)


LONG_TEXTS = texts(max_atoms=20)


class EditedText(RuleBasedStateMachine):
    """Many edits of one text, beside the str that says what it must be."""

    @initialize(initial=LONG_TEXTS)
    def begin(self, initial: str) -> None:
        self.plain = initial
        self.text = Text(initial)

    @rule(data=st.data())
    def apply(self, data: st.DataObject) -> None:
        change = data.draw(changes(self.plain))
        self.text.apply(change.op)
        self.plain = change.after

    @rule(data=st.data(), inserted=texts(2), deleted=st.integers(0, 5), with_text=st.booleans())
    def type_somewhere(self, data: st.DataObject, inserted: str, deleted: int, with_text: bool) -> None:
        position = data.draw(st.integers(0, len(self.plain)))
        gone = self.plain[position : position + deleted]
        self.text.apply(replace(position, gone if with_text else len(gone), inserted))
        self.plain = self.plain[:position] + inserted + self.plain[position + len(gone) :]

    @rule(data=st.data())
    def apply_invertible(self, data: st.DataObject) -> None:
        change = data.draw(changes(self.plain))
        expected = text_op.make_invertible(change.op, self.plain)
        assert self.text.make_invertible(change.op) == expected
        assert str(self.text) == self.plain
        assert self.text.apply_invertible(change.op) == expected
        self.plain = change.after

    @rule(data=st.data())
    def refuse_what_does_not_fit(self, data: st.DataObject) -> None:
        op = data.draw(misfits(self.plain))
        for refuse in (self.text.apply, self.text.apply_invertible, self.text.make_invertible):
            with pytest.raises(OpInvalid):
                refuse(op)

    @rule(data=st.data())
    def edit_a_copy(self, data: st.DataObject) -> None:
        twin = self.text.copy()
        assert twin == self.text
        change = data.draw(changes(self.plain))
        twin.apply(change.op)
        assert str(twin) == change.after
        assert len(twin) == len(change.after)

    @rule()
    def go_on_with_a_copy(self) -> None:
        original, self.text = self.text, self.text.copy()
        original.apply([*([len(original)] if len(original) else []), "not for the copy"])

    @rule(start=st.integers(-3, 50), stop=st.integers(-3, 50))
    def slice(self, start: int, stop: int) -> None:
        assert self.text.slice(start, stop) == self.plain[max(start, 0) : max(stop, 0)]

    @invariant()
    def text_is_the_plain_one(self) -> None:
        assert str(self.text) == self.plain
        assert len(self.text) == len(self.plain)
        assert self.text == Text(self.plain)


TestEditedText = EditedText.TestCase


@given(LONG_TEXTS, LONG_TEXTS)
def test_texts_are_equal_when_their_contents_are(one: str, other: str) -> None:
    assert (Text(one) == Text(other)) == (one == other)


def test_a_text_equals_only_texts_and_has_no_hash() -> None:
    assert Text("abc") != "abc"
    with pytest.raises(TypeError):
        hash(Text("abc"))


def test_texts_with_the_same_content_in_other_chunks_are_equal() -> None:
    grown = Text()
    for position, character in enumerate("abcdefgh"):
        grown.apply(replace(position, "", character))
    assert grown == Text("abcdefgh")
    assert repr(grown) == "Text('abcdefgh')"


@pytest.mark.parametrize(
    "op",
    [
        [11, "x"],
        [8, {"d": 3}],
        [{"d": 11}],
        [1_000_000_000, "x"],
        [8, {"d": "89"}],
        [8, {"d": "ijk"}],
        ["x", 9, {"d": 2}],
        [2, "x", 9, "y"],
        [2, {"d": "cd"}, 1, {"d": "x"}],
    ],
)
def test_an_op_that_does_not_fit_leaves_the_text_as_it_was(op: Op) -> None:
    edited = Text("abcdefghij")
    with pytest.raises(OpInvalid):
        edited.apply(op)
    with pytest.raises(OpInvalid):
        edited.apply_invertible(op)
    assert str(edited) == "abcdefghij"


@pytest.mark.parametrize("op", [[], [3], [1, 2], [4, 5]])
def test_skips_alone_change_nothing(op: Op) -> None:
    edited = Text("abcdefghij")
    edited.apply(op)
    assert str(edited) == "abcdefghij"


@pytest.mark.usefixtures("real_chunks")
def test_a_text_of_a_million_characters_takes_edits_everywhere() -> None:
    plain = "abcdefgh😀\n" * 100_000
    edited = Text(plain)
    for position in (0, 500_000, 499_999, 999_000, 3, CHUNK_CUT, CHUNK_CUT * 2, 1_000_000):
        edited.apply(replace(position, "", "x"))
        plain = plain[:position] + "x" + plain[position:]
    many: Op = [10, "y", 300_000, {"d": 20_000}, 500_000, "z" * 20_000]
    edited.apply(many)
    plain = text_op.apply(plain, many)
    assert edited.slice(5, 400_000) == plain[5:400_000]
    assert str(edited) == plain


@pytest.mark.usefixtures("real_chunks")
def test_typing_makes_no_chunk_too_long() -> None:
    edited = Text()
    for _ in range(5 * CHUNK_MAX // 8):
        edited.apply(["12345678"])
    assert max(map(len, edited._chunks)) <= CHUNK_MAX


@pytest.mark.usefixtures("real_chunks")
def test_deleting_nearly_all_leaves_no_trail_of_tiny_chunks() -> None:
    edited = Text("abcdef" * CHUNK_CUT)
    for start in reversed(range(0, len(edited), CHUNK_CUT)):
        edited.apply([start + 5, {"d": CHUNK_CUT - 10}])
    assert str(edited) == "abcdebcdef" * 6
    assert len(edited._chunks) == 1
