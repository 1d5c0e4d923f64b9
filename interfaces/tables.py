"""Answers that are tables, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from domain.instants import as_microseconds
from projections.questions import Cell, Column, Row

# What a spreadsheet may take for the beginning of a formula (OWASP ASVS 5.0, 1.2.10).
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def as_json(columns: Sequence[Column], row: Row) -> dict[str, object]:
    """Times in microseconds, as everywhere in JSON."""
    return {
        column.name: as_microseconds(cell) if isinstance(cell, datetime) else cell
        for column, cell in zip(columns, row, strict=True)
    }


def as_csv(rows: Sequence[Row]) -> str:
    """As RFC 4180 has it; a text that a spreadsheet would take for a formula has a ' before it."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([[_csv_cell(cell) for cell in row] for row in rows])
    return file.getvalue()


def _csv_cell(cell: Cell) -> object:
    match cell:
        case datetime():
            return rfc3339(cell)
        case list():
            return as_text_cell(" ".join(cell))
        case str():
            return as_text_cell(cell)
        case _:
            return cell


def as_text_cell(text: str) -> str:
    """A text that stays a text in a spreadsheet."""
    return f"'{text}" if text.startswith(FORMULA) else text


def rfc3339(at: datetime) -> str:
    text = at.astimezone(UTC).isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
