"""A judge says what a text is, whatever is asked and whatever the text does to whoever looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest

from application.past.bisect import Matches, Parses, Question, TextAbsent, TextPresent, Verdict
from domain.errors import PatternInvalid
from infrastructure.judge import TextJudge, TextJudges

MEGABYTE = 1_000_000


@pytest.fixture
async def judges() -> AsyncIterator[TextJudges]:
    judges = TextJudges()
    yield judges
    await judges.close()


PYTHON, JSON = Parses("python"), Parses("json")


@pytest.mark.parametrize(
    ("question", "text", "is_good"),
    [
        (TextPresent("b"), "abc", True),
        (TextPresent("B"), "abc", False),
        (TextPresent("b" * 1000), "b" * MEGABYTE, True),
        (TextPresent("a\0"), "abc", False),
        (TextAbsent("b"), "abc", False),
        (TextAbsent("x"), "abc", True),
        (Matches("^b"), "abc", False),
        (Matches("(?m)^b"), "a\nbc", True),
        (Matches("é|😀"), "x😀", True),
        (Matches(""), "", True),
        (Matches("(a+)+$"), "a" * MEGABYTE + "b", False),
        (PYTHON, "x = 1\n", True),
        (PYTHON, "", True),
        (PYTHON, "x = \n", False),
        (PYTHON, "x\0", False),
        (PYTHON, '"\\d"', True),  # only a warning
        (PYTHON, "(" * 10_000 + ")" * 10_000, False),
        (PYTHON, "-" * MEGABYTE + "1", False),
        (PYTHON, "a" + ".b" * 400_000, False),
        (PYTHON, "[]" + "[0]" * 300_000, False),
        (PYTHON, "lambda:" * 100_000 + "x", False),
        (PYTHON, "9" * MEGABYTE, False),
        (JSON, '{"a": [1, 2.5, "é", null]}', True),
        (JSON, "9" * 10_000, True),
        (JSON, "", False),
        (JSON, "{'a': 1}", False),
        (JSON, "[NaN]", False),
        (JSON, "[1,]", False),
        (JSON, "[" * 10_000 + "]" * 10_000, False),
        (JSON, '{"a":' * 100_000 + "1" + "}" * 100_000, False),
        (JSON, '"\0"', False),
    ],
)
async def test_a_text_is_good_or_bad(
    judges: TextJudges, question: Question, text: str, is_good: bool
) -> None:
    assert await judges.by(question).judge(text) is (Verdict.GOOD if is_good else Verdict.BAD)


@pytest.mark.parametrize("pattern", ["(", "x{1001}", "(?=a)", r"(a)\1", "[b-a]", "\ud800"])
def test_a_pattern_that_is_none_is_refused(judges: TextJudges, pattern: str) -> None:
    with pytest.raises(PatternInvalid):
        judges.by(Matches(pattern))


async def test_a_pattern_that_takes_too_long_is_told_so_and_the_next_one_is_not(judges: TextJudges) -> None:
    letters = Random(1).choices("ab", k=MEGABYTE)
    slow = TextJudge(Matches("a[ab]{500}c"), judges._aside, seconds=0.3)
    with pytest.raises(PatternInvalid, match="too long"):
        await slow.judge("".join(letters))
    assert await judges.by(Matches("a")).judge("a") is Verdict.GOOD
