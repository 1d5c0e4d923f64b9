"""`chronoscribe token`: whose keys it signs with. And how settings that are refused are told."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from application.identity import Identity
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate
from infrastructure.postgres.tickets import guest_secret
from infrastructure.settings import Settings
from infrastructure.tokens import tokens_of
from interfaces.cli.main import main, parser
from interfaces.cli.token import lifetime
from tests.servers import free_port

SECRET: Final = "kSiL3fmWxpq0ZrTn7VbYc2HdUeJgXoA5"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own, and a folder where no data is."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("CHRONOSCRIBE_DATA", str(tmp_path / "none"))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The token: the only thing that is printed."""
    assert main(["token", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out.count("\n") == 1
    return output.out.strip()


def verified(token: str, secret: str | None = None) -> Identity:
    """What a server with the same settings makes of it."""
    return tokens_of(Settings.load(), guest_secret=secret, now=lambda: datetime.now(UTC)).verify(token)


def test_a_token_is_signed_with_the_first_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", f"{SECRET},{SECRET[::-1]}")
    token = printed(capsys, "ada", "--name", "Ada L.", "--for", "30d")
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", SECRET)
    identity = verified(token)
    assert (identity.user, identity.name, identity.is_admin) == ("ada", "Ada L.", False)
    assert identity.expires - identity.issued == timedelta(days=30)


def test_without_more_a_token_is_for_an_hour_and_no_administrator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", SECRET)
    identity = verified(printed(capsys, "ada"))
    assert (identity.name, identity.is_admin) == (None, False)
    assert identity.expires - identity.issued == timedelta(hours=1)
    assert verified(printed(capsys, "ada", "--admin")).is_admin


def test_a_token_is_signed_with_the_private_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    private, public_file, private_file = Ed25519PrivateKey.generate(), tmp_path / "a.pem", tmp_path / "b.pem"
    public_file.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    private_file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_PUBLIC_KEYS", str(public_file))
    assert main(["token", "ada"]) == 1
    assert "set CHRONOSCRIBE_AUTH_SIGNING_KEY" in capsys.readouterr().err
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SIGNING_KEY", str(private_file))
    assert verified(printed(capsys, "ada")).user == "ada"


def test_in_development_a_token_is_signed_with_the_stores_own_secret(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def secret() -> str:
        database = Database(database_url)
        await database.open()
        try:
            async with await database.connect("migrations") as connection:
                await migrate(connection)
            return await guest_secret(database)
        finally:
            await database.close()

    known = asyncio.run(secret())
    monkeypatch.setenv("DATABASE_URL", database_url)
    token = printed(capsys, "ada", "--admin")
    assert verified(token, known).is_admin
    assert asyncio.run(secret()) == known


def test_in_development_there_must_be_a_store(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["token", "ada"]) == 1
    assert f"there is no data in {tmp_path / 'none'}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert main(["token", "ada"]) == 1
    assert "this database holds no log" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h", timedelta(hours=1)),
        ("365d", timedelta(days=365)),
    ],
)
def test_lifetimes_have_units(text: str, expected: timedelta) -> None:
    assert lifetime(text) == expected


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        *[
            (["ada", f"--for={text}"], "is no time such as")
            for text in ("", "1", "h", "0h", "-1h", "1.5h", "1w", "１h")
        ],
        (["ada", "--for=366d"], "is more than 365 days"),
        (["ada", "--for=999999999d"], "is more than 365 days"),
        (["ada", "--for=31536001s"], "is more than 365 days"),
        (["no user"], "is no id"),
        ([""], "is no id"),
        (["ada", "--name", "x" * 65], "is no name"),
        (["ada", "--name", "a\x1b[2Jb"], "is no name"),
        ([], "USER"),
    ],
)
def test_what_makes_no_sense_ends_with_two(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["token", *arguments])
    output = capsys.readouterr()
    assert told in output.err
    assert "\x1b" not in output.err


# Settings that are refused.


def test_a_server_for_others_without_accounts_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "host=/nowhere")
    port = free_port()
    assert main(["serve", "--host", "0.0.0.0", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("chronoscribe: listening on 0.0.0.0 needs CHRONOSCRIBE_AUTH_SECRETS or ")
    assert told.count("\n") == 1
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))


def test_a_setting_that_is_refused_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", SECRET[:-1])
    monkeypatch.setenv("CHRONOSCRIBE_PRESENCE_DAYS", "0")
    assert main(["serve"]) == 2
    told = capsys.readouterr().err
    assert "chronoscribe: auth_secrets.0: a secret has at least 32 bytes\n" in told
    assert "chronoscribe: presence_days: Input should be greater than 0\n" in told
    assert SECRET[:-1] not in told
