"""The file of a backup: a zip, and at its end the SHA-256 of all that is before.

    record.copy …    a table each, as Postgres' COPY gives it (binary)
    manifest.json    written last
    comment          "SHA-256 of all before this: " and 64 digits

So everything in it can be had without this product: `unzip -p FILE manifest.json`, and
`unzip -p FILE record.copy | psql -c '\\copy record (…) FROM STDIN (FORMAT binary)'`. Whether it is whole and
unchanged as well: `head -c -64 FILE | sha256sum` prints what `tail -c 64 FILE` prints.

It is written under another name beside its own (`FILE.part`), and gets its own when it is whole and on the
disk. Whatever kills the writer leaves at most a `.part`, which the next one writes over.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from infrastructure.backup.refusals import BackupRefused

MANIFEST: Final = "manifest.json"
_COMMENT: Final = b"SHA-256 of all before this: "
_DIGITS: Final = 64

# Of zlib: more effort makes JSON a tenth smaller and takes three times as long.
COMPRESSION: Final = 3

# Read and written at a time: as fast as the disk, and small beside everything else.
CHUNK_BYTES: Final = 1024 * 1024

# Nobody but its owner reads what everybody has written.
_MODE: Final = 0o600

OnBytes = Callable[[int, int], None]
"""Is told what is done, and of how much."""


@contextmanager
def writing(path: Path) -> Iterator[zipfile.ZipFile]:
    """A new backup: whole and under its name after the block, or not there. Raises `BackupRefused`."""
    part = path.with_name(path.name + ".part")
    with _refused_by_the_disk(path), _part_of(path, part) as file:
        hashed = _Hashed(file)
        # In a file that cannot be sought in, a zip is written from its beginning to its end, and hashed so.
        target: Any = hashed
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
            yield archive
            archive.comment = _COMMENT + b"0" * _DIGITS
        file.seek(-_DIGITS, os.SEEK_END)
        file.write(hashed.digits().encode())
        file.flush()
        os.fsync(file.fileno())
        part.rename(path)
        _sync_folder(path.parent)


@contextmanager
def _part_of(path: Path, part: Path) -> Iterator[IO[bytes]]:
    """The part, ours alone; gone after a failure."""
    if path.exists():
        raise BackupRefused("E_BACKUP_EXISTS", f"{path} is there already, and no backup replaces another")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, _MODE), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused("E_BACKUP_BUSY", f"another backup is writing {part}") from None
        try:
            file.truncate()
            yield file
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """A name, too, is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Hashed:
    """What `zipfile` writes to: hashes all that passes but the last digits, the hash's own place."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._held = b""

    def write(self, data: bytes) -> int:
        self._file.write(data)
        seen = self._held + data
        self._hash.update(seen[:-_DIGITS])
        self._held = seen[-_DIGITS:]
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def digits(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def reading(path: Path, on_bytes: OnBytes) -> Iterator[zipfile.ZipFile]:
    """A backup that was found to be whole and as it was written. Raises `BackupRefused`."""
    with _refused_by_the_disk(path):
        _check(path, on_bytes)
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise _damaged(path) from error
        with archive:
            yield archive


def _check(path: Path, on_bytes: OnBytes) -> None:
    with path.open("rb") as file:
        left = size = max(0, os.fstat(file.fileno()).st_size - _DIGITS)
        hashed = hashlib.sha256()
        while left and (chunk := file.read(min(CHUNK_BYTES, left))):
            hashed.update(chunk)
            left -= len(chunk)
            on_bytes(size - left, size)
        if left or file.read() != hashed.hexdigest().encode():
            raise _damaged(path)


def _damaged(path: Path) -> BackupRefused:
    return BackupRefused(
        "E_BACKUP_DAMAGED",
        f"{path} is no backup, is not whole, or is not as it was written; nothing was restored",
    )


@contextmanager
def _refused_by_the_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupRefused("E_BACKUP_DISK", f"{error.filename or path}: {reason}") from error
