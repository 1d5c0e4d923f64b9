"""All projections there are: a new one is named here and nowhere else."""

from __future__ import annotations

from infrastructure.postgres.database import Database
from infrastructure.postgres.directory import DirectoryView
from infrastructure.projector import View


def all_views(database: Database) -> list[View]:
    """For whoever keeps or rebuilds their tables. They have no state, so make them as often as you like."""
    return [DirectoryView(database)]
