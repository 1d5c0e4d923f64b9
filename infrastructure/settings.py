"""Settings: from the environment, overridden by the command line. Checked once, here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    model_validator,
)

from infrastructure.embedded_postgres import default_home
from infrastructure.keys import (
    KEYS_MAX,
    check_secret,
    read_master_key,
    read_public_keys,
    read_signing_key,
)

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

# As browsers write them: https://app.example.com, http://localhost:5173, https://[2001:db8::1]:8443.
_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?P<port>:[1-9][0-9]{0,4})?"
)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}

Network = IPv4Network | IPv6Network


def _split(value: object) -> object:
    """A list out of the environment: parts between commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _checked_secret(secret: SecretStr) -> SecretStr:
    check_secret(secret.get_secret_value())
    return secret


def _checked_public_keys(path: Path) -> Path:
    read_public_keys(path)
    return path


def _checked_signing_key(path: Path) -> Path:
    read_signing_key(path)
    return path


def _checked_master_key(path: Path) -> Path:
    read_master_key(path)
    return path


def _checked_origin(origin: str) -> str:
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise ValueError("an origin is http(s)://host or http(s)://host:port, in small letters, and no more")
    if match["port"] == _DEFAULT_PORTS[match["scheme"]]:
        raise ValueError(f"browsers leave out {match['port']} in an origin; leave it out here too")
    return origin


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value
    network = ip_network(value)
    if network.prefixlen == 0:
        raise ValueError("this would trust everybody to say who they are")
    return network


Secret = Annotated[SecretStr, AfterValidator(_checked_secret)]
Origin = Annotated[str, AfterValidator(_checked_origin)]
TrustedNetwork = Annotated[Network, BeforeValidator(_network)]


class Settings(BaseModel):
    """Each is also an environment variable: `CHRONOSCRIBE_` and the name in capitals;
    `DATABASE_URL` has no prefix.
    """

    # An input can be a secret, and a refusal is printed.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8484
    data: Path | None = None
    """Where the embedded Postgres keeps its data; None: the user's data folder."""
    database_url: Annotated[str | None, Field(repr=False)] = None
    """A Postgres of one's own; None: the embedded one."""
    edits_per_second: Annotated[float, Field(gt=0)] = 500.0
    frames_per_second: Annotated[float, Field(gt=0)] = 1_000.0
    aggregates_idle_seconds: Annotated[float, Field(gt=0)] = 300.0
    """Unused documents and rooms leave the memory after this; opening one again takes milliseconds."""
    aggregates_memory_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024
    """Beyond this the longest unused leave earlier: a quarter of the smallest machine it is meant for."""
    drain_seconds: Annotated[float, Field(gt=0)] = 20.0
    """After SIGTERM: how long clients are sent elsewhere and commits finished."""

    auth_secrets: Annotated[tuple[Secret, ...], BeforeValidator(_split), Field(max_length=KEYS_MAX)] = ()
    """What tokens are signed with (HS256): the first signs, all verify."""
    auth_public_keys: Annotated[Path, AfterValidator(_checked_public_keys)] | None = None
    """PEM file of the Ed25519 keys that verify tokens, instead of secrets."""
    auth_signing_key: Annotated[Path, AfterValidator(_checked_signing_key)] | None = None
    """PEM file of the private one of them, for `chronoscribe token`; a server needs none."""
    auth_issuer: Annotated[str, Field(min_length=1)] = "chronoscribe"
    auth_audience: Annotated[str, Field(min_length=1)] = "chronoscribe"
    origins: Annotated[tuple[Origin, ...], BeforeValidator(_split)] = ()
    """Of the pages that may connect; empty: only those of the server's own address."""
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    behind_proxy: Annotated[tuple[TrustedNetwork, ...], BeforeValidator(_split)] = ()
    """The proxies that are believed when they say for whom they ask."""
    connections_per_user: Annotated[int, Field(gt=0)] = 50
    """Tabs, devices and bots of one user; more is a program that does not close what it opens."""
    connections_per_address: Annotated[int, Field(gt=0)] = 200
    """Of those of whom nothing else is known yet; an office behind one address fits."""
    requests_per_second: Annotated[float, Field(gt=0)] = 50.0
    """Of one user over HTTP: a page that opens asks for a dozen things, a script in a loop is slowed down."""
    presence_days: Annotated[int, Field(gt=0)] = 30
    """Cursor moves are kept for so long."""
    checkpoint_key: Annotated[Path, AfterValidator(_checked_signing_key)] | None = None
    """PEM file of the Ed25519 key that signs checkpoints; None: one that is made in the data folder."""

    master_key: Annotated[Path, AfterValidator(_checked_master_key)] | None = None
    """File of the key that wraps the keys of sealed rooms; None: one that is made in the data folder."""

    @property
    def home(self) -> Path:
        """The data folder: of the embedded Postgres, and of what belongs beside the store."""
        return (self.data or default_home()).expanduser()

    @property
    def is_development(self) -> bool:
        """Whether there are no accounts: who comes from this machine is let in as a guest."""
        return not self.auth_secrets and self.auth_public_keys is None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.auth_secrets and self.auth_public_keys is not None:
            raise ValueError(
                f"{_variable('auth_secrets')} and {_variable('auth_public_keys')} exclude each other"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError(f"{_variable('tls_certificate')} and {_variable('tls_key')} belong together")
        self._check_signing_key()
        if missing := self._missing():
            raise ValueError(f"{self._purpose()} needs {', and '.join(missing)}")
        return self

    def _check_signing_key(self) -> None:
        if self.auth_signing_key is None:
            return
        if self.auth_public_keys is None:
            raise ValueError(f"{_variable('auth_signing_key')} needs {_variable('auth_public_keys')}")
        if read_signing_key(self.auth_signing_key).public_key() not in read_public_keys(
            self.auth_public_keys
        ):
            raise ValueError(
                f"the key of {_variable('auth_signing_key')} is none of {_variable('auth_public_keys')}"
            )

    def _purpose(self) -> str:
        """Why this is no server for one machine alone, which needs no more."""
        return f"listening on {self.host}" if self.host not in LOOPBACK else "a server behind a proxy"

    def _missing(self) -> list[str]:
        """What a server lacks that others than this machine can reach, through a proxy or without one."""
        missing = []
        is_public = self.host not in LOOPBACK
        if self.is_development and (is_public or self.behind_proxy):
            missing.append(f"{_variable('auth_secrets')} or {_variable('auth_public_keys')}")
        if is_public and not self.origins:
            missing.append(_variable("origins"))
        if is_public and self.tls_certificate is None and not self.behind_proxy:
            missing.append(
                f"{_variable('tls_certificate')} with {_variable('tls_key')} or {_variable('behind_proxy')}"
            )
        return missing

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """Settings from `environment` and, above it, what is `given` (None: not given). Raises
        `ValidationError`.
        """
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            if value := environment.get(_variable(name)):
                values[name] = value
        values |= {name: value for name, value in given.items() if value is not None}
        return cls.model_validate(values)


def _variable(name: str) -> str:
    """The environment variable of a setting."""
    return "DATABASE_URL" if name == "database_url" else f"CHRONOSCRIBE_{name.upper()}"
