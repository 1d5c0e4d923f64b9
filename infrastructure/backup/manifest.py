"""What a backup says of itself: of which moment it is, and what must be in it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infrastructure.backup.refusals import BackupRefused

# Of the file's form. A reader refuses what is newer than it knows.
FORMAT: Final = 1

Count = Annotated[int, Field(ge=0)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableTold(_Told):
    name: str
    columns: tuple[str, ...]
    order: str
    rows: Count
    bytes: Count
    sha256: str
    """Of what `COPY (SELECT columns FROM name ORDER BY order) TO STDOUT (FORMAT binary)` gives."""
    last: int | None
    """The last value of `order` where that is a number that only grows; None also for an empty table."""


class LogTold(_Told):
    events: Count
    position: Count
    """The last notification id."""
    link: str | None
    """The head of its hash chain, in hex; None where there is no chain yet."""


class Manifest(_Told):
    """All of it is of one moment, that of `at`."""

    format: int
    id: str
    product: str
    postgres: str
    at: int
    """Microseconds since the epoch, by the clock of the database."""
    finished_at: int
    epoch: str
    migrations: tuple[str, ...]
    record: LogTold
    presence: LogTold
    presence_days: tuple[str, ...]
    """The days (ISO 8601) of which there is a partition."""
    tables: tuple[TableTold, ...]
    sequences: dict[str, int]
    left_out: tuple[str, ...]
    """Tables that were there and are none of this product's, or hold keys."""

    @classmethod
    def read(cls, data: bytes) -> Manifest:
        """Raises `BackupRefused`."""
        try:
            found = _Form.model_validate_json(data)
            if found.format > FORMAT:
                raise BackupRefused(
                    "E_BACKUP_NEWER",
                    f"this backup has the form {found.format}, and this version knows {FORMAT} at most",
                )
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise BackupRefused("E_BACKUP_DAMAGED", f"its manifest cannot be read: {error}") from None


class _Form(BaseModel):
    format: int
