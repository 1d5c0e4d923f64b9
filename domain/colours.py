"""A person's colour: told apart at a glance, readable on a light and on a dark page."""

from __future__ import annotations

import re
import zlib
from typing import Final

from domain.errors import ProfileInvalid

# Every hue at the lightness at which it stands out from white and from a dark editor's ground alike: at
# least 4 to 1 on both.
PALETTE: Final = (
    "#ee2f2f", "#c76123", "#9c780d", "#75840b", "#578b23", "#1d920c", "#0c922d", "#198f63",
    "#238b8b", "#2284bf", "#4c75f0", "#7b6ce5", "#a355f1", "#d31ded", "#e713b2", "#ed2671",
)  # fmt: skip

LIGHT: Final = "#ffffff"
DARK: Final = "#1e1e1e"

# What WCAG 2.2 (1.4.11) asks of everything that is not running text: a cursor, a name flag, a circle.
CONTRAST_LEAST: Final = 3.0

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


def colour_of(user: str) -> str:
    """The colour of somebody who has chosen none: always the same one."""
    return PALETTE[zlib.crc32(user.encode()) % len(PALETTE)]


def check_colour(colour: str) -> str:
    """`colour` in its stored form, `#rrggbb`. Raises `ProfileInvalid` when it cannot be read on both."""
    lower = colour.lower()
    if _COLOUR.fullmatch(lower) is None:
        raise ProfileInvalid("a colour looks like #4c75f0", field="colour")
    if min(contrast(lower, LIGHT), contrast(lower, DARK)) < CONTRAST_LEAST:
        raise ProfileInvalid("this colour cannot be read on a light and on a dark page", field="colour")
    return lower


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    """sRGB's transfer function, undone."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
