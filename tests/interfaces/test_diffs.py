"""Diffs as they are shown: nothing is lost in any form, and nothing of a text becomes anything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past.diff import Diff
from domain.document import DocumentState
from infrastructure import comparing, differ
from infrastructure.comparing import compare
from infrastructure.differ import as_comparison
from interfaces import findings
from interfaces.cli import bisect as cli
from interfaces.diff_pages import html
from interfaces.diffs import CONTEXT_LINES, NO_END, as_json, hunks, in_words, unified, word_pieces
from interfaces.http import diffs as http
from tests.trace_texts import NAMES, texts

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)

LINES = st.sampled_from(
    ["", "a", "b", "one two", "one 2", "    x", "é本😀", "cr\r", "<b>&", "\x1b[31m", "\u202e", "+", "-x"]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts with lines in common, each perhaps without a last line end."""
    lines = draw(st.lists(LINES, max_size=30))
    old = "\n".join(lines) + draw(st.sampled_from(["", "\n"]))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(lines)))
        lines[start : start + draw(st.integers(0, 3))] = draw(st.lists(LINES, max_size=3))
    return old, "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


def as_object(diff: Diff, context: int = 3, **limit: int) -> Any:
    return orjson.loads(b"".join(as_json(diff, context, **limit)))


def diff_of(old: str, new: str) -> Diff:
    before, after = (DocumentState("demo", "main.md", n, text, AT) for n, text in enumerate((old, new), 1))
    return Diff(before, after, as_comparison(*compare(old, new)))


def patched(old: str, patch: str) -> str:
    """What `patch` makes of the old text."""
    new: list[str] = []
    lines, position = split(old), 0
    for line in split(patch.replace(f"\n{NO_END}\n", NO_END))[2:]:
        kind, text = line[0], line[1:].removesuffix(NO_END)
        if found := re.match(r"@@ -(\d+)(?:,(\d+))? ", line):
            start = int(found[1]) - (found[2] != "0")
            new += lines[position:start]
            position = start
        if kind in " -":
            assert lines[position] == text
            position += 1
        if kind in " +":
            new.append(text)
    return "".join(new + lines[position:])


def split(text: str) -> list[str]:
    """Its lines with their ends, or, in a patch, with the mark that they have none."""
    return re.findall(rf"[^\n]*?{re.escape(NO_END)}|[^\n]*\n|[^\n]+", text)


@given(documents(), st.integers(0, 4))
def test_a_patch_makes_the_new_text_of_the_old_one(pair: tuple[str, str], context: int) -> None:
    old, new = pair
    told = "".join(unified(diff_of(old, new), context))
    assert patched(old, told) == new if told else old == new


@given(documents(), st.integers(0, 4))
def test_json_holds_both_texts_line_by_line_and_word_by_word(pair: tuple[str, str], context: int) -> None:
    diff = diff_of(*pair)
    told = as_object(diff, context)
    assert (told["old"]["revision"], told["new"]["revision"]) == (1, 2)
    for hunk in told["hunks"]:
        for side, other in (("old", "added"), ("new", "removed")):
            lines = [line for line in hunk["lines"] if line["kind"] != other]
            numbers = [line[side] for line in lines]
            first = hunk[f"{side}_start"]
            assert numbers == list(range(first, first + hunk[f"{side}_lines"]))
            text = getattr(diff, side).text.split("\n")
            assert [line["text"] for line in lines] == text[first - 1 : first - 1 + len(lines)]
        for line in hunk["lines"]:
            if line["words"] is not None:
                assert {word["is_changed"] for word in line["words"]} == {True, False}
                assert "".join(word["text"] for word in line["words"]) == line["text"]
        changed = [line for line in hunk["lines"] if line["kind"] != "same"]
        assert changed
        assert len(hunk["lines"]) - len(changed) <= 2 * context * len(changed)


@given(documents())
def test_words_in_their_place_hold_both_texts(pair: tuple[str, str]) -> None:
    diff = diff_of(*pair)
    for hunk in hunks(diff):
        pieces, span = list(word_pieces(hunk)), hunk.span
        old = "".join(text for kind, text in pieces if kind != "added")
        new = "".join(text for kind, text in pieces if kind != "removed")
        assert old == diff.old.text[span.old_start : span.old_end]
        assert new == diff.new.text[span.new_start : span.new_end]


@given(documents())
def test_html_holds_the_texts_and_no_mark_up_of_theirs(pair: tuple[str, str]) -> None:
    diff = diff_of(*pair)
    told = "".join(html(diff))
    tags = set(re.findall(r"<(/?\w+)", told.partition("</style>")[2]))
    assert tags <= {
        sign + name for sign in ("", "/") for name in ("div", "p", "table", "tr", "td", "span", "del", "ins")
    }
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", told)
    rows = re.findall(r'<tr class="(\w+)">.*?<td class="text">(.*?)</td></tr>\n', told)
    shown = [(kind, _plain(text)) for kind, text in rows]
    lines = [(line.kind, line.text) for hunk in hunks(diff) for line in hunk.lines()]
    assert shown == lines


