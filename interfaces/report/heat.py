"""The heat map of a document: how often each line of the text was touched, by whom, and the text beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from interfaces.report import figures
from interfaces.report.figures import escaped, shortened
from projections.heat import HeatLine
from projections.report import Work

# A text is shown whole up to so many lines; of a longer one the hottest lines with those around them.
LINES_TOLD: Final = 100
LINES_AROUND: Final = 2
LINE_CODE_POINTS: Final = 160

# Whose parts of a line's bar are told apart.
PEOPLE_OF_LINE: Final = 6


def heat_map(name: str, work: Work, looks: Mapping[str, Any], *, is_open: bool) -> str:
    lines = list(work.heat)
    heats = [line.heat for line in lines]
    most = max([1, *heats])
    shown = chosen(heats)
    rows, before = "", -1
    for number in shown:
        rows += _gap(number - before - 1) + _row(number, lines[number], most, looks)
        before = number
    rows += _gap(len(lines) - before - 1)
    hottest = heats.index(most) + 1 if most in heats else 0
    said = "empty now"
    if hottest:
        edits = f"{most:,} edit{'s' * (most != 1)}"
        said = f"{len(lines):,} lines, the hottest is line {hottest:,} with {edits}"
    opened = " open" if is_open else ""
    return (
        f"<details{opened}><summary><bdi>{escaped(name)}</bdi><small>{said}</small></summary>"
        '<div class="heat">'
        f"{figures.minimap(heats, f'All lines of {name}, from the first to the last')}"
        f'<div class="lines" tabindex="0" role="group" aria-label="Lines of {escaped(name)}">'
        '<table><colgroup><col class="number"><col><col class="bar"><col class="touches"></colgroup>'
        f"<tbody>{rows}</tbody></table></div></div></details>"
    )


def chosen(heats: Sequence[int]) -> list[int]:
    """The numbers of the lines that are shown."""
    if len(heats) <= LINES_TOLD:
        return list(range(len(heats)))
    found: set[int] = set()
    for number in sorted(range(len(heats)), key=lambda number: (-heats[number], number)):
        around = range(max(0, number - LINES_AROUND), min(len(heats), number + LINES_AROUND + 1))
        if len(found.union(around)) > LINES_TOLD:
            break
        found.update(around)
    return sorted(found)


def _row(number: int, line: HeatLine, most: int, looks: Mapping[str, Any]) -> str:
    heat = line.heat
    kind = f" h{figures.step(heat, most)}" if heat else ""
    text = escaped(shortened(line.text.removesuffix("\n"), LINE_CODE_POINTS))
    by = sorted(line.touches.items(), key=lambda item: (-item[1], item[0]))[:PEOPLE_OF_LINE]
    parts = [(looks[who].name, looks[who].colour, count) for who, count in by]
    bar = figures.shares(parts, heat, f"Who touched line {number + 1}") if heat else ""
    touches = f"{heat:,}" if heat else ""
    return (
        f'<tr><td class="number">{number + 1}</td><td class="text{kind}"><bdi>{text}</bdi></td>'
        f'<td class="bar">{bar}</td><td class="touches">{touches}</td></tr>'
    )


def _gap(lines: int) -> str:
    if not lines:
        return ""
    said = "1 line that was touched less" if lines == 1 else f"{lines:,} lines that were touched less"
    return f'<tr class="gap"><td></td><td>⋯ {said}</td><td></td><td></td></tr>'
