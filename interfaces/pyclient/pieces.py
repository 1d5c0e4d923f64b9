"""An op as it goes on the wire: small enough for a frame, deletes as counts.

A person offline for an hour, or one who pastes a book, makes an op that no frame holds. It is cut
into ops that follow one another, each of which is an edit of its own.
"""

from __future__ import annotations

from typing import Final

import orjson

from domain.limits import OP_TEXT_BYTES
from domain.text_op import Component, Op, normalise

# Bytes of JSON of one op on the wire. JSON of a text is never shorter than its UTF-8, so this keeps
# to the limit of inserted text too, and leaves 4 KiB of the frame to the edit's other fields.
PIECE_BYTES: Final = OP_TEXT_BYTES

# The most JSON takes for one code point: a control character is written \u001f.
CODE_POINT_BYTES: Final = 6

# More than a skip, a delete by count, or an insert's quotes and comma need for any text that a
# server holds. It also keeps the components of a piece (3,840 at most) below the limit of 5,000.
COMPONENT_BYTES: Final = 16


def as_wire(op: Op) -> Op:
    """`op` with every delete as a count: deleting a chapter takes as few bytes as deleting a word."""
    return [
        component if isinstance(component, int | str) else {"d": _deleted_length(component["d"])}
        for component in op
    ]


def _deleted_length(deleted: int | str) -> int:
    return deleted if isinstance(deleted, int) else len(deleted)


def has_same_effect(first: Op, second: Op) -> bool:
    """Whether two normal ops are the same but for how their deletes are written, as text or as counts."""
    return first == second or as_wire(first) == as_wire(second)


def first_piece(op: Op) -> tuple[Op, Op]:
    """The part of `op` that one frame holds, and the rest, which is made on the text after it.

    Composed they do what `op` does. The rest is `[]` in all but the rarest cases.
    """
    if _bytes_at_most(op) <= PIECE_BYTES:
        return op, []
    room = PIECE_BYTES
    written = 0  # code points of the new text that the piece walks over
    for place, component in enumerate(op):
        cost = _bytes(component)
        if cost > room:
            return _cut(op, place, room, written)
        room -= cost
        written += _new_length(component)
    return op, []


def _cut(op: Op, place: int, room: int, written: int) -> tuple[Op, Op]:
    """Cut `op` in or before the component at `place`, of which `room` bytes still fit."""
    piece, rest = op[:place], op[place:]
    component = op[place]
    fitting = max(0, room - COMPONENT_BYTES) // CODE_POINT_BYTES
    if isinstance(component, str) and fitting:
        piece.append(component[:fitting])
        rest[0] = component[fitting:]
        written += fitting
    return normalise(piece), normalise([written, *rest])


def _bytes_at_most(op: Op) -> int:
    """A quick upper bound of what `_bytes` of all components would give."""
    inserted = sum(len(component) for component in op if isinstance(component, str))
    return len(op) * COMPONENT_BYTES + inserted * CODE_POINT_BYTES


def _bytes(component: Component) -> int:
    return COMPONENT_BYTES + (len(orjson.dumps(component)) if isinstance(component, str) else 0)


def _new_length(component: Component) -> int:
    """Code points of the new text that belong to the component."""
    if isinstance(component, int):
        return component
    return len(component) if isinstance(component, str) else 0