def _plain(text: str) -> str:
    """What a row says."""
    text = text.replace('<span class="control">No newline at end of file</span>', "")
    text = re.sub(r'<span class="control">U\+(\w+)</span>', lambda found: chr(int(found[1], 16)), text)
    return unescape(re.sub(r"</?(del|ins)>", "", text))


def test_two_lines_that_differ_in_a_word() -> None:
    diff = diff_of("same\none two\nlast", "same\none 2\nlast\n")
    assert "".join(unified(diff)) == (
        "--- main.md\t2026-11-23 14:05:00.000000 +0000, revision 1\n"
        "+++ main.md\t2026-11-23 14:05:00.000000 +0000, revision 2\n"
        "@@ -1,3 +1,3 @@\n same\n-one two\n-last\n\\ No newline at end of file\n+one 2\n+last\n"
    )
    assert "".join(in_words(diff)).endswith("@@ -1,3 +1,3 @@\nsame\none [-two-]{+2+}\nlast{+\n+}\n")
    lines = as_object(diff)["hunks"][0]["lines"]
    assert lines[1] == {
        "kind": "removed",
        "old": 2,
        "new": None,
        "text": "one two",
        "has_end": True,
        "words": [{"text": "one ", "is_changed": False}, {"text": "two", "is_changed": True}],
    }
    assert [line["has_end"] for line in lines] == [True, True, False, True, True]


def test_where_nothing_differs_nothing_is_told() -> None:
    diff = diff_of("same\n", "same\n")
    assert "".join(unified(diff)) == "".join(in_words(diff)) == ""
    assert as_object(diff)["hunks"] == []
    assert "<tr" not in "".join(html(diff))


def test_places_far_apart_are_hunks_of_their_own() -> None:
    lines = [f"line {number}" for number in range(100)]
    old = "\n".join(lines)
    lines[10], lines[17], lines[80] = "x", "y", "z"
    found = as_object(diff_of(old, "\n".join(lines)))["hunks"]
    assert [(hunk["old_start"], hunk["old_lines"]) for hunk in found] == [(8, 14), (78, 7)]
    found = as_object(diff_of(old, "\n".join(lines)), context=2)["hunks"]
    assert [(hunk["old_start"], hunk["old_lines"]) for hunk in found] == [(9, 5), (16, 5), (79, 5)]


def test_a_page_has_its_style_and_nothing_from_elsewhere() -> None:
    told = "".join(html(diff_of("a\n", "b\n"), is_page=True))
    assert told.startswith("<!doctype html>")
    assert not re.search(r"<script|<link|src=|href=|url\(|@import", told)


def test_what_was_told_coarsely_says_so() -> None:
    diff = diff_of("a\n", "b\n")
    coarse = Diff(diff.old, diff.new, diff.comparison._replace(is_coarse=True))
    assert "Too much differs" in "".join(html(coarse))
    assert as_object(coarse)["is_coarse"] is True


@pytest.mark.parametrize("name", NAMES)
def test_between_revisions_of_recorded_editing_a_patch_holds(name: str) -> None:
    found = texts(name, {50, 100, 5_000, 9_000})
    last = found[max(found)]
    for text in found.values():
        diff = diff_of(text, last)
        told = "".join(unified(diff))
        assert patched(text, told) == last if told else text == last
        assert as_object(diff)["is_cut"] is False


@given(documents(), st.integers(0, 10))
def test_of_too_many_lines_the_first_ones_are_told(pair: tuple[str, str], limit: int) -> None:
    diff = diff_of(*pair)
    every = [line for hunk in as_object(diff)["hunks"] for line in hunk["lines"]]
    told = as_object(diff, lines_max=limit)
    assert [line for hunk in told["hunks"] for line in hunk["lines"]] == every[:limit]
    assert told["is_cut"] is (len(every) > limit)
    rows = len(re.findall("<tr", "".join(html(diff))))
    shown = "".join(html(diff, lines_max=limit))
    assert len(re.findall("<tr", shown)) == min(rows, limit)
    assert ("left out" in shown) is (rows > limit)


def test_the_numbers_are_those_of_the_documents() -> None:
    docs = Path(__file__).parents[2] / "docs"
    told = (docs / "time-travel.md").read_text("utf-8")
    for text in (
        f"takes longer than {differ.COMPARE_SECONDS:.0f} s",
        f"in more than {comparing.CHANGES_MAX} places",
        f"where more than {comparing.WORDS_MAX} of them",
        f"nor after {comparing.WORDS_SECONDS:g} s",
        f"{CONTEXT_LINES} when it is missing, {http.CONTEXT_MAX} at most",
        f"After {http.LINES_MAX} lines",
        f"of {findings.LINES_MAX} lines at the most",
        f"`--timeout` seconds ({cli.RUN_SECONDS:.0f})",
        f"the nearest {findings.MESSAGES_AROUND}",
    ):
        assert text in told
    assert findings.AROUND.total_seconds() == 5 * 60
    reasons = (docs / "decisions" / "0023-diffs.md").read_text("utf-8")
    assert f"larger\n  than {differ.AT_ONCE_CODE_POINTS:,} characters" in reasons
