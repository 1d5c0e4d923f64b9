"""Settings: where they come from and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infrastructure.settings import Settings


def test_without_anything_the_server_listens_on_loopback_with_a_database_of_its_own() -> None:
    settings = Settings.load({})
    assert (settings.host, settings.port, settings.database_url, settings.data) == (
        "127.0.0.1",
        8484,
        None,
        None,
    )


def test_the_environment_sets_what_it_names() -> None:
    settings = Settings.load(
        {
            "CHRONOSCRIBE_PORT": "9000",
            "CHRONOSCRIBE_DATA": "/srv/data",
            "CHRONOSCRIBE_EDITS_PER_SECOND": "2.5",
            "DATABASE_URL": "postgresql://db/x",
            "CHRONOSCRIBE_SOMETHING_ELSE": "1",
            "PORT": "1",
        }
    )
    assert (settings.port, settings.data, settings.edits_per_second) == (9000, Path("/srv/data"), 2.5)
    assert settings.database_url == "postgresql://db/x"


def test_the_database_has_no_prefix() -> None:
    assert Settings.load({"CHRONOSCRIBE_DATABASE_URL": "postgresql://db/x"}).database_url is None


def test_an_empty_variable_is_none() -> None:
    assert Settings.load({"CHRONOSCRIBE_PORT": "", "DATABASE_URL": ""}) == Settings.load({})


def test_what_is_given_stands_above_the_environment_unless_it_is_none() -> None:
    environment = {"CHRONOSCRIBE_PORT": "9000", "CHRONOSCRIBE_HOST": "localhost"}
    settings = Settings.load(environment, port=1234, host=None)
    assert (settings.port, settings.host) == (1234, "localhost")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "-1"),
        ("port", "http"),
        ("edits_per_second", "0"),
        ("frames_per_second", "-1"),
        ("drain_seconds", "0"),
        ("aggregates_memory_bytes", "lots"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.load({f"CHRONOSCRIBE_{name.upper()}": value})
    [error] = refused.value.errors()
    assert error["loc"] == (name,)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])
def test_a_server_without_accounts_is_for_this_machine_only(host: str) -> None:
    with pytest.raises(ValidationError, match="this machine only"):
        Settings.load({"CHRONOSCRIBE_HOST": host})


def test_an_unknown_setting_is_a_mistake() -> None:
    given: dict[str, Any] = {"prot": 1}
    with pytest.raises(ValidationError):
        Settings.load({}, **given)
