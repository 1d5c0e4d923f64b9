"""Tables on a terminal, printed as their rows come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from interfaces.cli.terminal import on_one_line, shortened
from interfaces.tables import rfc3339
from projections.questions import Cell, Column, Row

# Longer cells would make a line that nobody reads.
CELL_CODE_POINTS: Final = 60

_NUMBERS: Final = frozenset({"int4", "int8", "float8"})


def as_table(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """Lines for a terminal, headed by names, numbers to the right."""
    table = Table(columns, rows)
    return [*table.head(), *table.lines(rows)]


class Table:
    """As wide as what stands in its first rows; what comes later and is wider stands out."""

    def __init__(self, columns: Sequence[Column], first: Sequence[Row]) -> None:
        self._columns = columns
        cells = [[_shown(cell) for cell in row] for row in first]
        self._widths = [
            max([cell_len(column.name), *(cell_len(row[place]) for row in cells)])
            for place, column in enumerate(columns)
        ]

    def head(self) -> list[str]:
        names = [column.name for column in self._columns]
        return [self._line(names), "  ".join("-" * width for width in self._widths)]

    def lines(self, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows:
            yield self._line([_shown(cell) for cell in row])

    def _line(self, cells: Sequence[str]) -> str:
        padded = []
        for column, width, cell in zip(self._columns, self._widths, cells, strict=True):
            room = " " * (width - cell_len(cell))
            padded.append(room + cell if column.type in _NUMBERS else cell + room)
        return "  ".join(padded).rstrip()


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case float():
            return f"{cell:.2f}"
        case datetime():
            return rfc3339(cell)
        case list():
            return ", ".join(cell)
        case _:
            return on_one_line(shortened(str(cell), CELL_CODE_POINTS))
