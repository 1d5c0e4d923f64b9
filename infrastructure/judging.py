"""Says whether a text is as it should be, by questions that strangers ask: a program beside the server (see
`aside`), since no such question can be stopped from within.

Regular expressions are RE2's: their time is linear in the text, but a text of a million characters times a
pattern made for it is ten seconds. Python's parser recurses, and may end its process.
"""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any, Literal

import orjson
import re2

from infrastructure.beside import work_off

Question = tuple[Literal["regex", "python", "json"], str]
"""What is asked, and for a regular expression, which."""


def pattern(text: str) -> Any:
    """The compiled pattern. Raises `re2.error`."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True  # only whether it matches is asked, and that is quicker to say
    return re2.compile(text, options)


def is_so(question: Question, text: str) -> bool:
    kind, asked = question
    match kind:
        case "regex":
            return pattern(asked).search(text) is not None
        case "python":
            return _is_python(text)
        case "json":
            return _is_json(text)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape sequence is still a program
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_json(text: str) -> bool:
    """By RFC 8259, so without `NaN`; numbers may have any length."""
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError, MemoryError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def main() -> None:
    """The program: a question and a text in, JSON's true or false out."""
    work_off(lambda given: orjson.dumps(is_so(*orjson.loads(given))))
