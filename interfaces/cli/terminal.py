"""Lines on our terminal. Nothing in the text of other people may move the cursor, ring, or lie."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.text import Text

_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# C0 and C1 controls with DEL (Python's \d and str.isprintable would take more, or less), the line and
# paragraph separators, and what reverses the direction of text, by which a line can be made to look like
# another.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_TEXT: Final = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def printer() -> Callable[[Text], None]:
    """Prints lines: in colours on a terminal, plain where they go elsewhere."""
    if not sys.stdout.isatty():
        return lambda line: print(line.plain)
    return Console(highlight=False, soft_wrap=True).print


def on_one_line(text: str) -> str:
    """`text` with every control character written out, as a Python string has it."""
    return _CONTROL.sub(_written_out, text)


def as_lines(text: str) -> str:
    """The same, but lines and tabs stay."""
    return _CONTROL_IN_TEXT.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def shortened(text: str, code_points: int) -> str:
    """At most so much of `text`, with an ellipsis where some is left out."""
    return text if len(text) <= code_points else text[: code_points - 1] + "…"
