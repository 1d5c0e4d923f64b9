"""What differs between two texts, as it is shown: hunks of lines, unified text, words in their place, JSON.

All of it is made line by line while it is asked for, so that a large one can be told in slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any, Final, Literal, NamedTuple

import orjson

from application.past.diff import Change, ChangedLines, Diff
from domain.document import DocumentState
from domain.instants import as_microseconds

# Lines that are shown around what differs, as everybody is used to.
CONTEXT_LINES: Final = 3

# For whoever asks on a machine of their own.
EVERYTHING: Final = 2**62

Kind = Literal["same", "removed", "added"]


class Piece(NamedTuple):
    """A part of a line; of a changed line, whether it is a part that differs."""

    text: str
    is_changed: bool


class Line(NamedTuple):
    """`old` and `new` are its numbers in the two texts, from 1. The pieces are without the line's end, which
    the last line of a text may lack.
    """

    kind: Kind
    old: int | None
    new: int | None
    pieces: tuple[Piece, ...]
    has_end: bool

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def is_mixed(self) -> bool:
        """Whether some of it differs and some does not."""
        return len({piece.is_changed for piece in self.pieces}) > 1


class Hunk(NamedTuple):
    """Lines that differ and those around. `span` is where they are in the two texts; `old_line` and
    `new_line` are the numbers of the first of them, from 1.
    """

    diff: Diff
    span: Change
    old_line: int
    new_line: int
    changed: Sequence[ChangedLines]

    @property
    def old_lines(self) -> int:
        return _lines_in(self.diff.old.text, self.span.old_start, self.span.old_end)

    @property
    def new_lines(self) -> int:
        return _lines_in(self.diff.new.text, self.span.new_start, self.span.new_end)

    def lines(self) -> Iterator[Line]:
        """In the order in which they are shown: what was removed before what was put in its place."""
        old, new = self.diff.old.text, self.diff.new.text
        old_number, new_number, position = self.old_line, self.new_line, self.span.old_start
        for lines, words in [*self.changed, _end(self.span)]:
            for start, end in _split(old, position, lines.old_start):
                yield _line("same", old_number, new_number, old, start, end, ())
                old_number += 1
                new_number += 1
            removed = iter([(word.old_start, word.old_end) for word in words])
            for start, end, pieces in _cut(old, lines.old_start, lines.old_end, removed):
                yield _line("removed", old_number, None, old, start, end, pieces)
                old_number += 1
            added = iter([(word.new_start, word.new_end) for word in words])
            for start, end, pieces in _cut(new, lines.new_start, lines.new_end, added):
                yield _line("added", None, new_number, new, start, end, pieces)
                new_number += 1
            position = lines.old_end


def hunks(diff: Diff, context: int = CONTEXT_LINES) -> Iterator[Hunk]:
    """Places that differ, each with so many lines around it; those that touch each other are one."""
    old, new = diff.old.text, diff.new.text
    old_line = new_line = 1
    old_position = new_position = 0
    for group in _groups(diff, context):
        first, last = group[0].lines, group[-1].lines
        start, end = _lines_back(old, first.old_start, context), _lines_on(old, last.old_end, context)
        before, behind = first.old_start - start, end - last.old_end
        span = Change(start, end, first.new_start - before, last.new_end + behind)
        old_line += old.count("\n", old_position, span.old_start)
        new_line += new.count("\n", new_position, span.new_start)
        old_position, new_position = span.old_start, span.new_start
        yield Hunk(diff, span, old_line, new_line, group)


def _groups(diff: Diff, context: int) -> Iterator[list[ChangedLines]]:
    group: list[ChangedLines] = []
    for changed in diff.comparison.changed:
        if group:
            between = diff.old.text.count("\n", group[-1].lines.old_end, changed.lines.old_start)
            if between > 2 * context:
                yield group
                group = []
        group.append(changed)
    if group:
        yield group


def _end(span: Change) -> ChangedLines:
    """No lines, at the end."""
    return ChangedLines(Change(span.old_end, span.old_end, span.new_end, span.new_end), ())


def _lines_back(text: str, position: int, count: int) -> int:
    """Where the line begins that is so many lines before the one that begins at `position`."""
    for _ in range(count):
        if position == 0:
            break
        position = text.rfind("\n", 0, position - 1) + 1
    return position


def _lines_on(text: str, position: int, count: int) -> int:
    for _ in range(count):
        position = text.find("\n", position) + 1 or len(text)
        if position == len(text):
            break
    return position


def _lines_in(text: str, start: int, end: int) -> int:
    count = text.count("\n", start, end)
    return count + 1 if start < end and text[end - 1] != "\n" else count


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the lines between two positions begin and end, with their line ends."""
    while start < end:
        following = text.find("\n", start, end) + 1 or end
        yield start, following
        start = following


Cut = tuple[int, int, tuple[tuple[int, int, bool], ...]]
"""A line: where it begins and ends, and its pieces: where they do, and whether they differ."""


