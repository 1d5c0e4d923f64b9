"""Exports of Etherpad, made for tests as its documentation describes them: by an encoder of changesets of its
own, which knows nothing of how we read them.

    pad = PadWriter("notes")
    pad.write("a.ada", 1_400_000_000_000, "Hello\\n")
    pad.say("a.ada", 1_400_000_000_500, "done")
    export(pad)                    the bytes of a file
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from domain.text_op import Components
from interfaces.load.traces import read
from tests.trace_texts import TRACES, committed

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if not number:
            return digits


def units(text: str) -> list[int]:
    """The UTF-16 units of a text, as JavaScript counts them."""
    found = []
    for character in map(ord, text):
        if character < 0x10000:
            found.append(character)
        else:
            found += [0xD800 + ((character - 0x10000) >> 10), 0xDC00 + ((character - 0x10000) & 0x3FF)]
    return found


def of_units(numbers: Iterable[int]) -> str:
    """One character for each unit, halves apart: as JSON has them."""
    return "".join(map(chr, numbers))


def ops_of(kind: str, part: list[int], attributes: str = "") -> str:
    """Up to the last line end as one, and what is behind it as another."""
    lines = part.count(10)
    if not part:
        return ""
    if not lines:
        return f"{attributes}{kind}{base36(len(part))}"
    head = len(part) - part[::-1].index(10)
    text = f"{attributes}|{base36(lines)}{kind}{base36(head)}"
    return text + (f"{attributes}{kind}{base36(len(part) - head)}" if head < len(part) else "")


Splice = tuple[int, int, list[int]]
"""Where, how many units are taken away, and what comes in their place."""


def changeset(old: list[int], splices: Iterable[Splice], attributes: str = "") -> tuple[str, list[int]]:
    """The changeset that does this, and the text after it. Splices are in order and apart."""
    place, new, text, bank = 0, [], "", []
    for at, deleted, inserted in splices:
        text += ops_of("=", old[place:at])
        text += ops_of("-", old[at : at + deleted]) + ops_of("+", inserted, attributes)
        new += old[place:at] + inserted
        bank += inserted
        place = at + deleted
    new += old[place:]
    sign = ">" if len(new) >= len(old) else "<"
    head = f"Z:{base36(len(old))}{sign}{base36(abs(len(new) - len(old)))}"
    return f"{head}{text}${of_units(bank)}", new


def splice_between(old: list[int], new: list[int]) -> list[Splice]:
    """The one splice between two texts: without what they have in common at both ends, halves or not."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return [(head, len(old) - head - tail, new[head : len(new) - tail])]


def splices_of(old: str, op: Components) -> Iterator[Splice]:
    """An op of ours, in units."""
    place, at = 0, 0
    for component in op:
        if isinstance(component, int):
            at += len(units(old[place : place + component]))
            place += component
        elif isinstance(component, str):
            yield at, 0, units(component)
        else:
            deleted = component["d"]
            count = deleted if isinstance(deleted, int) else len(deleted)
            length = len(units(old[place : place + count]))
            yield at, length, []
            at += length
            place += count


