"""Who wrote each character: a text as the runs that it is made of, each with the edit that inserted it.

A code point's identity is the edit that inserted it and its place among all that this edit has inserted. It
keeps it for ever: what was deleted and comes back by an undo is the same text, and what is copied from
elsewhere (by a restore, a branch, a merge) is a text of its own which knows its origin.

A weave is the runs in the order of the text, folded from the edits. One that keeps what is deleted has it
where it stood, with who deleted it, and who brought it back: that is all that has to be known to take any of
its edits back (see `undo`). The idea is that of SCCS, whose files were woven so (M. J. Rochkind, 1975).

The runs are kept in chunks, as the characters of a `Text` are: an edit costs by itself, wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from domain.errors import OpInvalid
from domain.text_op import Components

# A longer chunk is cut in two. A keystroke walks over half of one, and copies it.
CHUNK_RUNS: Final = 128

# No position in a text.
NOWHERE: Final = -1

# Who deleted what was gone already where a weave begins.
BEFORE: Final = 0


class Origin(NamedTuple):
    """Where a copied text was first written: by which edit of which document of the room, and its place among
    all that this edit has inserted. The document is "" for the one that the text is in.
    """

    document: str
    revision: int
    offset: int

    def at(self, skipped: int) -> Origin:
        return self._replace(offset=self.offset + skipped)


class Fate(NamedTuple):
    """What has become of a run. `text` is what it is, for one that is gone; `deletions` are the edits that
    deleted it, each with those that brought it back. An undo that says what it takes back is not among them:
    what it changes follows from that.
    """

    is_gone: bool
    text: str
    deletions: tuple[tuple[int, tuple[int, ...]], ...]


class Run(NamedTuple):
    """`length` code points that stand together and have the same past: of what the edit of `revision` has
    inserted, those from `offset` on.
    """

    length: int
    revision: int
    offset: int
    origin: Origin | None = None
    fate: Fate | None = None

    @property
    def visible(self) -> int:
        """How many code points of the present text it is."""
        return 0 if self.fate is not None and self.fate.is_gone else self.length

    @property
    def source(self) -> Origin:
        """Where it was first written."""
        return self.origin or Origin("", self.revision, self.offset)

    def part(self, start: int, stop: int) -> Run:
        """Its code points from `start` up to `stop`."""
        if start == 0 and stop == self.length:
            return self
        fate = self.fate
        if fate is not None and fate.is_gone:
            fate = fate._replace(text=fate.text[start:stop])
        origin = self.origin and self.origin.at(start)
        return Run(stop - start, self.revision, self.offset + start, origin, fate)

    def deleted(self, text: str, by: int | None) -> Run:
        """`by` is None for what follows from an undo."""
        past = self.fate.deletions if self.fate is not None else ()
        deletions = past if by is None else (*past, (by, ()))
        return self._replace(fate=Fate(is_gone=True, text=text, deletions=deletions))

    def revived(self, by: int | None) -> Run:
        assert self.fate is not None
        deletions = self.fate.deletions
        if by is not None:
            deletions = tuple((deleter, (*revivers, by)) for deleter, revivers in deletions)
        return self._replace(fate=Fate(is_gone=False, text="", deletions=deletions))

    def is_continued_by(self, other: Run) -> bool:
        """Whether the two are one run."""
        return (
            self.revision == other.revision
            and self.offset + self.length == other.offset
            and self.fate is None
            and other.fate is None
            and (self.origin and self.origin.at(self.length)) == other.origin
        )


class AttributedEdit(Protocol):
    """Of an `EditApplied`, what a weave has to know."""

    @property
    def revision(self) -> int: ...
    @property
    def op(self) -> Components: ...
    @property
    def undoes(self) -> Sequence[Sequence[int]] | None: ...
    @property
    def origins(self) -> Sequence[Sequence[int | str]] | None: ...
    @property
    def revives(self) -> Sequence[Sequence[int | str]] | None: ...


class Weave:
    """The runs of one document. Has one owner, who folds its edits in their order; others get a `copy`.

    `keeps_deleted`: also what is gone by edits that were folded here.
    """

    __slots__ = (
        "_chunk",
        "_chunks",
        "_last",
        "_last_position",
        "_lengths",
        "_start",
        "keeps_deleted",
        "revision",
    )

    def __init__(self, runs: Iterable[Run] = (), revision: int = 0, *, keeps_deleted: bool = False) -> None:
        """`runs` are those of the text at `revision`."""
        all_runs = list(runs)
        half = CHUNK_RUNS // 2
        self._chunks = [all_runs[at : at + half] for at in range(0, len(all_runs), half)] or [[]]
        self._lengths = [sum(run.visible for run in chunk) for chunk in self._chunks]
        self._chunk = 0  # that of the last edit
        self._start = 0  # the position in the text where it begins
        self._last = (0, 0)  # the place behind what was inserted last,
        self._last_position = NOWHERE  # and the position that this is, as long as nothing else has changed
        self.revision = revision
        self.keeps_deleted = keeps_deleted

    def copy(self) -> Weave:
        """A weave of its own with the same content."""
        twin = Weave.__new__(Weave)
        twin._chunks = [chunk.copy() for chunk in self._chunks]
        twin._lengths = self._lengths.copy()
        twin._chunk, twin._start = self._chunk, self._start
        twin._last, twin._last_position = self._last, self._last_position
        twin.revision, twin.keeps_deleted = self.revision, self.keeps_deleted
        return twin

    def __len__(self) -> int:
        return sum(self._lengths)

    @property
    def pieces(self) -> int:
        """How many runs there are."""
        return sum(map(len, self._chunks))

    def __iter__(self) -> Iterator[Run]:
        """All runs, those that are gone where they stood."""
        for chunk in self._chunks:
            yield from chunk

    def spans(self) -> list[Run]:
        """The runs of the present text, each as long as it can be; without their fates."""
        return list(self.iter_spans())

    def iter_spans(self) -> Iterator[Run]:
        """The same one after the other, as long as nothing is folded meanwhile."""
        span: Run | None = None
        for run in self:
            if not run.visible:
                continue
            plain = run if run.fate is None else run._replace(fate=None)
            if span is None:
                span = plain
            elif span.is_continued_by(plain):
                span = span._replace(length=span.length + plain.length)
            else:
                yield span
                span = plain
        if span is not None:
            yield span

    # Folding.

    def apply(self, edit: AttributedEdit) -> None:
        """Take in the next edit. Raises `OpInvalid` if it does not fit."""
        assert edit.revision == self.revision + 1, (edit.revision, self.revision)
        position = inserted = 0
        pieces = Pieces(edit)
        by = edit.revision if edit.undoes is None else None
        for component in edit.op:
            if isinstance(component, int):
                position += component
            elif isinstance(component, str):
                for piece in pieces.take(len(component), inserted):
                    self._put(position, piece, by, is_revived=pieces.are_revived)
                    position += piece.length
                inserted += len(component)
            else:
                deleted = component["d"]
                assert isinstance(deleted, str), "an edit is stored invertible"
                self._delete(position, deleted, by)
        self.revision = edit.revision

    def _put(self, position: int, piece: Run, by: int | None, *, is_revived: bool) -> None:
        """Insert `piece` behind the character before `position`."""
        if not (is_revived and self.keeps_deleted):
            self._insert(position, piece)
            return
        while piece.length:
            found = self._find_gone(position, piece)
            if found is None:
                # It was gone before this weave began.
                fate = Fate(is_gone=False, text="", deletions=((BEFORE, () if by is None else (by,)),))
                self._insert(position, piece._replace(fate=fate))
                return
            self._last_position = NOWHERE
            chunk, at, start = found
            run = self._chunks[chunk][at]
            taken = min(piece.length, run.length - start)
            parts = (
                run.part(0, start),
                run.part(start, start + taken).revived(by),
                run.part(start + taken, run.length),
            )
            self._chunks[chunk][at : at + 1] = [part for part in parts if part.length]
            self._lengths[chunk] += taken
            self._goto_start()
            self._cut_if_long(chunk)
            position += taken
            piece = piece.part(taken, piece.length)

    def _find_gone(self, position: int, piece: Run) -> tuple[int, int, int] | None:
        """Between the characters around `position`, the place of the run that `piece` begins in: its chunk,
        its place there, and how much of the run comes before.
        """
        chunk, at = self._behind(position)
        while chunk < len(self._chunks):
            runs = self._chunks[chunk]
            while at < len(runs):
                run = runs[at]
                if run.visible:
                    return None
                if run.revision == piece.revision and 0 <= piece.offset - run.offset < run.length:
                    return chunk, at, piece.offset - run.offset
                at += 1
            chunk, at = chunk + 1, 0
        return None

    def _insert(self, position: int, run: Run) -> None:
        # People type where they have just typed.
        chunk, at = self._last if self._last_position == position else self._behind(position)
        self._chunks[chunk].insert(at, run)
        self._lengths[chunk] += run.length
        self._last, self._last_position = (chunk, at + 1), position + run.length
        self._cut_if_long(chunk)

    def _behind(self, position: int) -> tuple[int, int]:
        """The place behind the character before `position`, whose run is cut there: a chunk, and where in it.

        What is gone comes behind that place.
        """
        if position == 0:
            self._goto_start()
            return 0, 0
        self._last_position = NOWHERE
        self._seek(position)
        runs = self._chunks[self._chunk]
        left = position - self._start
        for at, run in enumerate(runs):
            # All time goes by here, so the property is spelled out.
            length, _, _, _, fate = run
            if fate is not None and fate[0]:
                continue
            if left <= length:
                if left < length:
                    runs[at : at + 1] = (run.part(0, left), run.part(left, length))
                return self._chunk, at + 1
            left -= length
        raise AssertionError("a chunk is as long as its runs")

    def _delete(self, position: int, text: str, by: int | None) -> None:
        """Delete `text`, which begins at `position`."""
        self._last_position = NOWHERE
        self._seek(position + 1)
        done, skipped = 0, position - self._start
        chunk = self._chunk
        while done < len(text):
            if chunk == len(self._chunks):
                raise OpInvalid("the op reaches past the end of the text")
            gone = self._delete_in(self._chunks[chunk], skipped, text[done:], by)
            self._lengths[chunk] -= gone
            done += gone
            chunk, skipped = chunk + 1, 0
        self._drop_empty(self._chunk, chunk)

    def _delete_in(self, runs: list[Run], skipped: int, text: str, by: int | None) -> int:
        """Delete of these runs, behind `skipped` code points, what they have of `text`; returns how much."""
        done = at = 0
        while at < len(runs) and done < len(text):
            run = runs[at]
            length, _, _, _, fate = run
            if (fate is not None and fate[0]) or skipped >= length:
                skipped -= 0 if fate is not None and fate[0] else length
                at += 1
                continue
            size = min(length - skipped, len(text) - done)
            parts = [run.part(0, skipped)] if skipped else []
            if self.keeps_deleted:
                parts.append(run.part(skipped, skipped + size).deleted(text[done : done + size], by))
            if skipped + size < length:
                parts.append(run.part(skipped + size, length))
            runs[at : at + 1] = parts
            at += len(parts)
            done, skipped = done + size, 0
        return done

    def _drop_empty(self, first: int, last: int) -> None:
        """Of the chunks from `first` up to `last`, those that hold nothing any more; cut the long ones."""
        for chunk in range(min(last, len(self._chunks)) - 1, first - 1, -1):
            if not self._chunks[chunk] and len(self._chunks) > 1:
                del self._chunks[chunk], self._lengths[chunk]
                self._goto_start()
            else:
                self._cut_if_long(chunk)

    def _cut_if_long(self, chunk: int) -> None:
        runs = self._chunks[chunk]
        if len(runs) > CHUNK_RUNS:
            self._last_position = NOWHERE
            half = len(runs) // 2
            self._chunks[chunk : chunk + 1] = [runs[:half], runs[half:]]
            length = sum(run.visible for run in runs[:half])
            self._lengths[chunk : chunk + 1] = [length, self._lengths[chunk] - length]
            if chunk < self._chunk:
                self._goto_start()

    def _goto_start(self) -> None:
        self._chunk = self._start = 0

    def _seek(self, position: int) -> None:
        """Make current the chunk of the character before `position`, which is not 0."""
        lengths, chunk, start = self._lengths, self._chunk, self._start
        if 2 * position < start:
            chunk = start = 0
        while position <= start:
            chunk -= 1
            start -= lengths[chunk]
        while position > (end := start + lengths[chunk]):
            chunk += 1
            start = end
            if chunk == len(lengths):
                raise OpInvalid("the op reaches past the end of the text")
        self._chunk, self._start = chunk, start


class Pieces:
    """What an edit inserts, as runs: new ones, copies, or old ones that come back."""

    def __init__(self, edit: AttributedEdit) -> None:
        self._revision = edit.revision
        self.are_revived = edit.revives is not None
        self._told = [*(edit.revives or edit.origins or ())]
        self._taken = 0  # of the first of these

    def take(self, length: int, offset: int) -> Iterator[Run]:
        """The next `length` code points; before them the edit has inserted `offset`."""
        while length and self._told:
            told = self._told[0]
            whole = self._as_run(told, offset - self._taken)
            size = min(length, whole.length - self._taken)
            yield whole.part(self._taken, self._taken + size)
            self._taken += size
            if self._taken == whole.length:
                self._told.pop(0)
                self._taken = 0
            length, offset = length - size, offset + size
        if length:
            yield Run(length, self._revision, offset)

    def _as_run(self, told: Sequence[int | str], offset: int) -> Run:
        if self.are_revived:
            length, revision, first, *origin = told
            return Run(int(length), int(revision), int(first), _as_origin(origin) if origin else None)
        return Run(int(told[0]), self._revision, offset, _as_origin(told[1:]))


def _as_origin(told: Sequence[int | str]) -> Origin:
    document, revision, offset = told
    return Origin(str(document), int(revision), int(offset))


def as_revived(run: Run) -> list[int | str]:
    """As an edit tells which text it has brought back."""
    return [run.length, run.revision, run.offset, *(run.origin or ())]


def as_copied(run: Run, document: str = "") -> list[int | str]:
    """As an edit tells where a text comes from that it has copied, out of `document` if it is another one."""
    source = run.source
    return [run.length, source.document or document, source.revision, source.offset]


def cut(runs: Iterable[Run], start: int, stop: int) -> list[Run]:
    """The runs of a text from `start` up to `stop`, of those of the whole text."""
    parts: list[Run] = []
    position = 0
    for run in runs:
        if position >= stop:
            break
        first, last = max(start - position, 0), min(stop - position, run.length)
        if first < last:
            parts.append(run.part(first, last))
        position += run.length
    return parts
