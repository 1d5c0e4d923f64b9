"""Text that was removed is nowhere, and everything else is as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.document import Document, EditApplied
from domain.phrase import Phrase
from domain.redaction import Blackout, Secrets, Sightings, black_all, black_edit, black_phrase
from domain.text_op import BLOCK, Op, apply, make_invertible
from tests.domain.events import NOON, edit

SECRET = "abc"


def history(*ops: Op, author: str = "Ada") -> list[EditApplied]:
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    for number, op in enumerate(ops, 1):
        document.edit(edit("ada-1", number, number - 1, op), actor=author, at=NOON)
    return [event for event in document.collect_events() if isinstance(event, EditApplied)]


def without(edits: list[EditApplied], phrase: str = SECRET) -> list[EditApplied]:
    secrets = Secrets()
    sightings = Sightings("main.md", Phrase(phrase), secrets)
    for one in edits:
        sightings.take(one)
    return blacked_out(edits, secrets)


def blacked_out(edits: list[EditApplied], secrets: Secrets) -> list[EditApplied]:
    blackout = Blackout("main.md", secrets)
    left = []
    for one in edits:
        found = blackout.take(one)
        left.append(one if found is None else black_edit(one, found.op, "why"))
    return left


def texts(edits: list[EditApplied]) -> list[str]:
    text, all_texts = "", []
    for one in edits:
        text = apply(text, one.op)
        all_texts.append(text)
    return all_texts


def test_a_phrase_that_was_typed_letter_by_letter_goes_with_every_letter() -> None:
    edits = history(["x"], [1, "a"], [2, "b"], [3, "c"], [4, "!"], [2, {"d": 2}], [2, "d"])
    assert texts(without(edits)) == ["x", "x█", "x██", "x███", "x███!", "x█!", "x█d!"]


def test_what_is_gone_goes_from_where_it_was_deleted() -> None:
    edits = history(["-abc-"], [1, {"d": 3}])
    assert [one.op for one in without(edits)] == [["-███-"], [1, {"d": "███"}]]


def test_only_edits_that_had_some_of_it_are_changed_and_say_by_which_redaction() -> None:
    edits = history(["-abc-"], [5, "more"], [1, {"d": 1}])
    left = without(edits)
    assert [one.redaction for one in left] == ["why", None, "why"]
    assert left[1] == edits[1]
    assert [one.digest for one in left] == ["", edits[1].digest, ""]


def test_line_ends_stay() -> None:
    edits = history(["-a\nbc-"])
    assert texts(without(edits, "a\nb")) == ["-█\n█c-"]


def test_every_sighting_is_found_whatever_makes_it() -> None:
    joined = history(["ab-c"], [2, {"d": 1}])
    assert texts(without(joined)) == ["██-█", "███"]
    replaced = history(["abc"], ["abc", {"d": 3}])
    assert texts(without(replaced)) == ["███", "███"]
    twice = history(["abcabc"])
    assert texts(without(twice)) == ["██████"]
    overlapping = history(["aaaa"])
    assert texts(without(overlapping, "aaa")) == ["████"]


def test_text_that_an_undo_has_brought_back_goes_as_well() -> None:
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    document.edit(edit("ada-1", 1, 0, ["-abc-"]), actor="Ada", at=NOON)
    document.edit(edit("ada-1", 2, 1, [1, {"d": 3}]), actor="Ada", at=NOON)
    # Only one letter of it: by itself nobody would know it as part of the phrase.
    document.revise([1, "b"], actor="Ben", at=NOON, cause="undo", undoes=[[2, 2]], revives=[[1, 1, 2]])
    edits = [event for event in document.collect_events() if isinstance(event, EditApplied)]
    assert texts(without(edits)) == ["-███-", "--", "-█-"]


def test_text_that_a_branch_has_copied_goes_as_well() -> None:
    secrets = Secrets()
    sightings = Sightings("main.md", Phrase(SECRET), secrets)
    for one in history(["-abc-"], [1, {"d": 2}]):
        sightings.take(one)
    branch = Document.create("demo", "try.md", actor="Ben", at=NOON)
    branch.revise(
        ["-c-"],
        actor="Ben",
        at=NOON,
        cause="branch",
        origins=[[1, "main.md", 1, 0], [1, "main.md", 1, 3], [1, "main.md", 1, 4]],
        source=("main.md", 2),
    )
    [first] = [event for event in branch.collect_events() if isinstance(event, EditApplied)]
    found = Blackout("try.md", secrets).take(first)
    assert found is not None
    assert (found.op, found.characters) == (["-█-"], 1)


def test_all_that_somebody_has_written_goes_and_what_others_wrote_stays() -> None:
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    document.edit(edit("ada-1", 1, 0, ["Ada "]), actor="Ada", at=NOON)
    document.edit(edit("ben-1", 1, 1, [4, "Ben"]), actor="Ben", at=NOON)
    document.edit(edit("ada-1", 2, 2, [2, {"d": 3}]), actor="Ada", at=NOON)
    edits = [event for event in document.collect_events() if isinstance(event, EditApplied)]
    secrets = Secrets()
    for one in edits:
        if one.actor == "Ben":
            secrets.add_all("main.md", one.revision)
    left = blacked_out(edits, secrets)
    assert texts(left) == ["Ada ", "Ada ███", "Ad██"]
    assert left[2].op == [2, {"d": "a █"}]


def test_what_is_still_there_is_replaced_by_an_edit() -> None:
    edits = history(["-a\nbc-"])
    secrets = Secrets()
    sightings = Sightings("main.md", Phrase("a\nb"), secrets)
    blackout = Blackout("main.md", secrets)
    for one in edits:
        sightings.take(one)
        blackout.take(one)
    removal = blackout.removal("-a\nbc-")
    assert apply("-a\nbc-", removal) == "-█\n█c-"
    [_, removed] = history(["-a\nbc-"], removal)
    blackout.take(removed)
    assert blackout.removal("-█\n█c-") == []


def test_messages_are_blacked_out() -> None:
    assert black_phrase("my ABC, abc and abcabc", Phrase(SECRET)) == "my ABC, ███ and ██████"
    assert black_phrase("my ABC", Phrase(SECRET, ignores_case=True)) == "my ███"
    assert black_all("one\ntwo") == "███\n███"


# The law.


@st.composite
def _histories(draw: st.DrawFn) -> list[EditApplied]:
    text, ops = "", []
    for _ in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, len(text)))
        deleted = draw(st.integers(0, min(3, len(text) - start)))
        inserted = draw(st.text(st.sampled_from("abc\n😀"), max_size=4))
        op: Op = [start] if start else []
        op += [inserted] if inserted else []
        op += [{"d": deleted}] if deleted else []
        if op and not isinstance(op[-1], int):
            ops.append(op)
            text = apply(text, make_invertible(op, text))
    return history(*ops)


@given(_histories())
def test_every_revision_has_its_length_its_lines_and_nothing_of_the_phrase(edits: list[EditApplied]) -> None:
    left = without(edits)
    for was, now in zip(texts(edits), texts(left), strict=True):
        assert len(was) == len(now)
        assert SECRET not in now
        assert all(a == b or (b == BLOCK and a != "\n") for a, b in zip(was, now, strict=True))
    assert not any(SECRET in str(one.op) for one in left)


@given(_histories())
def test_a_letter_that_was_never_part_of_the_phrase_stays(edits: list[EditApplied]) -> None:
    if all(SECRET not in text for text in texts(edits)):
        assert without(edits) == edits
