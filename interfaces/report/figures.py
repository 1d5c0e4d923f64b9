"""The plots of a report as inline SVG: made by hand, so that they are small, can be read by a screen reader,
follow a light or dark page, and need no library to draw them.

A plot whose width follows the page is stretched without its letters: these are HTML around it. Nothing here
takes a text of users but through `escaped`, and a colour only when it is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from math import cos, log1p, pi, sin
from typing import Final

# What would move a terminal's cursor, or is no character of HTML, is shown as a picture of itself.
_PICTURES: Final = {
    **{code: 0x2400 + code for code in range(32) if code != ord("\t")},
    127: 0x2421,
    **dict.fromkeys(range(128, 160), 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")

# Steps of the scale of heat; 0 is nothing.
STEPS: Final = 9

HEIGHT: Final = 100


def escaped(text: str) -> str:
    """A text of users as it can stand in an element or an attribute."""
    return html.escape(text.translate(_PICTURES))


def coloured(colour: str) -> str:
    """How a shape is filled: by a person's colour, or as what has none."""
    return f'fill="{colour}"' if _COLOUR.fullmatch(colour) else 'class="other"'


def step(value: float, most: float) -> int:
    """Where on the scale: by ratios, since one line is touched a thousand times and most of them twice."""
    if value <= 0:
        return 0
    return max(1, round(STEPS * log1p(value) / log1p(most))) if most > 1 else STEPS


def svg(width: float, height: float, shapes: str, label: str, *, is_stretched: bool = True) -> str:
    stretched = ' preserveAspectRatio="none"' if is_stretched else ""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}"{stretched} role="img" aria-label="{escaped(label)}">'
        f"{shapes}</svg>"
    )


def swatch(colour: str) -> str:
    return (
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect width="10" height="10" rx="3" {coloured(colour)}/></svg>'
    )


Layer = tuple[str, str, Mapping[int, int]]
"""A person's name and colour, and a number for each column."""


def stacked(layers: Sequence[Layer], columns: int, titles: Sequence[str], label: str) -> tuple[str, int]:
    """Columns, one layer upon the other, and how much the highest one holds."""
    totals = [sum(layer[column] for _, _, layer in layers if column in layer) for column in range(columns)]
    most = max([1, *totals])
    shapes = [f'<line class="grid" x1="0" x2="{columns}" y1="{y}" y2="{y}"/>' for y in (0, 25, 50, 75)]
    for column, total in enumerate(totals):
        top = float(HEIGHT)
        parts = []
        for name, colour, layer in layers:
            if not (count := layer.get(column, 0)):
                continue
            height = HEIGHT * count / most
            top -= height
            parts.append(
                f'<rect x="{column + 0.09:g}" y="{top:.2f}" width="0.82" height="{height:.2f}"'
                f" {coloured(colour)}>"
                f"<title>{escaped(titles[column])}: {escaped(name)}, {count:,} of {total:,}</title></rect>"
            )
        shapes += parts
    return svg(columns, HEIGHT, "".join(shapes), label), most


def spark(counts: Mapping[int, int], columns: int, label: str) -> str:
    most = max([1, *counts.values()])
    shapes = "".join(
        f'<rect x="{column}" y="{HEIGHT - max(4, HEIGHT * count / most):.1f}" width="0.85"'
        f' height="{max(4, HEIGHT * count / most):.1f}"/>'
        for column, count in sorted(counts.items())
    )
    return svg(columns, HEIGHT, shapes, label)


def shares(parts: Sequence[tuple[str, str, int]], most: int, label: str) -> str:
    """One bar of as many parts as people, each with name, colour and number; as long as all are of `most`."""
    at, shapes = 0.0, ""
    for name, colour, count in parts:
        width = 100 * count / max(most, 1)
        shapes += (
            f'<rect x="{at:.2f}" width="{width:.2f}" height="10" {coloured(colour)}>'
            f"<title>{escaped(name)}: {count:,}</title></rect>"
        )
        at += width
    return svg(100, 10, shapes, label)


def strip(stays: Iterable[tuple[float, float]], colour: str, label: str) -> str:
    """When somebody was here; stays are parts of the whole width, and the shortest can still be seen."""
    shapes = "".join(
        f'<rect x="{since * 1000:.1f}" width="{max((until - since) * 1000, 2):.1f}" height="18"'
        f" {coloured(colour)}/>"
        for since, until in stays
    )
    return svg(1000, 18, shapes, label)


