"""Easysync changesets, the edits of Etherpad: `Z:c>1|2=b=3*0+1$x`.

A changeset says how long the text was (`:c`), by how much it becomes longer (`>1`) or shorter (`<1`), and
walks over the text: `=` keeps, `-` deletes and `+` inserts so many characters, the inserted ones from the
bank behind `$` in their order. `|2` says that these characters hold two line ends, of which one is the last
of them; without it there is none. `*0` are attributes (who, bold), by their number in the pad's pool: they
are not text and are passed over. What is not walked over stays. Numbers are in base 36.

It counts UTF-16 code units, we count code points. So one half of a character may be replaced (an emoji by
another one), and a half may stand alone for a while. The pad's text is kept in units here, one to a character
of a Python string; what has changed is then widened to whole characters and told as an op of ours. A half
that stands alone is no text: it becomes U+FFFD, and so does a NUL, which cannot be stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.errors import ImportInvalid
from domain.text_op import Component, Op, normalise

_HEAD: Final = re.compile(r"Z:([0-9a-z]{1,9})([><])([0-9a-z]{1,9})")
_OP: Final = re.compile(r"(?:\*[0-9a-z]{1,9})*(?:\|([0-9a-z]{1,9}))?([-+=])([0-9a-z]{1,9})|\$|.|\n")
_LONE: Final = re.compile("[\x00\ud800-\udfff]")

REPLACEMENT: Final = "\ufffd"


class Step(NamedTuple):
    """`kind` is one of `=-+`; `chars` units, `lines` of them line ends."""

    kind: str
    chars: int
    lines: int


@dataclass(frozen=True, slots=True)
class Changeset:
    """A changeset, taken apart; `bank` in UTF-16 units."""

    old_length: int
    new_length: int
    steps: tuple[Step, ...]
    bank: str


def parse(text: str) -> Changeset:
    """Raises `ImportInvalid` for what is no changeset."""
    head = _HEAD.match(text)
    if head is None:
        raise ImportInvalid("this is no changeset")
    old_length, change = int(head[1], 36), int(head[3], 36)
    steps: list[Step] = []
    bank = None
    for found in _OP.finditer(text, head.end()):
        if found[2] is None:
            if found[0] != "$":
                raise ImportInvalid("this is no changeset")
            bank = text[found.end() :]
            break
        lines, chars = int(found[1] or "0", 36), int(found[3], 36)
        if lines > chars:
            raise ImportInvalid("a changeset tells of more line ends than characters")
        steps.append(Step(found[2], chars, lines))
    if bank is None:
        raise ImportInvalid("a changeset has no end")
    new_length = old_length + (change if head[2] == ">" else -change)
    return Changeset(old_length, new_length, tuple(steps), as_units(bank))


class Hunk(NamedTuple):
    """Units of the old text from `start` to `end` become those of the new one from `new_start` on."""

    start: int
    end: int
    new_start: int
    new_end: int


def apply(units: str, changeset: Changeset) -> tuple[str, list[Hunk]]:
    """The text after, in units, and what has changed, in order and apart from each other.

    Raises `ImportInvalid` where the changeset does not fit the text, to the last line end.
    """
    if len(units) != changeset.old_length:
        raise ImportInvalid(
            "a changeset is for a text of another length", expected=changeset.old_length, actual=len(units)
        )
    parts: list[str] = []
    hunks: list[Hunk] = []
    place = new_place = taken = 0
    for kind, chars, lines in changeset.steps:
        if kind == "+":
            part = changeset.bank[taken : taken + chars]
            taken += chars
        else:
            part = units[place : place + chars]
        _check_part(part, chars, lines)
        if kind == "=":
            place += chars
            new_place += chars
            parts.append(part)
            continue
        start, new_start = place, new_place
        if kind == "+":
            new_place += chars
            parts.append(part)
        else:
            place += chars
        if hunks and (hunks[-1].end, hunks[-1].new_end) == (start, new_start):
            start, new_start = hunks.pop()[::2]
        hunks.append(Hunk(start, place, new_start, new_place))
    if taken != len(changeset.bank):
        raise ImportInvalid("a changeset has more text than it inserts")
    parts.append(units[place:])
    new = "".join(parts)
    if len(new) != changeset.new_length:
        raise ImportInvalid(
            "a changeset makes a text of another length", expected=changeset.new_length, actual=len(new)
        )
    return new, [hunk for hunk in hunks if hunk.start < hunk.end or hunk.new_start < hunk.new_end]


def _check_part(part: str, chars: int, lines: int) -> None:
    if len(part) != chars:
        raise ImportInvalid("a changeset goes on behind the end")
    if part.count("\n") != lines:
        raise ImportInvalid("a changeset counts other line ends than there are")
    if lines and not part.endswith("\n"):
        raise ImportInvalid("a changeset tells of line ends that are not the last character")


def as_op(old: str, new: str, hunks: list[Hunk]) -> Op:
    """What has changed between two texts in units, as an invertible op on the first in code points."""
    if _is_plain(old) and _is_plain(new):
        return normalise(_components(old, new, hunks))
    return normalise(_components(old, new, list(_widened(old, new, hunks))))


def _components(old: str, new: str, hunks: list[Hunk]) -> Iterator[Component]:
    place = 0
    for start, end, new_start, new_end in hunks:
        yield _length(old[place:start])
        if (deleted := as_text(old[start:end])) != (inserted := as_text(new[new_start:new_end])):
            yield {"d": deleted}
            yield inserted
        else:
            yield len(deleted)
        place = end


def _widened(old: str, new: str, hunks: list[Hunk]) -> Iterator[Hunk]:
    """The hunks, none of which begins or ends within a character, in the old text or in the new one."""
    widened: Hunk | None = None
    for start, end, new_start, new_end in hunks:
        if _cuts(old, start) or _cuts(new, new_start):
            start, new_start = start - 1, new_start - 1
        if _cuts(old, end) or _cuts(new, new_end):
            end, new_end = end + 1, new_end + 1
        hunk = Hunk(start, end, new_start, new_end)
        if widened is None:
            widened = hunk
        elif hunk.start <= widened.end:
            widened = Hunk(widened.start, hunk.end, widened.new_start, hunk.new_end)
        else:
            yield widened
            widened = hunk
    if widened is not None:
        yield widened


def _cuts(units: str, place: int) -> bool:
    """Whether a place is between the two halves of a character."""
    return (
        0 < place < len(units)
        and "\ud800" <= units[place - 1] <= "\udbff"
        and "\udc00" <= units[place] <= "\udfff"
    )


def as_units(text: str) -> str:
    """A text with one character for each of its UTF-16 units."""
    if not text or text.isascii() or max(text) <= "\uffff":
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    # Two bytes to a character, whatever they are: UTF-16 would put the halves together.
    return "".join(map(chr, memoryview(encoded).cast("H")))


def as_text(units: str) -> str:
    """The text that these units are: halves put together, what is no text replaced."""
    if _is_plain(units):
        return units
    joined = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _LONE.sub(REPLACEMENT, joined)


def _is_plain(units: str) -> bool:
    """Whether units are characters, all of them. Encoding is the quickest way to look through a long text."""
    try:
        units.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in units


def _length(units: str) -> int:
    """In code points."""
    if units.isascii():
        return len(units)
    return len(units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


def has_no_text(units: str) -> bool:
    """Whether there is something in it that has to be replaced."""
    return as_text(units).count(REPLACEMENT) > units.count(REPLACEMENT)
