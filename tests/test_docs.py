"""The documents name what there is, and the code keeps to its own rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from domain import errors
from domain.errors import ChronoscribeError
from domain.limits import OP_TEXT_BYTES
from infrastructure.settings import Settings
from interfaces.ws import closes, wire
from interfaces.ws.frames import AnyFrame
from interfaces.ws.session import PING_SECONDS, PONG_SECONDS

ROOT = Path(__file__).parents[1]
PACKAGES = ("domain", "application", "projections", "infrastructure", "interfaces")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text("utf-8")

# Most functions are a handful of lines; one that does not fit on a screen does more than one thing.
FUNCTION_LINES = 60


def names_in(text: str) -> set[str]:
    """What stands in backticks or quotes, alone or first in it: `edit`, "welcome", `{"type": "ok", …}`."""
    return set(re.findall(r"[`\"]([A-Za-z_]+)[`\"]", text))


# The protocol.


def requests() -> dict[str, type[Any]]:
    return {get_args(frame.model_fields["type"].annotation)[0]: frame for frame in get_args(AnyFrame)}


@pytest.mark.parametrize("kind", sorted(requests()))
def test_the_protocol_names_every_frame_of_a_client_and_its_fields(kind: str) -> None:
    line = next((line for line in PROTOCOL.splitlines() if line.startswith(f"| `{kind}`")), PROTOCOL)
    assert kind in names_in(PROTOCOL)
    for field, asked in requests()[kind].model_fields.items():
        if field not in {"type", "ref"}:
            assert f"`{asked.alias or field}`" in line, f"`{field}` of {kind}"


def server_frames() -> set[str]:
    """Every `type` that the server's code gives to a frame."""
    paths = set((ROOT / "interfaces" / "ws").glob("*.py"))
    paths -= {ROOT / "interfaces" / "ws" / "staging.py"}  # its lines are those of a replay over HTTP
    text = "".join(path.read_text("utf-8") for path in paths)
    found = set(re.findall(r"""(?:type=|["']type["']: ?|"type":)["']([a-z_]+)["']""", text))
    assert {"welcome", "opened", "edits", "events", "presence", "ok", "error", "ping"} <= found
    return found


@pytest.mark.parametrize("kind", sorted(server_frames()))
def test_the_protocol_names_every_frame_of_the_server(kind: str) -> None:
    assert kind in names_in(PROTOCOL)


def codes() -> Iterator[str]:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, ChronoscribeError) and hasattr(error, "code"):
            yield error.code


@pytest.mark.parametrize("code", sorted(set(codes())))
def test_the_protocol_names_every_error_code(code: str) -> None:
    assert f"`{code}`" in PROTOCOL.partition("## Error codes")[2]


def test_the_protocol_names_no_error_code_that_there_is_not() -> None:
    assert set(re.findall(r"E_[A-Z_]+", PROTOCOL)) <= set(codes())


def close_codes() -> dict[str, int]:
    return {name: value for name, value in vars(closes).items() if isinstance(value, int)}


@pytest.mark.parametrize(("name", "code"), sorted(close_codes().items()))
def test_the_protocol_names_every_close_code(name: str, code: int) -> None:
    table = PROTOCOL.partition("## Close codes")[2].partition("##")[0]
    assert re.search(rf"^\|[^|]*\b{code}\b", table, re.MULTILINE), name


def test_the_protocol_names_no_close_code_of_ours_that_there_is_not() -> None:
    named = {int(code) for code in re.findall(r"\b4[0-9]{3}\b", PROTOCOL)}
    assert named <= set(close_codes().values())


@pytest.mark.parametrize("name", sorted(name for name, _ in wire._WIRE.values()))
def test_the_protocol_names_every_event(name: str) -> None:
    table = PROTOCOL.partition("## What the server sends by itself")[2].partition("##")[0]
    assert f"`{name}`" in table


def test_the_protocol_tells_the_times_that_the_server_keeps() -> None:
    assert f"every {PING_SECONDS:g} s" in PROTOCOL
    assert f"within {PONG_SECONDS:g} s" in PROTOCOL
    assert f"nothing for {PING_SECONDS + PONG_SECONDS:g} s" in PROTOCOL


# Settings.


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    variable = "DATABASE_URL" if name == "database_url" else f"CHRONOSCRIBE_{name.upper()}"
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any(f"`{variable}`" in document.read_text("utf-8") for document in documents), variable


# Style.


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module and its lines, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = node.body[0]
            docstring = 0
            if ast.get_docstring(node) is not None and first.end_lineno is not None:
                docstring = first.end_lineno - first.lineno + 1
            yield node.name, node.end_lineno - node.lineno + 1 - docstring


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in modules()
        for name, lines in functions(path)
        if lines > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_packages_do_nothing_when_they_are_imported() -> None:
    packages = [
        path for path in ROOT.glob("*/**/__init__.py") if not path.relative_to(ROOT).parts[0].startswith(".")
    ]
    assert packages
    assert [path for path in packages if path.stat().st_size] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.name != "__init__.py" and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert not silent


def test_the_limits_fit_each_other() -> None:
    """An op of the largest text, written without escapes, fits into a frame with its other fields."""
    from domain.limits import FRAME_BYTES

    assert OP_TEXT_BYTES + 1_000 < FRAME_BYTES
