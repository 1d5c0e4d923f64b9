"""How often was each line of a text touched, and by whom? A text as its lines, folded from the edits.

An edit touches the lines in which it inserts or deletes something, each once. A line that is broken in two
gives what it has had to both parts, unless a part is empty: that one begins anew. Of lines that are joined
the new one has, of each person, the larger number: what is broken and joined again was not touched twice.

The lines are kept in blocks, so that an edit costs by itself and not by the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.text_op import Components

# A longer block is cut in two. A keystroke walks over the blocks, and then over half of one.
BLOCK_LINES: Final = 256


class HeatLine:
    """One line with its end, if it has one. `touches` are the edits of each person."""

    __slots__ = ("counted", "last", "text", "touches")

    def __init__(self, text: str, touches: dict[str, int], counted: int = 0, last: str = "") -> None:
        self.text = text
        self.touches = touches
        self.counted = counted
        """The last edit that was counted here."""
        self.last = last
        """Who touched it last."""

    @property
    def heat(self) -> int:
        return sum(self.touches.values())


class LineHeat:
    """The lines of one document. Has one owner, who folds its edits in their order."""

    def __init__(self, *, block_lines: int = BLOCK_LINES) -> None:
        self._block_lines = block_lines
        self._blocks: list[list[HeatLine]] = [[HeatLine("", {})]]
        self._lengths = [0]
        self._edits = 0

    def __iter__(self) -> Iterator[HeatLine]:
        """The lines. An empty one at the end, behind the last line end, is none."""
        for block in self._blocks:
            for line in block:
                if line.text:
                    yield line

    def apply(self, op: Components, who: str, *, is_counted: bool = True) -> None:
        """Take in the next edit. One that `is_counted` not changes the text alone."""
        self._edits += 1
        position = 0
        for component in op:
            if isinstance(component, int):
                position += component
            elif isinstance(component, str):
                self._insert(position, component, who if is_counted else None)
                position += len(component)
            else:
                deleted = component["d"]
                length = deleted if isinstance(deleted, int) else len(deleted)
                self._delete(position, length, who if is_counted else None)

    def _insert(self, position: int, text: str, who: str | None) -> None:
        block, number, place = self._find(position)
        lines = self._blocks[block]
        line = lines[number]
        self._lengths[block] += len(text)
        before, after = line.text[:place], line.text[place:]
        pieces = text.split("\n")
        if len(pieces) == 1:
            line.text = before + text + after
            self._touch(line, who)
            return
        # What was there stays with the part that has a text; where both have one, with both.
        head = HeatLine(
            before + pieces[0] + "\n", line.touches if before else {}, line.counted if before else 0
        )
        middle = [HeatLine(piece + "\n", {}) for piece in pieces[1:-1]]
        is_whole = after not in ("", "\n") or not before
        tail = HeatLine(pieces[-1] + after, {}, last=line.last)
        if is_whole:
            tail.touches, tail.counted = dict(line.touches), line.counted
        touched = [head, *middle]
        if pieces[-1] or before:  # a line before which others are put is not touched by that
            touched.append(tail)
        for each in touched:
            self._touch(each, who)
        lines[number : number + 1] = [head, *middle, tail]
        self._cut(block)

    def _delete(self, position: int, length: int, who: str | None) -> None:
        block, number, place = self._find(position)
        line = self._blocks[block][number]
        ends = False
        while length:
            taken = min(length, len(line.text) - place)
            assert taken, "an op fits its text"
            ends = place + taken == len(line.text) and line.text.endswith("\n")
            line.text = line.text[:place] + line.text[place + taken :]
            self._lengths[block] -= taken
            length -= taken
            if ends:
                self._join(line, self._take_following(block, number), block, is_whole=place == 0)
        if place or not ends:  # a line before which others are gone is not touched by that
            self._touch(line, who)

    def _take_following(self, block: int, number: int) -> HeatLine:
        """The line behind that one, which is there no more. Behind a line end there is always one."""
        at, place = (block, number + 1) if number + 1 < len(self._blocks[block]) else (block + 1, 0)
        following = self._blocks[at].pop(place)
        self._lengths[at] -= len(following.text)
        if not self._blocks[at]:
            del self._blocks[at], self._lengths[at]
        return following

    def _join(self, line: HeatLine, following: HeatLine, block: int, *, is_whole: bool) -> None:
        self._lengths[block] += len(following.text)
        line.text += following.text
        if is_whole:  # the line itself is gone
            line.touches, line.counted, line.last = following.touches, following.counted, following.last
            return
        if following.text not in ("", "\n"):
            for who, count in following.touches.items():
                line.touches[who] = max(count, line.touches.get(who, 0))
            line.counted = max(line.counted, following.counted)

    def _touch(self, line: HeatLine, who: str | None) -> None:
        if who is not None and line.counted != self._edits:
            line.counted = self._edits
            line.last = who
            line.touches[who] = line.touches.get(who, 0) + 1

    def _find(self, position: int) -> tuple[int, int, int]:
        """Block, number in it, and place in the line. Behind a line end begins the next line."""
        last = len(self._blocks) - 1
        block = 0
        while block < last and position >= self._lengths[block]:
            position -= self._lengths[block]
            block += 1
        lines = self._blocks[block]
        number = 0
        while number + 1 < len(lines) and position >= len(lines[number].text):
            position -= len(lines[number].text)
            number += 1
        return block, number, position

    def _cut(self, block: int) -> None:
        lines = self._blocks[block]
        if len(lines) <= self._block_lines:
            return
        half = self._block_lines // 2
        parts = [lines[at : at + half] for at in range(0, len(lines), half)]
        self._blocks[block : block + 1] = parts
        self._lengths[block : block + 1] = [sum(len(line.text) for line in part) for part in parts]
