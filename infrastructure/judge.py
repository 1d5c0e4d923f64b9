"""Judges texts by a question: what a search answers at once, the rest beside the server."""

from __future__ import annotations

from typing import Final

import orjson
import re2

from application.past.bisect import Matches, Parses, Question, TextAbsent, TextPresent, Verdict
from domain.errors import Overloaded, PatternInvalid
from infrastructure import judging
from infrastructure.aside import Aside, AsideFailed, AsideTooSlow

# Of the largest texts that people write Python's parser takes half a second, and an ordinary pattern some
# hundredths.
JUDGE_SECONDS: Final = 5.0


class TextJudge:
    """A `Judge` by one question. Raises `PatternInvalid` for a pattern that is none."""

    def __init__(self, question: Question, aside: Aside, seconds: float = JUDGE_SECONDS) -> None:
        self._question = question
        self._aside = aside
        self._seconds = seconds
        if isinstance(question, Matches):
            _check(question.pattern)

    async def judge(self, text: str) -> Verdict:
        return Verdict.GOOD if await self._is_good(text) else Verdict.BAD

    async def _is_good(self, text: str) -> bool:
        match self._question:
            case TextPresent(part):
                return part in text
            case TextAbsent(part):
                return part not in text
            case Matches(pattern):
                try:
                    return await self._ask(("regex", pattern), text)
                except AsideFailed:
                    raise PatternInvalid("the pattern takes too long on this text") from None
            case Parses(language):
                try:
                    return await self._ask((language, ""), text)
                except AsideTooSlow:
                    raise Overloaded("parsing takes too long", retry_after=self._seconds) from None
                except AsideFailed:
                    return False

    async def _ask(self, question: judging.Question, text: str) -> bool:
        return bool(orjson.loads(await self._aside.ask(orjson.dumps((question, text)), self._seconds)))


class TextJudges:
    """Makes judges, which share a program. Whoever makes one closes it."""

    def __init__(self) -> None:
        self._aside = Aside("infrastructure.judging")

    def by(self, question: Question) -> TextJudge:
        """Raises `PatternInvalid`."""
        return TextJudge(question, self._aside)

    async def close(self, _: object = None) -> None:
        """End what runs beside."""
        await self._aside.close()


def _check(pattern: str) -> None:
    try:
        judging.pattern(pattern)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternInvalid(f"no pattern of RE2's: {said}") from None
    except UnicodeEncodeError:
        raise PatternInvalid("a lone surrogate is no text") from None