class PadWriter:
    """A pad that is written. Times are in milliseconds."""

    def __init__(self, pad: str, first: str = "", author: str = "", at: int = 1_400_000_000_000) -> None:
        self.pad = pad
        self.text = units("\n")
        self.records: dict[str, Any] = {}
        self.authors: dict[str, Any] = {}
        self.saved: list[Any] = []
        self.pool: dict[str, Any] = {}
        self.head = self.chat = -1
        self._revise([(0, 0, units(first))], author, at)

    def author(self, identity: str, name: str | None, colour: int | str = 3) -> None:
        record = {"colorId": colour, "name": name, "timestamp": 1_400_000_000_000, "padIDs": self.pad}
        self.authors[f"globalAuthor:{identity}"] = record

    def write(self, author: str, at: int, text: str) -> None:
        """Make it this text (without its last line end)."""
        self._revise(splice_between(self.text, [*units(text), 10]), author, at)

    def edit(self, author: str, at: int, splices: Iterable[Splice]) -> None:
        self._revise(splices, author, at)

    def embolden(self, author: str, at: int, length: int) -> None:
        """A change of attributes alone."""
        part = self.text[:length]
        number = self._attribute("bold", "true")
        self._record(f"Z:{base36(len(self.text))}>0{ops_of('=', part, number)}$", author, at)

    def say(self, author: str, at: int, text: str, *, key: str = "userId") -> None:
        self.chat += 1
        self.records[f"pad:{self.pad}:chat:{self.chat}"] = {"text": text, key: author, "time": at}

    def save(self, label: str | None = None) -> None:
        self.saved.append(
            {"revNum": self.head, "savedById": "a.x", "label": label, "timestamp": 1, "id": "i"}
        )

    def _attribute(self, name: str, value: str) -> str:
        for number, known in self.pool.items():
            if known == [name, value]:
                return f"*{base36(int(number))}"
        self.pool[str(len(self.pool))] = [name, value]
        return f"*{base36(len(self.pool) - 1)}"

    def _revise(self, splices: Iterable[Splice], author: str, at: int) -> None:
        attributes = self._attribute("author", author) if author else ""
        text, self.text = changeset(self.text, splices, attributes)
        self._record(text, author, at)

    def _record(self, text: str, author: str, at: int) -> None:
        self.head += 1
        meta: dict[str, Any] = {"author": author, "timestamp": at}
        if self.head % 100 == 0:
            meta |= {"pool": self.as_pool(), "atext": self.as_atext()}
        self.records[f"pad:{self.pad}:revs:{self.head}"] = {"changeset": text, "meta": meta}

    def as_pool(self) -> dict[str, Any]:
        return {"numToAttrib": dict(self.pool), "nextNum": len(self.pool)}

    def as_atext(self) -> dict[str, str]:
        return {"text": of_units(self.text), "attribs": ops_of("+", self.text)}

    def as_records(self) -> dict[str, Any]:
        pad = {
            "atext": self.as_atext(),
            "pool": self.as_pool(),
            "head": self.head,
            "chatHead": self.chat,
            "publicStatus": False,
            "savedRevisions": self.saved,
        }
        return {f"pad:{self.pad}": pad, **self.authors, **self.records}


def export(*pads: PadWriter, **more: Any) -> bytes:
    """A file. Halves of characters are escaped alone, as JavaScript does where they stand alone."""
    records: dict[str, Any] = {}
    for pad in pads:
        records |= pad.as_records()
    return as_file({**records, **more})


def as_file(records: dict[str, Any]) -> bytes:
    return json.dumps(records).encode()


def of_trace(name: str, revisions: int | None = None, *, every_ms: int = 1_000) -> tuple[PadWriter, str]:
    """A pad in which a trace was written, and the text of it as we compute it."""
    trace = read(TRACES / f"{name}.jsonl.gz", revisions)
    pad, text = PadWriter(name), ""
    for agent in trace.agents:
        pad.author(f"a.{agent}", f"Agent {agent}", "#4c75f0")
    for line, op in zip(trace.lines, committed(trace.lines), strict=True):
        splices = _merged(splices_of(text, op))
        text = _applied(text, op)
        pad.edit(f"a.{line.agent}", 1_400_000_000_000 + line.number * every_ms, splices)
    return pad, text + "\n"


def _merged(splices: Iterator[Splice]) -> list[Splice]:
    """Those at one place as one."""
    found: list[Splice] = []
    for at, deleted, inserted in splices:
        if found and found[-1][0] + found[-1][1] == at:
            first, before, text = found.pop()
            at, deleted, inserted = first, before + deleted, text + inserted
        found.append((at, deleted, inserted))
    return found


def _applied(text: str, op: Components) -> str:
    new, place = "", 0
    for component in op:
        if isinstance(component, int):
            new += text[place : place + component]
            place += component
        elif isinstance(component, str):
            new += component
        else:
            place += component["d"] if isinstance(component["d"], int) else len(component["d"])
    return new + text[place:]
