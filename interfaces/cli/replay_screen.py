"""What a replay looks like on a terminal: the text around the last change with everybody's cursors; who is
here, what is said and what goes on beside it; a clock below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from interfaces.cli.terminal import on_one_line, shortened
from projections.chat import ChatMessage
from projections.stage import StagedPerson

# Below this there is no room for two columns.
WIDE_COLUMNS: Final = 90
SIDE_COLUMNS: Final = 34

# The clock, and what the keys do.
FOOT_ROWS: Final = 2

# Of a message, more than fits into a line.
SAID_CODE_POINTS: Final = 500

TAB: Final = " " * 4
BORDER: Final = "dim"

Names = Mapping[str, tuple[str, str]]
"""By user: name and colour."""


class Mark(NamedTuple):
    """A range of a text in somebody's colour, which they have just written or have selected; without a length
    it is their cursor.
    """

    start: int
    end: int
    colour: str
    is_selected: bool = False


class Shown(NamedTuple):
    """The document in front. `focus` is where to look."""

    name: str
    revision: int
    text: str
    focus: int
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is seen at a moment."""

    shown: Shown | None
    people: Sequence[StagedPerson]
    messages: Sequence[ChatMessage]
    activity: Sequence[Text]
    names: Names
    at: datetime
    part: float
    """How much of the replay is behind."""
    sign: str
    speed: float
    keys: str


def screen(view: View, width: int, height: int) -> Layout:
    """The whole, in so many columns and rows."""
    layout, body = Layout(), Layout(name="body")
    layout.split_column(body, Layout(_foot(view, width), size=FOOT_ROWS))
    height -= FOOT_ROWS
    if width >= WIDE_COLUMNS:
        side = max(SIDE_COLUMNS, 2 * width // 5)
        text = Layout(_pane(view.shown, width - side, height))
        body.split_row(text, Layout(_beside(view, height), size=side))
    else:
        above = height - height // 2
        body.split_column(
            Layout(_pane(view.shown, width, above), size=above), Layout(_beside(view, height // 2))
        )
    return layout


def _foot(view: View, width: int) -> Group:
    clock = f" {view.sign} {view.at:%Y-%m-%d %H:%M:%S}  {view.speed:g}×  "
    bar = max(0, width - len(clock) - 1)
    done = round(view.part * bar)
    line = Text.assemble((clock, "bold"), ("━" * done, "cyan"), ("━" * (bar - done), "dim"))
    return Group(line, Text(f" {view.keys}", "dim", no_wrap=True, overflow="ellipsis"))


# The text.


def _pane(shown: Shown | None, width: int, height: int) -> Panel:
    if shown is None:
        return Panel(Text("There is no text yet.", "dim"), border_style=BORDER)
    title = Text(f"{shown.name}  revision {shown.revision}", "bold")
    lines = text_lines(shown, width - 4, height - 2)
    return Panel(lines, title=title, title_align="left", border_style=BORDER)


def text_lines(shown: Shown, width: int, height: int) -> Table:
    """The lines around the focus, numbered, as many as fit; long ones take several rows."""
    lines = shown.text.split("\n")
    digits = len(str(len(lines)))
    room = max(1, width - digits - 1)
    first = _first_line(lines, shown.text.count("\n", 0, shown.focus), room, height)
    start = sum(len(line) + 1 for line in lines[:first])
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(justify="right", style="dim", width=digits)
    table.add_column(overflow="fold", width=room)
    used = 0
    for number, line in enumerate(lines[first:], first + 1):
        if used >= height:
            break
        table.add_row(str(number), marked(line, start, shown.marks))
        start += len(line) + 1
        used += _rows(line, room)
    return table


def _first_line(lines: Sequence[str], focus: int, width: int, height: int) -> int:
    """So that the line in focus is seen, with more before it than behind it."""
    first, rows = focus, _rows(lines[focus], width)
    while first > 0 and rows + _rows(lines[first - 1], width) <= 2 * height // 3:
        first -= 1
        rows += _rows(lines[first], width)
    return first


def _rows(line: str, width: int) -> int:
    return 1 + cell_len(line) // width


def marked(line: str, start: int, marks: Sequence[Mark]) -> Text:
    """A line that begins at `start` in the text, in the colours of the marks. A cursor is a block on the
    character behind it.
    """
    end = start + len(line)
    here = [mark for mark in marks if mark.start <= end and mark.end >= start]
    cuts = {0, len(line)}
    for mark in here:
        cuts |= {max(0, mark.start - start), min(len(line), max(mark.end, mark.start + 1) - start)}
    text = Text()
    for left, right in pairwise(sorted(cuts)):
        text.append(_plain(line[left:right]), _style(here, start + left, start + right))
    if any(mark.start == mark.end == end for mark in here):
        text.append(" ", _style(here, end, end))
    return text


def _style(marks: Sequence[Mark], start: int, end: int) -> str:
    """The cursor goes before the selection, and that before what is new."""
    style = ""
    for mark in marks:
        if mark.start == mark.end:
            if mark.start == start:
                return f"{mark.colour} reverse"
        elif mark.start <= start and end <= mark.end and not style.endswith("underline"):
            style = f"{mark.colour} underline" if mark.is_selected else mark.colour
    return style


def _plain(part: str) -> str:
    return on_one_line(part.replace("\r", "").replace("\t", TAB))


# Beside it.


def _beside(view: View, height: int) -> Group:
    """Three boxes that fill `height` rows."""
    here = min(max(1, len(view.people)), max(1, height // 4))
    rest = max(2, height - here - 6)
    return Group(
        _box("here", [_person(person) for person in view.people[:here]], here),
        _box("chat", [_message(message, view.names) for message in view.messages], rest - rest // 2),
        _box("activity", view.activity, rest // 2),
    )


def _box(title: str, lines: Sequence[Text], height: int) -> Panel:
    """The last lines that fit, one row each."""
    shown = list(lines[-height:])
    rows: Iterator[RenderableType] = iter([*map(_cut, shown), *[Text("")] * (height - len(shown))])
    return Panel(Group(*rows), title=title, title_align="left", border_style=BORDER)


def _cut(line: Text) -> Text:
    cut = line.copy()
    cut.no_wrap, cut.overflow = True, "ellipsis"
    return cut


def _person(person: StagedPerson) -> Text:
    where = person.cursor and person.cursor.document
    doing = f"{person.status} in {where}" if where else person.status
    if person.typing is not None:
        doing = f"types in {person.typing.where or 'the chat'}…"
    return Text.assemble(("● ", person.colour), (on_one_line(person.name), "bold"), (f" {doing}", "dim"))


def _message(message: ChatMessage, names: Names) -> Text:
    at = f"{message.posted.astimezone():%H:%M} "
    text = on_one_line(shortened(message.text, SAID_CODE_POINTS))
    said = ("deleted", "italic dim") if message.deleted else text
    notes = [f"{emoji} {len(users)}" for emoji, users in message.reactors.items()]
    notes += ["edited"] if message.edits and not message.deleted else []
    return Text.assemble(
        (at, "dim"), named(message.author, names), ": ", said, (f"  {'  '.join(notes)}", "dim")
    )


def named(user: str, names: Names) -> tuple[str, str]:
    """What somebody is called, in their colour."""
    name, colour = names.get(user, (user, "bold"))
    return on_one_line(name), colour
