"""The event library on our tables: its applications and repositories, for tools and for cold paths.

    class Tool(Application[str]):
        snapshot_class = Snapshot

    tool = Tool(library_environment(conninfo))

Its own recorder takes an exclusive table lock, which stops ANALYZE and VACUUM as well, notifies inside the
transaction, which makes the commits of the whole cluster wait for each other, and retries a commit of
unknown outcome, which it then reports as a conflict. This one appends with the same function as a node's
committer: one lock, one place where rows are made, every writer. It blocks, so it is not for the event
loop of a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
)
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, tuple_row

from infrastructure.codec import decode
from infrastructure.postgres import arrays
from infrastructure.postgres.database import LOCK_SECONDS
from infrastructure.postgres.log import APPEND, LOCK_KEYS, SAVE_SNAPSHOT, columns
from infrastructure.postgres.wakeup import CHANNEL

_LOG: Final = "record"
_APPEND: Final = APPEND.format(table=_LOG).encode()

# Who a hint is from; no node has this name, so all of them take it.
_NODE: Final = "library"

# The library names these one by one; whatever else a DSN says goes to the connections as it stands.
_NAMED: Final = ("dbname", "host", "port", "user", "password")
_CONNINFO: Final = "CHRONOSCRIBE_CONNINFO"


def library_environment(conninfo: str) -> dict[str, str]:
    """What an application of the event library has to be given to work on the database of `conninfo`."""
    parameters = conninfo_to_dict(conninfo)
    named = {f"POSTGRES_{name.upper()}": str(parameters.get(name) or "") for name in _NAMED}
    return {
        **named,
        _CONNINFO: conninfo,
        "PERSISTENCE_MODULE": f"{__name__}:{RecordFactory.__name__}",
        "MAPPER_TOPIC": "infrastructure.codec:EventMapper",
        "ORIGINATOR_ID_TYPE": "text",
        "IS_SNAPSHOTTING_ENABLED": "y",
        # The tables are made by our migrations.
        "CREATE_TABLE": "n",
    }


class RecordRecorder(PostgresApplicationRecorder):
    """Writes and reads the record."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = _LOG) -> None:
        """The library derives `events_table_name` from the application's name; ours has one name."""
        super().__init__(datastore, events_table_name=_LOG)
        self.channel_name = CHANNEL  # so that its subscriptions hear of our commits

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Append all events or none, and return their notification ids.

        Raises `IntegrityError` when one does not follow on what is stored, and the library's other
        errors when the connection fails: then the outcome is unknown, and what is there has to be read.
        """
        if not stored_events:
            return ()
        events = [decode(str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
        with self.datastore.get_connection() as connection:
            arrays.register(connection)
            with connection.transaction(), connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'".encode())
                cursor.execute(
                    _APPEND, (LOCK_KEYS[_LOG], *columns(events, [None] * len(events))), prepare=True
                )
                row = cursor.fetchone()
                assert row is not None
                _, positions, refused = row
                if refused:
                    raise IntegrityError(f"others have written to {', '.join(sorted(refused))}")
            connection.execute(b"SELECT pg_notify(%s, %s)", (CHANNEL, f"{_NODE} {_LOG}"))
        return tuple(positions)


class SnapshotRecorder(PostgresAggregateRecorder):
    """Writes and reads snapshots; one that is there already stays."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name="snapshots")

    def _insert_stored_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any
    ) -> None:
        # Nobody knows how far the library's applications have followed the log.
        rows = [
            {
                "stream": e.originator_id,
                "version": e.originator_version,
                "topic": e.topic,
                "state": e.state,
                "heard": 0,
            }
            for e in stored_events
        ]
        curs.executemany(SAVE_SNAPSHOT.encode(), rows)


class RecordFactory(PostgresFactory):
    """Makes the recorders above for an application of whatever name."""

    application_recorder_class = RecordRecorder

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        parameters = conninfo_to_dict(self.env.get(_CONNINFO) or "")
        others = {name: value for name, value in parameters.items() if name not in _NAMED}
        kwargs = self.datastore.pool.kwargs
        assert isinstance(kwargs, dict)
        kwargs.update(others)

    def aggregate_recorder(self, purpose: str = "events") -> SnapshotRecorder:
        assert purpose == "snapshots", purpose
        return SnapshotRecorder(self.datastore)

    def env_create_table(self) -> bool:
        """Never: two nodes that create tables at once fail, and ours have more than the library's."""
        return False
