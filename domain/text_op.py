"""The algebra of edits: what one change to one text is, and what can be done with it.

An op walks over a text from its start. Each component says what to do next:

    n               keep the next n code points (n > 0)
    "text"          insert this text here
    {"d": n}        delete the next n code points
    {"d": "text"}   delete the next len(text) code points, which are this text

What follows the last component is kept, so that no op ends in a skip and the empty list does
nothing. An op is *normal* when it has no empty component, no two neighbours of one kind, and no
skip at its end. Whatever is given normal ops here gives normal ops back, so equality of ops is
plain `==`. There is no order between an insert and a delete at one place, though:
`["x", {"d": 1}]` and `[{"d": 1}, "x"]` do the same to a text and are two different ops.

An op *is* its JSON: what a client sends, what is stored and what is computed with is one and the
same list. Nobody ever changes one; every function returns a new list (of perhaps shared
components). All lengths and positions are Unicode code points, which is what Python's `len`
counts. A cut between CR and LF, or inside what a reader sees as one emoji, is an ordinary cut.

The laws, with `a`, `b` made on the text `d`, and `c` made on `apply(d, a)`:

    apply(apply(d, a), transform(b, a, "right")) == apply(apply(d, b), transform(a, b, "left"))
    apply(d, compose(a, c)) == apply(apply(d, a), c)
    apply(apply(d, a), invert(make_invertible(a, d))) == d
    invert(invert(a)) == a                                   where every delete has its text
    apply(d, between(d, e)) == e

The first is what makes concurrent editing come out equal on both sides (TP1). There is *no* such
law for three ops (TP2), so all must transform in the one order that the server gives; and
transforming over a composed op is not transforming over its parts, so a history is never
composed to catch up faster.

Ties: where two ops insert at one place, the one transformed as "left" comes first. The rule
holds at the moment the walk over the other op reaches its insert: an insert of ours that still
has a delete of ours before it is not there yet and comes later, whatever the side.

The conventions are those of the `text-unicode` type of the ottypes family (ot-text-unicode), so
that its clients converge with us. Where that package lets a careless op through (neighbouring
inserts, for which TP1 fails; deletes past the end; deleted text that is not there), it is refused
here. `parse` is the only function that distrusts its input's shape. The others take what `parse`
gave; those that see a text check that the op fits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, NoReturn, TypedDict, cast, overload

from domain.errors import OpInvalid, OpTooLarge, TextInvalid
from domain.limits import INTEGER_MAX, OP_COMPONENTS, OP_TEXT_BYTES


class Delete(TypedDict):
    """Delete `d` code points, or the text `d`, which must stand there."""

    d: int | str


# Stands where a character was removed from history (see `redaction`), and for whatever stands there in a text
# that has not heard of it: somebody may have read the text before, and the op after it was removed.
BLOCK: Final = "█"

Component = int | str | Delete
Op = list[Component]
Components = Sequence[Component]
Side = Literal["left", "right"]


# From the outside.


def parse(value: object) -> Op:
    """The op that this decoded JSON is: `value` itself, once it is known to be a normal op.

    Strict: nothing is coerced or normalised, since a client whose ops need that computes
    something else than we do. Whether the op fits a text is not looked at.

    Raises OpInvalid, TextInvalid (a lone surrogate or a NUL, neither of which can be stored) and
    OpTooLarge.
    """
    if not isinstance(value, list):
        raise OpInvalid("an op is a list")
    if len(value) > OP_COMPONENTS:
        raise OpTooLarge("too many components", limit=OP_COMPONENTS, actual=len(value))
    previous: type | None = None
    inserted_bytes = 0
    for component in value:
        kind = type(component)
        if kind is previous:
            raise OpInvalid("neighbouring components of one kind are one component")
        if kind is int:
            _check_count(component)
        elif kind is str:
            inserted_bytes += _utf8_length(component)
        elif kind is dict:
            _check_delete(component)
        else:
            raise OpInvalid("a component is a whole number, a text or a delete")
        previous = kind
    if previous is int:
        raise OpInvalid("an op does not end in a skip")
    if inserted_bytes > OP_TEXT_BYTES:
        raise OpTooLarge("too much inserted text", limit=OP_TEXT_BYTES, actual=inserted_bytes)
    return value


def _check_count(count: int) -> None:
    if not 0 < count <= INTEGER_MAX:
        raise OpInvalid("a skip or delete counts from 1 to 2^53-1 code points")


def _check_delete(component: dict[object, object]) -> None:
    if len(component) != 1 or "d" not in component:
        raise OpInvalid('a delete has the key "d" and no other')
    deleted = component["d"]
    if type(deleted) is str:
        _utf8_length(deleted)
    elif type(deleted) is int:
        _check_count(deleted)
    else:
        raise OpInvalid("a delete holds a whole number or a text")


def _utf8_length(text: str) -> int:
    """Bytes of a text as it will be stored, after checking that it can be."""
    if not text:
        raise OpInvalid("an insert or delete of no text is no component")
    if "\0" in text:
        raise TextInvalid("the text holds a NUL")
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise TextInvalid("the text holds a lone surrogate") from None


# Making ops.


def normalise(components: Iterable[Component]) -> Op:
    """The normal op that does what these components do, whatever their form."""
    runs = groupby(filter(_does_something, components), type)
    op = [_joined(list(run)) for _, run in runs]
    if op and isinstance(op[-1], int):
        op.pop()
    return op


def _does_something(component: Component) -> bool:
    return bool(component if isinstance(component, int | str) else component["d"])


def _joined(run: list[Component]) -> Component:
    """One component for neighbours of one kind. A delete keeps its text if all parts have theirs."""
    first = run[0]
    if len(run) == 1:
        return first
    if isinstance(first, int):
        return sum(cast("list[int]", run))
    if isinstance(first, str):
        return "".join(cast("list[str]", run))
    deleted = [component["d"] for component in cast("list[Delete]", run)]
    if all(isinstance(part, str) for part in deleted):
        return {"d": "".join(cast("list[str]", deleted))}
    return {"d": sum(part if isinstance(part, int) else len(part) for part in deleted)}


def replace(position: int, deleted: int | str, inserted: str) -> Op:
    """At `position` insert one text, then delete another (given as text or as a count)."""
    return normalise((position, inserted, {"d": deleted}))


def between(old: str, new: str) -> Op:
    """One replacement that turns `old` into `new`, invertible, as short as ends in common allow."""
    start, end = common_ends(old, new)
    return replace(start, old[start : len(old) - end], new[start : len(new) - end])


def common_ends(old: str, new: str) -> tuple[int, int]:
    """How many code points two texts have in common at the start, and how many of the others at the end."""
    shorter = min(len(old), len(new))
    start = _common_prefix(old, new, shorter)
    return start, _common_suffix(old, new, shorter - start)


def _common_prefix(old: str, new: str, limit: int) -> int:
    """By halving, since comparing slices runs at the speed of memory and a loop does not."""
    same, differs = 0, limit + 1
    while differs - same > 1:
        middle = (same + differs) // 2
        if old.startswith(new[same:middle], same):
            same = middle
        else:
            differs = middle
    return same


def _common_suffix(old: str, new: str, limit: int) -> int:
    same, differs = 0, limit + 1
    while differs - same > 1:
        middle = (same + differs) // 2
        if old.endswith(new[len(new) - middle : len(new) - same], 0, len(old) - same):
            same = middle
        else:
            differs = middle
    return same


# Looking at ops.


def is_noop(op: Components) -> bool:
    """Whether the op changes no text at all."""
    return not op


def is_invertible(op: Components) -> bool:
    """Whether every delete carries its text."""
    return all(isinstance(component, int | str) or isinstance(component["d"], str) for component in op)


def required_length(op: Components) -> int:
    """How many code points a text must have for the op to fit: those it skips and deletes."""
    length = 0
    for component in op:
        if isinstance(component, int):
            length += component
        elif not isinstance(component, str):
            length += _length(component)
    return length


def length_change(op: Components) -> int:
    """By how many code points a text grows under the op; negative where it shrinks."""
    change = 0
    for component in op:
        if isinstance(component, str):
            change += len(component)
        elif not isinstance(component, int):
            change -= _length(component)
    return change


def _length(component: Component) -> int:
    """Code points that the component skips, inserts or deletes."""
    if isinstance(component, int):
        return component
    if isinstance(component, str):
        return len(component)
    deleted = component["d"]
    return deleted if isinstance(deleted, int) else len(deleted)


# Op and text.


def apply(text: str, op: Components) -> str:
    """The text after the op. Raises OpInvalid if the op does not fit the text."""
    pieces: list[str] = []
    position = 0
    for component in op:
        if isinstance(component, str):
            pieces.append(component)
        elif isinstance(component, int):
            pieces.append(text[position : position + component])
            position += component
        else:
            position = _end_of_delete(text, position, component["d"])
    if position > len(text):
        _refuse_past_end(position, len(text))
    pieces.append(text[position:])
    return "".join(pieces)


def make_invertible(op: Components, text: str) -> Op:
    """The op with the text of every delete filled in; `text` is the text before the op.

    Raises OpInvalid if the op does not fit the text.
    """
    result: Op = []
    position = 0
    for component in op:
        if isinstance(component, str):
            result.append(component)
        elif isinstance(component, int):
            result.append(component)
            position += component
        else:
            end = _end_of_delete(text, position, component["d"])
            result.append({"d": text[position:end]})
            position = end
    if position > len(text):
        _refuse_past_end(position, len(text))
    return result


def _end_of_delete(text: str, position: int, deleted: int | str) -> int:
    if isinstance(deleted, int):
        end = position + deleted
    else:
        end = position + len(deleted)
        if not text.startswith(deleted, position) and end <= len(text) and BLOCK not in deleted:
            raise OpInvalid("the text to delete is not what stands there")
    if end > len(text):
        _refuse_past_end(end, len(text))
    return end


def _refuse_past_end(required: int, length: int) -> NoReturn:
    raise OpInvalid("the op reaches past the end of the text", expected=required, actual=length)


def invert(op: Components) -> Op:
    """The op that takes this one back. Raises OpInvalid if a delete does not carry its text."""
    return [_inverted(component) for component in op]


def _inverted(component: Component) -> Component:
    if isinstance(component, int):
        return component
    if isinstance(component, str):
        return {"d": component}
    deleted = component["d"]
    if isinstance(deleted, int):
        raise OpInvalid("a delete without its text cannot be inverted")
    return deleted


# Op and op.


def transform(op: Components, other: Components, side: Side) -> Op:
    """What `op` does, for the text after `other`; both were made on the same text.

    Inserts are never lost or split. Text that `other` deleted is no longer skipped or deleted.
    A delete around an insert of `other` is split, each part with its own text.
    """
    assert side in ("left", "right"), side
    if _stands_before(op, other, side):
        return list(op)
    if op and isinstance(skipped := op[0], int) and required_length(other) < skipped:
        return [skipped + length_change(other), *op[1:]]
    return normalise(_transformed(op, other, side))


def _stands_before(op: Components, other: Components, side: Side) -> bool:
    """Whether `op` is done before `other` does anything.

    This and its mirror image need no walk. That is six times as fast, and concurrent ops are
    nearly always apart: people do not type where somebody else just does.
    """
    kept = other[0] if other and isinstance(other[0], int) else 0
    required = required_length(op)
    return required < kept or (required == kept and side == "left")


def _transformed(op: Components, other: Components, side: Side) -> Iterator[Component]:
    ours = _Walk(op, free=str)
    for component in other:
        if isinstance(component, str):
            if side == "left":
                yield from ours.insert_here()
            yield len(component)
        elif isinstance(component, int):
            yield from ours.over(component)
        else:
            yield from (piece for piece in ours.over(_length(component)) if isinstance(piece, str))
    yield from ours.rest()


def compose(first: Components, second: Components) -> Op:
    """One op with the effect of both; `second` was made on the text after `first`.

    Text that the first inserts and the second deletes is gone from the result. At one place the
    insert of the second comes before what the first does from there on.
    """
    return normalise(_composed(first, second))


def _composed(first: Components, second: Components) -> Iterator[Component]:
    done = _Walk(first, free=dict)
    for component in second:
        if isinstance(component, str):
            yield component
        elif isinstance(component, int):
            yield from done.over(component)
        else:
            yield from _delete_from(done.over(_length(component)), component)
    yield from done.rest()


def _delete_from(pieces: Iterator[Component], delete: Delete) -> Iterator[Component]:
    """Of a delete, what is left to do after `pieces` of an earlier op."""
    offset = 0
    for piece in pieces:
        if isinstance(piece, str):
            offset += len(piece)
        elif isinstance(piece, int):
            yield _part(delete, offset, offset + piece)
            offset += piece
        else:
            yield piece


class _Walk:
    """A walk along one op, in steps that another op dictates.

    It measures the old text of the op if inserts are free (take no length), its new text if
    deletes are. After the last component it goes on as an endless skip.
    """

    def __init__(self, op: Components, free: type[str] | type[dict[str, object]]) -> None:
        self._op = op
        self._free = free
        self._place = 0  # of the next component in the op
        self._taken = 0  # code points of that component already handed out

    def over(self, length: int) -> Iterator[Component]:
        """The pieces that make up the next `length` code points, free ones on the way whole."""
        op = self._op
        while length > 0:
            if self._place == len(op):
                yield length
                return
            component = op[self._place]
            if isinstance(component, self._free):
                self._place += 1
                yield component
                continue
            start = self._taken
            end = _length(component)
            if end - start > length:
                end = self._taken = start + length
            else:
                self._place += 1
                self._taken = 0
            length -= end - start
            yield _part(component, start, end)

    def insert_here(self) -> Iterator[str]:
        """The insert that is the very next component, if one is."""
        if self._place < len(self._op):
            component = self._op[self._place]
            if isinstance(component, str):
                self._place += 1
                yield component

    def rest(self) -> Iterator[Component]:
        """All that has not been handed out."""
        if self._taken:
            component = self._op[self._place]
            self._place += 1
            yield _part(component, self._taken, _length(component))
        yield from self._op[self._place :]


def _part(component: Component, start: int, end: int) -> Component:
    """The code points from `start` to `end` of what a component skips, inserts or deletes."""
    if isinstance(component, int):
        return end - start
    if isinstance(component, str):
        return component[start:end]
    deleted = component["d"]
    return {"d": end - start if isinstance(deleted, int) else deleted[start:end]}


# Op and position.


def transform_position(position: int, op: Components) -> int:
    """Where a cursor before code point `position` stands after the op.

    It moves as a mark inserted there and transformed with "left": an insert before it moves it
    on, one exactly at it does not; from a deleted range it goes to that range's start. Beyond the
    end of the text it goes on as if there were more text.
    """
    reached = 0
    for component in op:
        if reached >= position:
            break
        if isinstance(component, int):
            reached += component
        elif isinstance(component, str):
            reached += len(component)
            position += len(component)
        else:
            position -= min(_length(component), position - reached)
    return position


@overload
def transform_selection(selection: int, op: Components) -> int: ...
@overload
def transform_selection(selection: Sequence[int], op: Components) -> list[int]: ...
def transform_selection(selection: int | Sequence[int], op: Components) -> int | list[int]:
    """A cursor, or both ends of a selection `[anchor, focus]`, each moved as a position is.

    So text inserted right at the end of a selection stays out of it and text inserted right at
    its start goes in.
    """
    if isinstance(selection, int):
        return transform_position(selection, op)
    return [transform_position(position, op) for position in selection]


def transform_range(start: int, end: int, op: Components) -> tuple[int, int]:
    """Where the text from `start` up to `end` stands after the op: from its first to its last code point that
    is still there.

    So text inserted at either end, or put in the place of one, stays out, and text inserted between goes in.
    Of a range without any text left there is the place where it was; it moves as a position does, and stays
    without text.
    """
    old = new = 0
    left: list[int] = []
    for component in (*op, end):  # what follows the last component is kept
        if old >= end:
            break
        if isinstance(component, str):
            new += len(component)
        elif isinstance(component, int):
            kept = max(old, start), min(old + component, end)
            if kept[0] < kept[1]:
                left += [new + place - old for place in kept]
            old += component
            new += component
        else:
            old += _length(component)
    if left:
        return left[0], left[-1]
    place = transform_position(start, op)
    return place, place
