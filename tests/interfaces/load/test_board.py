"""Which lines of a trace have arrived, and how far one must have read to have seen them."""

from __future__ import annotations

from interfaces.load.board import Board
from interfaces.load.traces import Line


def board_of(*agents: int) -> Board:
    return Board([Line(number, 0.0, agent, 0, ["x"]) for number, agent in enumerate(agents)])


def test_a_version_is_complete_when_every_line_before_it_has_arrived() -> None:
    board = board_of(0, 1, 0)
    assert board.complete == 0
    board.arrive(1, 1)
    assert board.complete == 0
    board.arrive(0, 2)
    assert board.complete == 2
    board.arrive(2, 3)
    assert board.complete == 3


def test_the_reach_of_a_version_is_the_last_revision_of_a_foreign_line_before_it() -> None:
    board = board_of(0, 1, 1, 0)
    for line, revision in ((0, 2), (1, 1), (2, 4), (3, 3)):
        board.arrive(line, revision)
    assert board.reach(0, reader=0) == 0
    assert board.reach(2, reader=0) == 1
    assert board.reach(4, reader=0) == 4
    assert board.reach(4, reader=1) == 3
    assert board.reach(2, reader=1) == 2


def test_everybody_is_told_of_every_arrival() -> None:
    board, told = board_of(0, 1), []
    board.follow(lambda: told.append(board.complete))
    board.arrive(0, 1)
    board.arrive(1, 2)
    assert told == [1, 2]


def test_a_barrier_is_open_when_its_lines_have_arrived() -> None:
    board = board_of(0, 1)
    assert board.have_arrived(())
    assert not board.have_arrived((1,))
    board.arrive(1, 1)
    assert board.have_arrived((1,))
    assert not board.have_arrived((0, 1))


def test_revisions_have_the_names_of_their_lines() -> None:
    board = board_of(0)
    board.name_line(5, 0)
    assert board.line_of(5) == 0
    assert board.line_of(4) is None
