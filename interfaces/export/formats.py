"""Rows as files: JSON Lines and Parquet for programs, CSV for spreadsheets. Each is written batch by batch
into a sink that need not be seekable, and holds no more than some megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, cast

import orjson

from infrastructure.postgres.tables import STATE, Column, Rows
from interfaces.export import cells

# A row group is in memory until it is written, as rows and as columns; readers skip whole ones. Large ones
# are read more quickly, and these are as large as they may be.
GROUP_ROWS: Final = 50_000
GROUP_BYTES: Final = 16 * 1024 * 1024


class Sink(Protocol):
    """Where a file goes to."""

    def write(self, data: bytes, /) -> int: ...


def write_jsonl(rows: Rows, sink: Sink) -> None:
    """A JSON object per line. Moments are texts in UTC; the state of an event is the stored object."""
    names = [column.name for column in rows.columns]
    convert = [_as_json(column) for column in rows.columns]
    for batch in rows.batches:
        sink.write(
            b"".join(
                orjson.dumps(
                    {
                        name: None if value is None else to(value)
                        for name, to, value in zip(names, convert, row, strict=True)
                    }
                )
                + b"\n"
                for row in batch
            )
        )


def write_csv(rows: Rows, sink: Sink) -> None:
    """Lists are separated by spaces, what is nothing is empty, JSON is its text."""
    sink.write(cells.MARK + cells.lines_of([[column.name for column in rows.columns]]))
    convert = [_as_cell(column) for column in rows.columns]
    for batch in rows.batches:
        sink.write(
            cells.lines_of(
                [
                    ["" if value is None else to(value) for to, value in zip(convert, row, strict=True)]
                    for row in batch
                ]
            )
        )


def write_parquet(rows: Rows, sink: Sink) -> None:
    """Typed columns, compressed; moments in microseconds of UTC, JSON as text."""
    # It is large, and only this needs it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, _arrow(pa, column)) for column in rows.columns])
    convert = [_as_arrow(column) for column in rows.columns]
    with pq.ParquetWriter(pa.PythonFile(_File(sink), mode="w"), schema, compression="zstd") as writer:
        values: list[list[Any]] = [[] for _ in convert]
        size = 0

        def write_group() -> None:
            nonlocal size
            arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP_ROWS)
            for column in values:
                column.clear()
            size = 0

        for batch in rows.batches:
            for row in batch:
                for column, to, value in zip(values, convert, row, strict=True):
                    told = None if value is None else to(value)
                    column.append(told)
                    size += len(told) if isinstance(told, str) else 8
            if len(values[0]) >= GROUP_ROWS or size >= GROUP_BYTES:
                write_group()
        if values[0]:
            write_group()


Write = Callable[[Rows, Sink], None]

FORMATS: Final[Mapping[str, Write]] = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}
CONTENT_TYPES: Final[Mapping[str, str]] = {
    "jsonl": "application/jsonl",
    "csv": cells.CONTENT_TYPE,
    "parquet": "application/vnd.apache.parquet",
}

_JSON: Final = frozenset({"json", "jsonb"})


def _as_json(column: Column) -> Callable[[Any], Any]:
    if column.kind == "timestamptz":
        return cells.moment
    if column.kind == "bytea":
        return lambda value: orjson.Fragment(bytes(value))
    return _same


def _as_cell(column: Column) -> Callable[[Any], Any]:
    if column.kind == "timestamptz":
        return cells.moment
    if column.kind == "bool":
        return lambda value: "true" if value else "false"
    to = _as_text(column)
    return lambda value: cells.cell(to(value))


def _as_arrow(column: Column) -> Callable[[Any], Any]:
    if column.kind.endswith("[]"):
        return _same
    return _as_text(column)


def _as_text(column: Column) -> Callable[[Any], Any]:
    """Texts of what is one; numbers, moments and so on as they are."""
    if column.kind == "bytea":
        assert column.name == STATE
        return lambda value: str(bytes(value), "utf-8")
    if column.kind in _JSON:
        return lambda value: orjson.dumps(value).decode()
    if column.kind.endswith("[]"):
        return lambda value: " ".join(cast("Sequence[str]", value))
    return _same


def _same(value: Any) -> Any:
    return value


def _arrow(pa: Any, column: Column) -> Any:
    kinds = {
        "int2": pa.int16(),
        "int4": pa.int32(),
        "int8": pa.int64(),
        "float8": pa.float64(),
        "bool": pa.bool_(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
    }
    if column.kind.endswith("[]"):
        return pa.list_(pa.string())
    return kinds.get(column.kind, pa.string())


class _File:
    """A sink as the library takes it: it asks where it is, and never goes back."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._position = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self._sink.write(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """There is nothing that waits here."""

    def close(self) -> None:
        self.closed = True


def file_name(what: str, form: str, room: str | None) -> str:
    return f"{room or 'all'}-{what}.{form}"
