"""The hints between nodes (NOTIFY), and how they get lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg


def listeners(administration: psycopg.Connection[Any]) -> list[int]:
    """Postgres' processes that pass hints on to the nodes of a database."""
    rows = administration.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'chronoscribe listener' AND datname = current_database()"
    )
    return [pid for (pid,) in rows]


def terminate_listeners(administration: psycopg.Connection[Any]) -> int:
    """Kill them, and return how many there were when they are gone."""
    pids = listeners(administration)
    for pid in pids:
        administration.execute("SELECT pg_terminate_backend(%s, 1000)", (pid,))
    return len(pids)


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Processes that hold their connections and do nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
