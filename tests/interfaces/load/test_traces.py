"""Reading recorded sessions, and what they demand of the order of arrival."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from domain.text_op import apply
from interfaces.load.traces import Line, TraceInvalid, barriers, is_sequential, read

TRACES = Path(__file__).parents[2] / "traces"


def write(path: Path, rows: list[dict[str, Any]], **header: Any) -> Path:
    head = {"format": "ot-trace/1", "name": "t", "txns": len(rows), "start": "", "final": {"sha256": "f"}}
    with gzip.open(path / "trace.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in [{**head, **header}, *rows])
    return path / "trace.gz"


def row(agent: int, v: int, op: Any = ("x",), t: str | None = None) -> dict[str, Any]:
    return {"t": t, "agent": agent, "v": v, "op": list(op)}


@pytest.mark.parametrize(
    ("name", "lines", "agents"),
    [("books-ja", 126, 49), ("clownschool", 23_136, 3), ("sveltecomponent", 18_335, 1)],
)
def test_the_recorded_sessions_are_read_whole(name: str, lines: int, agents: int) -> None:
    trace = read(TRACES / f"{name}.jsonl.gz")
    assert trace.name == name
    assert len(trace.lines) == lines
    assert len(trace.agents) == agents
    assert trace.sha256 is not None


def test_the_first_lines_of_a_sequential_session_have_a_text_of_their_own() -> None:
    trace = read(TRACES / "books-ja.jsonl.gz", 5)
    text = ""
    for line in trace.lines:
        text = apply(text, line.op)
    assert len(trace.lines) == 5
    assert trace.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_nothing_is_promised_of_the_first_lines_of_a_concurrent_session() -> None:
    assert read(TRACES / "clownschool.jsonl.gz", 1_000).sha256 is None


def test_nothing_is_promised_where_ties_and_the_order_of_arrival_decide(tmp_path: Path) -> None:
    assert read(write(tmp_path, [row(0, 0)], tie_sensitive=True)).sha256 is None
    assert read(write(tmp_path, [row(0, 0)])).sha256 == "f"


def test_times_count_from_the_first_and_never_go_back(tmp_path: Path) -> None:
    day = "2026-11-23T10:00:"
    rows = [
        row(0, 0),
        row(0, 1, t=f"{day}05Z"),
        row(0, 2, t=f"{day}15Z"),
        row(0, 3, t=f"{day}07Z"),
        row(0, 4),
        row(0, 5, t="2026-11-23T11:00:25+01:00"),
    ]
    assert [line.at for line in read(write(tmp_path, rows)).lines] == [0, 0, 10, 10, 10, 20]


@pytest.mark.parametrize(
    "bad",
    [
        row(0, 2),
        row(0, -1),
        row(-1, 0),
        row(0, 0, op=["x", "y"]),
        row(0, 0, op=[3]),
        row(0, 0, t="yesterday"),
        {"t": None, "agent": "0", "v": 0, "op": ["x"]},
        {"t": None, "v": 0, "op": ["x"]},
        {"t": None, "agent": 0, "v": 0, "op": None},
    ],
)
def test_a_line_that_cannot_be_played_is_refused(bad: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(TraceInvalid):
        read(write(tmp_path, [bad]))


@pytest.mark.parametrize("header", [{"format": "ot-trace/2"}, {"start": "abc"}, {"txns": 2}])
def test_a_header_that_says_something_else_is_refused(header: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(TraceInvalid):
        read(write(tmp_path, [row(0, 0)], **header))


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"", mtime=0), gzip.compress(b"{", mtime=0)[:-9]]
)
def test_a_file_that_is_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(TraceInvalid):
        read(tmp_path / "file")


def lines_of(*agents_and_bases: tuple[int, int]) -> list[Line]:
    return [Line(n, 0.0, agent, base, ["x"]) for n, (agent, base) in enumerate(agents_and_bases)]


def test_two_agents_never_wait_for_each_other_beyond_what_they_saw() -> None:
    lines = lines_of((0, 0), (1, 0), (0, 0), (1, 1))
    assert not is_sequential(lines)
    assert barriers(lines) == [()] * 4


def test_what_a_third_agent_saw_keeps_two_others_in_order() -> None:
    # Agent 2 wrote line 2 with line 0 in sight and line 1 not: so 0 must not come behind 1, though the
    # author of 1 has never seen it.
    assert barriers(lines_of((0, 0), (1, 0), (2, 1)))[1] == (0,)


def test_only_what_was_seen_apart_is_kept_apart() -> None:
    # Agent 2 saw both or none, so any order of lines 0 and 1 will do.
    assert barriers(lines_of((0, 0), (1, 0), (2, 0), (2, 2))) == [()] * 4
