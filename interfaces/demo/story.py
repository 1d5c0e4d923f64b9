"""What happens in the demo: three people on a small web page, for about a minute.

Ada types the component, which is the beginning of a recorded session (see README.md beside this); Ben and
Cleo prepare the package. One of them breaks it in a hurry, nobody sees it at once, and the work goes on: that
is what there is to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PEOPLE: Final = ("Ada", "Ben", "Cleo")

COMPONENT: Final = "Timer.svelte"
PACKAGE: Final = "package.json"


@dataclass(frozen=True, slots=True)
class Type:
    """Type `text` behind the first `behind` of the document, in place of `instead`, which stands there."""

    text: str
    behind: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Paste(Type):
    """The same in one go."""


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class React:
    """To what was said last."""

    emoji: str


@dataclass(frozen=True, slots=True)
class Select:
    """Select this in the package."""

    text: str


@dataclass(frozen=True, slots=True)
class Save:
    """Give the package's revision a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Run:
    title: str
    outcome: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody does anything for a while."""

    seconds: float


Deed = Type | Say | React | Select | Save | Run | Pause

STORY: Final[tuple[tuple[str, Deed], ...]] = (
    ("Ada", Say("Morning! I'll write the timer component. Can you two get package.json ready?")),
    ("Ben", Say("On it.")),
    ("Cleo", React("👍")),
    ("Ben", Type('{\n  "name": "bead-timer",\n  "version": "0.1.0",\n  "private": true\n}\n')),
    ("Cleo", Say("I'll add the scripts.")),
    (
        "Cleo",
        Type(
            ',\n  "scripts": {\n    "dev": "vite",\n    "build": "vite build",\n'
            '    "test": "vitest run"\n  }',
            behind='"private": true',
        ),
    ),
    (
        "Ben",
        Type(',\n  "dependencies": {\n    "svelte": "^4.2.0"\n  }', behind='"test": "vitest run"\n  }'),
    ),
    ("Cleo", Run("npm test", "passed", 0)),
    ("Cleo", Save("green")),
    ("Ada", Say("Looks good. @ben the clock needs date-fns, can you add it? We demo in ten minutes ⏰")),
    ("Ben", Say("Sure, I'll copy the line from my other project.")),
    ("Ben", Select('"svelte": "^4.2.0"')),
    ("Ben", Paste('\n    "date-fns": "^3.6.0",', behind='"svelte": "^4.2.0"')),
    ("Ben", Say("Done, have to run.")),
    ("Cleo", Type("0.2.0", behind='"version": "', instead="0.1.0")),
    ("Cleo", Type(',\n    "lint": "eslint ."', behind='"test": "vitest run"')),
    ("Pause", Pause(2.0)),
    ("Cleo", Type('\n  "description": "A timer for the glass bead game",', behind='"version": "0.2.0",')),
    ("Ada", Run("npm test", "failed", 1)),
    ("Ada", Say("The tests don't even start: package.json doesn't parse any more. Who touched it last? 🤔")),
    ("Cleo", Say("Me, but mine looks fine. Something before that, maybe?")),
)
