"""Answers that are tables, for spreadsheets and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.instants import as_microseconds
from interfaces.export import cells
from projections.questions import Cell, Column, Row


def as_json(columns: Sequence[Column], row: Row) -> dict[str, object]:
    """Times in microseconds, as everywhere in JSON."""
    return {
        column.name: as_microseconds(cell) if isinstance(cell, datetime) else cell
        for column, cell in zip(columns, row, strict=True)
    }


def as_csv(rows: Sequence[Row]) -> str:
    """Lines for a spreadsheet."""
    return cells.lines_of([[_csv_cell(cell) for cell in row] for row in rows]).decode()


def _csv_cell(cell: Cell) -> object:
    match cell:
        case datetime():
            return rfc3339(cell)
        case list():
            return cells.cell(" ".join(cell))
        case str():
            return cells.cell(cell)
        case _:
            return cell


def rfc3339(at: datetime) -> str:
    text = at.astimezone(UTC).isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
