"""What stands in the cells of tables for people and spreadsheets: one way for all CSV that leaves us.

In UTF-8 with a byte order mark, without which the most used of all spreadsheets takes UTF-8 for something
else; lines as RFC 4180 has them; and no text is a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

CONTENT_TYPE: Final = "text/csv; charset=utf-8; header=present"
MARK: Final = b"\xef\xbb\xbf"

# What a spreadsheet may take for the beginning of a formula (OWASP ASVS 5.0, 1.2.10).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def lines_of(rows: Sequence[Sequence[object]]) -> bytes:
    """As RFC 4180 has them."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def cell(value: str | int) -> str | int:
    """A text that stays a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def moment(at: datetime | None) -> str:
    """In UTC, to the microsecond; nothing for none."""
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
