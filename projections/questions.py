"""Questions to the log that are one SQL file each: what a file says of itself, and what is asked with it.

A file is for psql as it stands, with variables (`:'room'`) for what can be asked for; an empty one is not
asked for. It begins with a comment: a title, what it answers, and each variable with what it means and, in
brackets, what holds when it is empty.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol

_VARIABLE: Final = re.compile(r":'([a-z]+)'")
_DECLARED: Final = re.compile(r":([a-z]+) +(.+) \(([^()]*)\)")

Given = Mapping[str, str | int | datetime | None]
"""What is asked for, by variable."""

Cell = str | int | float | bool | datetime | list[str] | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Variable:
    """`otherwise` is what holds when it is empty."""

    name: str
    what: str
    otherwise: str


@dataclass(frozen=True)
class Question:
    name: str
    title: str
    what: str
    variables: tuple[Variable, ...]
    file: str
    """The text of the file."""

    @cached_property
    def statement(self) -> str:
        """For psycopg: each variable is a parameter of the same name."""
        _, _, sql = self.file.partition("\n\n")
        return _VARIABLE.sub(r"%(\1)s", sql.strip().removesuffix(";").replace("%", "%%"))

    def parameters(self, given: Given) -> dict[str, str | None]:
        """The values of all variables. Raises `KeyError` for what this question does not ask for."""
        names = {variable.name for variable in self.variables}
        for name, value in given.items():
            if value is not None and name not in names:
                raise KeyError(name)
        return {name: _as_text(given.get(name)) for name in names}


def _as_text(value: str | int | datetime | None) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def read(name: str, file: str) -> Question:
    """The question in a file. Raises `ValueError` for one that does not say what it asks for."""
    lines = [line[2:].strip() for line in file.partition("\n\n")[0].splitlines()]
    declared = [line for line in lines if line.startswith(":")]
    found = [_DECLARED.fullmatch(line) for line in declared]
    variables = tuple(Variable(*match.groups()) for match in found if match is not None)
    used = set(_VARIABLE.findall(file))
    if len(variables) != len(declared) or {variable.name for variable in variables} != used:
        raise ValueError(f"{name}: the variables that are declared and used differ")
    what = " ".join(line for line in lines[1:] if line and line not in declared)
    return Question(name, lines[0], what, variables, file)


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is the database's name for it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question, in pages that are read as they are asked for."""

    columns: tuple[Column, ...]
    pages: AsyncIterator[Sequence[Row]]


class Auditor(Protocol):
    """Answers questions."""

    @property
    def questions(self) -> Mapping[str, Question]: ...

    def ask(
        self, question: Question, given: Given, *, seconds: float | None
    ) -> AbstractAsyncContextManager[Found]:
        """Raises `KeyError` for what is not asked for, `TextInvalid` for a value that is none, `Overloaded`
        when it takes longer than that, `StoreUnavailable`.
        """
        ...
