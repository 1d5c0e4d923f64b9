"""Columns of a batch as Postgres arrays in binary form, built in one go.

psycopg dumps a list element by element through Python objects, which at a thousand rows is most of the
cost of a group commit. An array's binary form is a header and, per element, a length and the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from psycopg import AsyncConnection, Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER: Final = struct.Struct("!iiIii")
_LENGTH: Final = struct.Struct("!i").pack
_BIGINT: Final = struct.Struct("!iq").pack
_NULL: Final = _LENGTH(-1)

_TEXT_OID: Final = 25
_BYTEA_OID: Final = 17
_BIGINT_OID: Final = 20


class _Array(bytes):
    """A whole array in binary form; the subclass says of what type."""


class TextArray(_Array):
    """`text[]`"""


class ByteaArray(_Array):
    """`bytea[]`"""


class BigintArray(_Array):
    """`bigint[]`"""


def text_array(values: Sequence[str | None]) -> TextArray:
    """A `text[]` parameter; None is NULL."""
    return TextArray(_variable(_TEXT_OID, [None if v is None else v.encode() for v in values]))


def bytea_array(values: Sequence[bytes | None]) -> ByteaArray:
    """A `bytea[]` parameter; None is NULL."""
    return ByteaArray(_variable(_BYTEA_OID, values))


def bigint_array(values: Sequence[int | None]) -> BigintArray:
    """A `bigint[]` parameter; None is NULL."""
    parts = [_NULL if value is None else _BIGINT(8, value) for value in values]
    return BigintArray(_HEADER.pack(1, 1, _BIGINT_OID, len(values), 1) + b"".join(parts))


def _variable(oid: int, values: Sequence[bytes | None]) -> bytes:
    parts = [_HEADER.pack(1, 1, oid, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(_LENGTH(len(value)))
            parts.append(value)
    return b"".join(parts)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


class _TextArrayDumper(_ArrayDumper):
    oid = 1009


class _ByteaArrayDumper(_ArrayDumper):
    oid = 1001


class _BigintArrayDumper(_ArrayDumper):
    oid = 1016


def register(connection: AsyncConnection[Any] | Connection[Any]) -> None:
    """Teach a connection the three array types."""
    connection.adapters.register_dumper(TextArray, _TextArrayDumper)
    connection.adapters.register_dumper(ByteaArray, _ByteaArrayDumper)
    connection.adapters.register_dumper(BigintArray, _BigintArrayDumper)
