"""An author who has not looked at everything writes on the text in his sight."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.text_op import Op, apply, transform
from interfaces.load.author import Author
from tests.domain.strategies import changes, texts


def test_what_is_written_on_an_old_text_comes_out_on_the_new_one() -> None:
    author = Author()
    author.on_foreign(1, [2, "XY"])  # "ab|cd", not looked at
    assert author.write([4, "!"]) == [6, "!"]
    assert author.write([1, "-"]) == [1, "-"]


def test_what_was_looked_at_is_no_longer_in_the_way() -> None:
    author = Author()
    author.on_foreign(1, ["AA"])
    author.on_foreign(2, ["B"])
    assert author.look(1) == [1]
    assert author.write([1, "x"]) == [2, "x"]
    assert author.look(5) == [2]
    assert author.look(5) == []
    assert author.write(["x"]) == ["x"]


@given(st.data())
def test_the_clients_text_is_the_text_in_sight_with_what_is_unseen(data: st.DataObject) -> None:
    """The same, by a person with a text of his own, who is to the client what a client is to the server."""
    author, client, revision = Author(), data.draw(texts()), 0
    sight, unseen = client, list[Op]()
    for _ in range(data.draw(st.integers(0, 12))):
        match data.draw(st.sampled_from(["foreign", "look", "write"])):
            case "foreign":
                op = data.draw(changes(client)).op
                revision += 1
                author.on_foreign(revision, op)
                client, unseen = apply(client, op), [*unseen, op]
            case "look" if unseen:
                author.look(revision - len(unseen) + 1)
                sight = apply(sight, unseen.pop(0))
            case "write":
                op = data.draw(changes(sight)).op
                sight = apply(sight, op)
                client = apply(client, author.write(op))
                unseen = _moved(unseen, op)
    for op in unseen:
        sight = apply(sight, op)
    assert sight == client


def _moved(unseen: list[Op], op: Op) -> list[Op]:
    moved = []
    for foreign in unseen:
        moved.append(transform(foreign, op, "right"))
        op = transform(op, foreign, "left")
    return moved