def week(counts: Mapping[tuple[int, int], int], names: Sequence[str], what: str) -> str:
    """Hours of the day, by weekday (1 to 7)."""
    most = max([1, *counts.values()])
    shapes = ""
    for day in range(7):
        for hour in range(24):
            count = counts.get((day + 1, hour), 0)
            kind = f"h{step(count, most)}" if count else "cell"
            shapes += (
                f'<rect class="{kind}" x="{hour * 10 + 0.6:g}" y="{day * 10 + 0.6:g}" width="8.8"'
                f' height="8.8" rx="1.6"><title>{names[day]} {hour}:00, {count:,} {what}</title></rect>'
            )
    total = sum(counts.values())
    return svg(240, 70, shapes, f"{total:,} {what} by weekday and hour of the day", is_stretched=False)


Node = tuple[str, str, int]
"""Name, colour, weight."""
Edge = tuple[int, int, int, str]
"""Two nodes by their numbers, weight, and what it says."""

# Wider than high: names stand beside the people, and above or below them at the ends.
_WIDTH: Final = 400
_HEIGHT: Final = 344
_RADIUS: Final = 122


def graph(nodes: Sequence[Node], edges: Sequence[Edge], label: str) -> str:
    """People on a circle; the thicker a line, the more they have to do with each other."""
    count = len(nodes)
    places = [
        (
            _WIDTH / 2 + _RADIUS * cos(2 * pi * n / count - pi / 2),
            _HEIGHT / 2 + _RADIUS * sin(2 * pi * n / count - pi / 2),
        )
        for n in range(count)
    ]
    heaviest = max([1, *(weight for *_, weight, _ in edges)])
    shapes = ""
    for one, other, weight, said in sorted(edges, key=lambda edge: edge[2]):
        (x1, y1), (x2, y2) = places[one], places[other]
        # Bent a little towards the middle, so that lines through it can be told apart.
        middle = [
            (a + b) / 2 * 0.75 + centre * 0.25
            for a, b, centre in ((x1, x2, _WIDTH / 2), (y1, y2, _HEIGHT / 2))
        ]
        part = (weight / heaviest) ** 0.5
        shapes += (
            f'<path class="edge" d="M{x1:.1f} {y1:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {x2:.1f} {y2:.1f}"'
            f' stroke-width="{1 + 11 * part:.1f}" stroke-opacity="{0.2 + 0.4 * part:.2f}">'
            f"<title>{escaped(said)}</title></path>"
        )
    most = max([1, *(weight for *_, weight in nodes)])
    for (name, colour, weight), (x, y) in zip(nodes, places, strict=True):
        radius = 14 + 14 * (weight / most) ** 0.5
        below = y > _HEIGHT / 2 - 1
        text_y = y + radius + 16 if below else y - radius - 7
        shapes += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {coloured(colour)}>'
            f"<title>{escaped(name)}</title></circle>"
            f'<text class="initials" x="{x:.1f}" y="{y + 4:.1f}">{escaped(initials(name))}</text>'
            f'<text text-anchor="middle" x="{x:.1f}" y="{text_y:.1f}">{escaped(shortened(name, 18))}</text>'
        )
    return svg(_WIDTH, _HEIGHT, shapes, label, is_stretched=False)


def initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalnum()]
    return (
        "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"
    )


def shortened(text: str, code_points: int) -> str:
    return text if len(text) <= code_points else text[: code_points - 1] + "…"


def minimap(heats: Sequence[int], label: str) -> str:
    """All lines of a text from its top to its end, each or some together, as hot as the hottest of them."""
    most = max([1, *heats])
    rows = min(len(heats), 400)
    shapes = ""
    for row in range(rows):
        heat = max(heats[row * len(heats) // rows : (row + 1) * len(heats) // rows])
        if heat:
            shapes += f'<rect class="h{step(heat, most)}" y="{row}" width="10" height="1.05"/>'
    return svg(10, max(rows, 1), shapes, label)


def scale() -> str:
    shapes = "".join(f'<rect class="h{n + 1}" x="{n * 10}" width="10" height="10"/>' for n in range(STEPS))
    return svg(STEPS * 10, 10, shapes, "from few to many")
