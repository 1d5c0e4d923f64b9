"""What goes into a backup, what is made again from it, and what must never be in one.

Every table of the schema stands in exactly one of these lists; a test holds them to it, and a new migration
with a new table has to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from infrastructure.postgres.database import Database
from infrastructure.views import all_views


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that cannot be made again from others, in the order in which its rows are written.

    `order` are unique columns as SQL, in an order that is the same in every database. If it is one number
    that only grows, rows behind the last of the backup are later ones, and `is_growing` says so: a restored
    table can then be compared also after more has come.
    """

    name: str
    order: LiteralString
    is_growing: bool = False
    where: LiteralString = "true"


# In the order in which they are loaded. The epoch of a restored store is a new one, and the mark of an
# unfinished restore (mark.py) is only true of the store that it stands in.
KEPT: Final = (
    Kept("store", 'key COLLATE "C"', where="key NOT IN ('epoch', 'restoring')"),
    Kept("record", "notification_id", is_growing=True),
    Kept("presence", "notification_id", is_growing=True),
    Kept("record_chain", "first", is_growing=True),
    Kept("presence_chain", "first", is_growing=True),
    Kept("checkpoints", 'log COLLATE "C", position, key'),
    Kept("redacted_events", "position, part"),
    Kept("redacted_streams", "stream"),
)

# Keys that make the words of a person readable. Whoever is erased must stay erased in every old backup too:
# keys are kept apart from it, by whoever runs this (`chronoscribe keys`).
SECRET: Final = frozenset({"person_keys"})

# Made again from the log, or of no use in another store: a backup holds no text but that of the log. What
# analysts may see hangs on roles of the Postgres that it is in, and is said again (`chronoscribe analyst`).
_HELPS: Final = frozenset({"snapshots", "attributions", "tracking", "parked", "tickets", "analyst_rooms"})

# The schema itself is made by the migrations whose names are in the manifest.
_SCHEMA: Final = frozenset({"migrations"})


def rebuilt_tables() -> frozenset[str]:
    """Those that a restore leaves empty and that are folded from the log again."""
    return _HELPS.union(*(view.tables for view in all_views(Database(""))))


def known_tables() -> frozenset[str]:
    return rebuilt_tables() | SECRET | _SCHEMA | {kept.name for kept in KEPT}