def _cut(text: str, start: int, end: int, words: Iterator[tuple[int, int]]) -> Iterator[Cut]:
    """The lines between two positions, cut where words differ."""
    word = next(words, None)
    for line_start, line_end in _split(text, start, end):
        pieces = []
        position = line_start
        while word is not None and word[0] < line_end:
            first, last = max(word[0], line_start), min(word[1], line_end)
            pieces += [(position, first, False), (first, last, True)]
            position = last
            if word[1] > line_end:
                break
            word = next(words, None)
        pieces.append((position, line_end, False))
        yield line_start, line_end, tuple(pieces)


def _line(
    kind: Kind,
    old: int | None,
    new: int | None,
    text: str,
    start: int,
    end: int,
    pieces: Sequence[tuple[int, int, bool]],
) -> Line:
    has_end = text.endswith("\n", start, end)
    last = end - 1 if has_end else end
    cut = pieces or [(start, end, False)]
    shown = [Piece(text[a : min(b, last)], changed) for a, b, changed in cut if a < min(b, last)]
    return Line(kind, old, new, tuple(shown), has_end)


# For programs.


def as_json(diff: Diff, context: int = CONTEXT_LINES, lines_max: int = EVERYTHING) -> Iterator[bytes]:
    """The diff as one JSON object, in pieces; `is_cut` when it has more lines."""
    left = lines_max
    head = {
        "room": diff.new.room,
        "document": diff.new.name,
        "old": _state(diff.old),
        "new": _state(diff.new),
        "is_coarse": diff.comparison.is_coarse,
    }
    yield orjson.dumps(head)[:-1] + b',"hunks":['
    for number, hunk in enumerate(hunks(diff, context)):
        about = {
            "old_start": hunk.old_line,
            "old_lines": hunk.old_lines,
            "new_start": hunk.new_line,
            "new_lines": hunk.new_lines,
        }
        yield (b"," if number else b"") + orjson.dumps(about)[:-1] + b',"lines":['
        for place, line in enumerate(hunk.lines()):
            left -= 1
            if left < 0:
                break
            yield (b"," if place else b"") + orjson.dumps(line_as_json(line))
        yield b"]}"
        if left < 0:
            break
    yield b'],"is_cut":' + (b"true}" if left < 0 else b"false}")


def _state(state: DocumentState) -> dict[str, int]:
    return {"revision": state.revision, "modified": as_microseconds(state.modified_on)}


def line_as_json(line: Line) -> dict[str, Any]:
    """`words` where only some of them differ."""
    return {
        "kind": line.kind,
        "old": line.old,
        "new": line.new,
        "text": line.text,
        "has_end": line.has_end,
        "words": [{"text": piece.text, "is_changed": piece.is_changed} for piece in line.pieces]
        if line.is_mixed
        else None,
    }


# For people and for `patch`.

_MARKS: Final[dict[Kind, str]] = {"same": " ", "removed": "-", "added": "+"}
NO_END: Final = "\\ No newline at end of file"


def unified(diff: Diff, context: int = CONTEXT_LINES) -> Iterator[str]:
    """The unified format, with line ends; nothing where nothing differs."""
    for number, hunk in enumerate(hunks(diff, context)):
        if number == 0:
            yield f"--- {title(diff.old)}\n+++ {title(diff.new)}\n"
        yield hunk_title(hunk) + "\n"
        for line in hunk.lines():
            yield f"{_MARKS[line.kind]}{line.text}\n" + ("" if line.has_end else f"{NO_END}\n")


def title(state: DocumentState) -> str:
    """What stands behind `---`: the name, and after a tab what is for people only."""
    when = state.modified_on.astimezone(UTC)
    return f"{state.name}\t{when:%Y-%m-%d %H:%M:%S.%f} +0000, revision {state.revision}"


def hunk_title(hunk: Hunk) -> str:
    old, new = _range(hunk.old_line, hunk.old_lines), _range(hunk.new_line, hunk.new_lines)
    return f"@@ -{old} +{new} @@"


def _range(line: int, count: int) -> str:
    """Of no lines, the one before is named; one line is not counted."""
    return str(line) if count == 1 else f"{line if count else line - 1},{count}"


def word_pieces(hunk: Hunk) -> Iterator[tuple[Kind, str]]:
    """The hunk's text once, with what was removed and added where it was."""
    old, new = hunk.diff.old.text, hunk.diff.new.text
    position = hunk.span.old_start
    for word in [word for each in hunk.changed for word in each.words]:
        yield "same", old[position : word.old_start]
        yield "removed", old[word.old_start : word.old_end]
        yield "added", new[word.new_start : word.new_end]
        position = word.old_end
    yield "same", old[position : hunk.span.old_end]


_WORD_MARKS: Final[dict[Kind, tuple[str, str]]] = {
    "same": ("", ""),
    "removed": ("[-", "-]"),
    "added": ("{+", "+}"),
}


def in_words(diff: Diff, context: int = CONTEXT_LINES) -> Iterator[str]:
    """As `git diff --word-diff`: [-what was removed-] and {+what was added+} within the text."""
    for number, hunk in enumerate(hunks(diff, context)):
        if number == 0:
            yield f"--- {title(diff.old)}\n+++ {title(diff.new)}\n"
        yield hunk_title(hunk) + "\n"
        last = ""
        for kind, text in word_pieces(hunk):
            if text:
                before, behind = _WORD_MARKS[kind]
                last = f"{before}{text}{behind}"
                yield last
        if not last.endswith("\n"):
            yield "\n"
