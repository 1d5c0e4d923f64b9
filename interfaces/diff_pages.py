"""What differs between two texts, as HTML: a fragment for other people's pages, or a page of its own.

All that comes from a text is escaped, and what could hide in it or turn its surroundings is written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Final

from application.past.diff import Diff
from interfaces.diffs import CONTEXT_LINES, EVERYTHING, NO_END, Kind, Line, hunk_title, hunks

STYLE: Final = """
.chronoscribe-diff { font: 13px/1.45 ui-monospace, monospace; overflow-x: auto }
.chronoscribe-diff { color: #22262e; background: #fff }
.chronoscribe-diff table { border-collapse: collapse; width: 100% }
.chronoscribe-diff td { padding: 0 .6em; vertical-align: top }
.chronoscribe-diff .number { color: #6b7280; text-align: right; user-select: none; width: 1% }
.chronoscribe-diff .number::before { content: attr(data-line) }
.chronoscribe-diff .text { white-space: pre-wrap; overflow-wrap: anywhere }
.chronoscribe-diff .hunk td { color: #6b7280; background: #eef2ff }
.chronoscribe-diff .removed { background: #ffebe9 }
.chronoscribe-diff .added { background: #e6ffec }
.chronoscribe-diff del { background: #ffc1bc; text-decoration: none }
.chronoscribe-diff ins { background: #abf2bc; text-decoration: none }
.chronoscribe-diff .control { color: #9a3412; border: 1px solid currentColor; font-size: 75% }
.chronoscribe-diff .note { color: #6b7280; padding: .3em .6em; margin: 0 }
@media (prefers-color-scheme: dark) {
.chronoscribe-diff { color: #e6e8ec; background: #16181d }
.chronoscribe-diff .hunk td { background: #22283a }
.chronoscribe-diff .removed { background: #3a1d1d }
.chronoscribe-diff .added { background: #16301f }
.chronoscribe-diff del { background: #7a2e2e }
.chronoscribe-diff ins { background: #1f6b3a }
}
"""

# As the unified format has it.
_NO_END: Final = NO_END.removeprefix("\\ ")

_TAGS: Final[dict[Kind, str]] = {"same": "span", "removed": "del", "added": "ins"}

# Nothing of a text may hide, or turn what stands around it.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def html(
    diff: Diff, context: int = CONTEXT_LINES, *, is_page: bool = False, lines_max: int = EVERYTHING
) -> Iterator[str]:
    """A fragment that brings its style, or a page of its own."""
    name = escape(f"{diff.new.name}, revision {diff.old.revision} to {diff.new.revision}")
    if is_page:
        yield (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{name}</title></head><body>\n"
        )
    yield f'<div class="chronoscribe-diff">\n<style>{STYLE}</style>\n<p class="note">{name}</p>\n'
    if diff.comparison.is_coarse:
        yield '<p class="note">Too much differs to compare all of it line by line and word by word.</p>\n'
    yield "<table>\n"
    rows = _rows(diff, context)
    yield from islice(rows, lines_max)
    yield "</table>\n"
    if next(rows, None) is not None:
        yield '<p class="note">The rest is left out.</p>\n'
    yield "</div>\n"
    if is_page:
        yield "</body></html>\n"


def _rows(diff: Diff, context: int) -> Iterator[str]:
    for hunk in hunks(diff, context):
        yield f'<tr class="hunk"><td colspan="2"></td><td>{hunk_title(hunk)}</td></tr>\n'
        yield from map(_row, hunk.lines())


def _row(line: Line) -> str:
    numbers = "".join(
        f'<td class="number" data-line="{"" if number is None else number}"></td>'
        for number in (line.old, line.new)
    )
    # Where all of a line differs, its colour says so.
    tag = _TAGS[line.kind]
    text = "".join(
        f"<{tag}>{_escaped(piece.text)}</{tag}>"
        if line.is_mixed and piece.is_changed
        else _escaped(piece.text)
        for piece in line.pieces
    )
    end = "" if line.has_end else f'<span class="control">{_NO_END}</span>'
    return f'<tr class="{line.kind}">{numbers}<td class="text">{text}{end}</td></tr>\n'


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: f'<span class="control">U+{ord(found[0]):04X}</span>', escape(text))
