"""Settings: from the environment, overridden by the command line. Checked once, here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseModel):
    """Each is also an environment variable: `CHRONOSCRIBE_` and the name in capitals;
    `DATABASE_URL` has no prefix.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8484
    data: Path | None = None
    """Where the embedded Postgres keeps its data; None: the user's data folder."""
    database_url: str | None = None
    """A Postgres of one's own; None: the embedded one."""
    edits_per_second: Annotated[float, Field(gt=0)] = 500.0
    frames_per_second: Annotated[float, Field(gt=0)] = 1_000.0
    aggregates_idle_seconds: Annotated[float, Field(gt=0)] = 300.0
    """Unused documents and rooms leave the memory after this; opening one again takes milliseconds."""
    aggregates_memory_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024
    """Beyond this the longest unused leave earlier: a quarter of the smallest machine it is meant for."""
    drain_seconds: Annotated[float, Field(gt=0)] = 20.0
    """After SIGTERM: how long clients are sent elsewhere and commits finished."""

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host not in LOOPBACK:
            raise ValueError(
                "the server has no accounts yet and listens on this machine only: 127.0.0.1, ::1 or localhost"
            )
        return host

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """Settings from `environment` and, above it, what is `given` (None: not given). Raises
        `ValidationError`.
        """
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            variable = "DATABASE_URL" if name == "database_url" else f"CHRONOSCRIBE_{name.upper()}"
            if environment.get(variable):
                values[name] = environment[variable]
        values |= {name: value for name, value in given.items() if value is not None}
        return cls.model_validate(values)
