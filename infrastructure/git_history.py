"""The past of one file in a git repository, read into edits.

By libgit2, which is here already for comparing texts, and not by the program git: that may not be there, and
runs what a repository's own configuration says (a filter, a monitor, a pager), which may be anybody's.

What is followed is the line of first parents, which is what became of the branch: a merge is one edit, made
by who merged. Each commit in which the file is another one than before is an edit, from one text to the next
by the words that differ. Where a commit has moved the file, it is followed to where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, FileMode, ObjectType

from application.brought import IMPORT_EDITS, OnProgress, digest, document_name, verify
from application.past.diff import Differ, op_between
from domain.errors import DocumentTooLarge, ImportInvalid, LimitReached, NotFound
from domain.importing import BroughtDocument, BroughtEdit, Provenance, author_of, note_of
from domain.limits import DOCUMENT_BYTES, INTEGER_MAX

# Half as many again as the largest repositories have. Who looks through more waits for minutes.
COMMITS_MAX: Final = 2_000_000

# As git does: what is half the same is the same file, moved.
SIMILARITY: Final = 50

# A commit that adds and removes thousands of files is a move of a folder; beyond it only what is the same to
# the byte is found.
RENAMES_MAX: Final = 2_000

_SECOND: Final = 1_000_000
_SHOWN: Final = 12

# Between two words of progress.
_PROGRESS: Final = 1_000


@dataclass(frozen=True, slots=True)
class FileHistory:
    """`paths` are the names that the file has had, newest first; `merges` how many of the edits are merges;
    `redated` how many commits are dated before the one that they follow, and count as of its moment.
    """

    document: BroughtDocument
    tip: str
    paths: tuple[str, ...]
    merges: int
    redated: int


class _Version(NamedTuple):
    """A commit that has changed the file, and the file there; None where it has deleted it."""

    commit: pygit2.Commit
    blob: pygit2.Oid | None


class GitHistory:
    """One repository. Raises `NotFound` for what is none."""

    def __init__(self, repository: Path, differ: Differ) -> None:
        found = pygit2.discover_repository(str(repository))
        if found is None:
            raise NotFound(f"there is no git repository in {repository}")
        try:
            self._repository = pygit2.Repository(found)
        except pygit2.GitError as error:  # such as one of another owner
            raise ImportInvalid(f"git refuses this repository: {error}") from None
        self._differ = differ

    async def read(
        self,
        path: str,
        *,
        revision: str = "HEAD",
        document: str | None = None,
        follows: bool = False,
        with_addresses: bool = False,
        on_progress: OnProgress = lambda done, end: None,
    ) -> FileHistory:
        """The past of the file that is at `path` (from the root of the repository, with slashes) in
        `revision`.

        Raises `NotFound`, `ImportInvalid` for what is no text, `DocumentTooLarge`, `LimitReached`.
        """
        tip = self._commit(revision)
        path = path.removeprefix("./")
        if self._blob(tip, path) is None:
            raise NotFound(f"there is no file {path!r} in {revision}")
        paths = [path]
        versions = list(self._versions(tip, paths, on_progress, follows=follows))
        versions.reverse()
        edits, text, redated = await self._edits(versions, on_progress, with_addresses=with_addresses)
        provenance: Provenance = {
            "source": f"git:{path}@{tip.id}",
            "digest": digest(edits),
            "edits": len(edits),
            "since": edits[0].written if edits else 0,
        }
        called = document or document_name(path.rpartition("/")[2])
        brought = BroughtDocument(called, provenance, edits, text)
        verify(brought)
        merges = sum(len(version.commit.parent_ids) > 1 for version in versions)
        return FileHistory(brought, str(tip.id), tuple(paths), merges, redated)

    def _commit(self, revision: str) -> pygit2.Commit:
        try:
            return self._repository.revparse_single(revision).peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            raise NotFound(f"there is no revision {revision!r} in this repository") from None

    # The line of commits, newest first.

    def _versions(
        self, tip: pygit2.Commit, paths: list[str], on_progress: OnProgress, *, follows: bool
    ) -> Iterator[_Version]:
        commit, looked, found = tip, 0, 0
        blob = self._blob(commit, paths[-1])
        while True:
            looked += 1
            if looked > COMMITS_MAX:
                raise LimitReached("more commits than are looked through", limit=COMMITS_MAX)
            if looked % _PROGRESS == 0:
                on_progress(0, looked)
            parent = self._first_parent(commit)
            before = None if parent is None else self._blob(parent, paths[-1])
            if follows and parent is not None and before is None and blob is not None:
                moved = self._moved_from(parent, commit, paths[-1])
                if moved is not None:
                    paths.append(moved)
                    before = self._blob(parent, moved)
            if before != blob:
                found += 1
                if found > IMPORT_EDITS:
                    raise LimitReached("more edits than one import may have", limit=IMPORT_EDITS)
                yield _Version(commit, blob)
            if parent is None:
                return
            commit, blob = parent, before

    def _first_parent(self, commit: pygit2.Commit) -> pygit2.Commit | None:
        if not commit.parent_ids:
            return None
        found: object = self._repository.get(commit.parent_ids[0])
        if found is None and self._repository.is_shallow:
            return None  # a clone that was cut off there begins there
        if not isinstance(found, pygit2.Commit):
            raise ImportInvalid("a commit is missing in this repository", reference=str(commit.parent_ids[0]))
        return found

    def _blob(self, commit: pygit2.Commit, path: str) -> pygit2.Oid | None:
        """Raises `ImportInvalid` for what is no file."""
        try:
            entry = commit.tree[path]
        except KeyError:
            return None
        except (ValueError, pygit2.GitError):
            raise ImportInvalid(f"{path!r} is no path", reference=str(commit.id)) from None
        if entry.type != ObjectType.BLOB or entry.filemode == FileMode.LINK:
            what = "a link" if entry.filemode == FileMode.LINK else "no file"
            raise ImportInvalid(f"{path} is {what} in {str(commit.id)[:_SHOWN]}", reference=str(commit.id))
        return entry.id

    def _moved_from(self, parent: pygit2.Commit, commit: pygit2.Commit, path: str) -> str | None:
        diff = self._repository.diff(parent, commit, context_lines=0)
        diff.find_similar(flags=DiffFind.FIND_RENAMES, rename_threshold=SIMILARITY, rename_limit=RENAMES_MAX)
        for delta in diff.deltas:
            if delta.status == DeltaStatus.RENAMED and delta.new_file.path == path:
                return str(delta.old_file.path)
        return None

    # Edits, oldest first.

    async def _edits(
        self, versions: list[_Version], on_progress: OnProgress, *, with_addresses: bool
    ) -> tuple[list[BroughtEdit], str, int]:
        edits: list[BroughtEdit] = []
        text, written, redated = "", 0, 0
        for number, (commit, blob) in enumerate(versions, 1):
            after = "" if blob is None else self._text(commit, blob)
            redated += _time_of(commit) < written
            written = max(written, _time_of(commit))
            op = await op_between(self._differ, text, after)
            if op:  # an empty file that comes or goes is none
                author = _author_of(commit, with_addresses=with_addresses)
                note = note_of(commit.message.partition("\n\n")[0])
                edits.append(BroughtEdit(op, author, written, reference=str(commit.id), note=note))
            text = after
            on_progress(number, len(versions))
        return edits, text, redated

    def _text(self, commit: pygit2.Commit, blob: pygit2.Oid) -> str:
        where = {"reference": str(commit.id)}
        found: object = self._repository.get(blob)
        if not isinstance(found, pygit2.Blob):
            raise ImportInvalid("a version of the file is missing in this repository", **where)
        if found.size > DOCUMENT_BYTES:
            raise DocumentTooLarge(
                f"the file is too large in {str(commit.id)[:_SHOWN]}",
                limit=DOCUMENT_BYTES,
                actual=found.size,
                **where,
            )
        try:
            text = found.data.decode()
        except UnicodeDecodeError:
            raise ImportInvalid(
                f"the file is no text in UTF-8 in {str(commit.id)[:_SHOWN]}", **where
            ) from None
        if "\0" in text:
            raise ImportInvalid(f"the file is binary in {str(commit.id)[:_SHOWN]}", **where)
        return text


def _time_of(commit: pygit2.Commit) -> int:
    """When its author wrote it, in microseconds. Nothing is before 1970, or cannot be told."""
    return min(max(0, commit.author.time) * _SECOND, INTEGER_MAX)


def _author_of(commit: pygit2.Commit, *, with_addresses: bool) -> str:
    name = commit.author.raw_name.decode(errors="replace")
    address = commit.author.raw_email.decode(errors="replace")
    return author_of(name, address if with_addresses and address else "git")
