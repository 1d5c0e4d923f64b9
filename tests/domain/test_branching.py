"""A branch comes back with what was written in it, and nothing that was written meanwhile is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.attribution import as_copied
from domain.branching import Merging, changed
from domain.document import BRANCH, MERGE, EditApplied
from domain.text_op import apply
from tests.domain.histories import Past, extend, pasts

Characters = list[tuple[str, int, int]]
"""Of each character, the document and the edit that wrote it, and its place among what that has inserted."""

KINDS = ("type", "type", "late", "undo", "restore")


def branch_of(source: Past, revision: int) -> Past:
    branch = Past()
    origins = [as_copied(run, "source") for run in source.weave(revision).spans()]
    text = source.texts[revision]
    branch.revise([text] if text else [], BRANCH, origins, ("source", revision))
    return branch


class Merges:
    """The merges of one branch so far."""

    def __init__(self, source: Past, branch: Past, revision: int) -> None:
        self.source = source
        self.branch = branch
        self.revision = revision
        self.stations = [1]
        self.revisions: set[int] = set()

    def merge(self) -> EditApplied:
        until = self.branch.revision
        ops, origins = [], []
        for old, new in zip(self.stations, [*self.stations[1:], until], strict=True):
            before, after = self.branch.weave(old).spans(), self.branch.weave(new).spans()
            found = changed(before, after, self.branch.texts[new])
            assert apply(self.branch.texts[old], found.op) == self.branch.texts[new]
            ops.append(found.op)
            origins = [as_copied(run, "branch") for run in found.inserted]
        merging = Merging(ops)
        for edit in self.source.edits[self.revision :]:
            if edit.revision in self.revisions:
                merging.pass_merge()
            else:
                merging.pass_edit(edit.op)
        told = [[n, "" if name == "source" else name, *rest] for n, name, *rest in origins]
        merged = self.source.revise(merging.op, MERGE, told, ("branch", until))
        self.stations.append(until)
        self.revisions.add(merged.revision)
        return merged


def written(past: Past, name: str, revision: int | None = None) -> Characters:
    """Who wrote each character of a text."""
    return [
        (run.source.document or name, run.source.revision, run.source.offset + i)
        for run in past.weave(revision).spans()
        for i in range(run.length)
    ]


@given(pasts(), st.data())
def test_a_branch_begins_with_the_text_and_with_who_wrote_it(past: Past, data: st.DataObject) -> None:
    revision = data.draw(st.integers(0, past.revision))
    branch = branch_of(past, revision)
    assert branch.text == past.texts[revision]
    assert written(branch, "branch") == written(past, "source", revision)


@given(pasts(steps=6), st.data())
def test_a_branch_of_what_nobody_has_edited_since_comes_back_as_it_is(
    past: Past, data: st.DataObject
) -> None:
    branch = branch_of(past, past.revision)
    merges = Merges(past, branch, past.revision)
    for _ in range(2):
        for _ in range(data.draw(st.integers(0, 3))):
            extend(data.draw, branch, data.draw(st.sampled_from(KINDS)))  # type: ignore[arg-type]
        merges.merge()
        assert past.text == branch.text
        assert written(past, "source") == written(branch, "branch")


@given(pasts(steps=6), st.data())
def test_both_keep_what_they_have_written(past: Past, data: st.DataObject) -> None:
    revision = data.draw(st.integers(0, past.revision))
    branch = branch_of(past, revision)
    merges = Merges(past, branch, revision)
    for _ in range(data.draw(st.integers(1, 3))):
        base = len(past.texts) - 1
        for _ in range(data.draw(st.integers(0, 3))):
            extend(data.draw, branch, data.draw(st.sampled_from(KINDS)))  # type: ignore[arg-type]
        for _ in range(data.draw(st.integers(0, 3))):
            extend(data.draw, past, data.draw(st.sampled_from(("type", "late"))))  # type: ignore[arg-type]
        before = written(past, "source")
        merges.merge()
        after = written(past, "source")
        new = {edit.revision for edit in past.edits[base:]}
        of_source = [c for c in before if c[0] == "source" and c[1] in new]
        assert [c for c in after if c in of_source] == of_source
        since = merges.stations[-2]
        of_branch = [c for c in written(branch, "branch") if c[0] == "branch" and c[1] > since]
        assert [c for c in after if c in of_branch] == of_branch


def test_a_merge_brings_what_was_written_in_the_branch_beside_what_came_meanwhile() -> None:
    past = Past()
    past.type("ada", ["one\ntwo\nthree\n"])
    branch = branch_of(past, 1)
    merges = Merges(past, branch, 1)
    branch.type("ben", [4, "TWO", {"d": 3}])
    past.type("ada", [{"d": 3}, "ONE"])
    past.type("cy", [14, "four\n"])
    merges.merge()
    assert past.text == "ONE\nTWO\nthree\nfour\n"
    branch.type("ben", [8, "THREE", {"d": 5}])
    past.type("ada", ["zero\n"])
    merges.merge()
    assert past.text == "zero\nONE\nTWO\nTHREE\nfour\n"
    assert ("branch", 2, 0) in written(past, "source")
    assert ("branch", 3, 0) in written(past, "source")
