"""Login roles that read and may do nothing else, tried from outside: by logging in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from domain.errors import Conflict, Forbidden, NotFound
from infrastructure.postgres.analysts import (
    ANALYST,
    AUDITOR,
    TABLES,
    TABLES_OF_AUDITORS,
    Analyst,
    Analysts,
    NotAllowed,
)
from infrastructure.postgres.audit import questions
from infrastructure.postgres.database import Database
from infrastructure.views import all_views
from tests.infrastructure.projecting import rebuild
from tests.infrastructure.sample_rooms import OTHER, ROOM


def test_x() -> None: ...
