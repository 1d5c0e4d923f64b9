"""Settings: where they come from and what is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from domain.errors import Unauthenticated
from infrastructure.embedded_postgres import default_home
from infrastructure.settings import Settings
from infrastructure.tokens import NoSigningKey, Tokens, tokens_of

SECRET: Final = "kSiL3fmWxpq0ZrTn7VbYc2HdUeJgXoA5"
HOUR: Final = timedelta(hours=1)
NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@pytest.fixture
def pair(tmp_path: Path) -> Ed25519PrivateKey:
    """A key pair, as `public.pem` and `private.pem` in `tmp_path`; with it a certificate to be found."""
    private = Ed25519PrivateKey.generate()
    (tmp_path / "public.pem").write_bytes(public_pem(private))
    (tmp_path / "private.pem").write_bytes(private_pem(private))
    (tmp_path / "certificate.pem").touch()
    return private


def public_pem(private: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(private: Ed25519PrivateKey | X25519PrivateKey, password: bytes | None = None) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def load(**variables: object) -> Settings:
    """Settings from `CHRONOSCRIBE_…` variables."""
    return Settings.load({f"CHRONOSCRIBE_{name.upper()}": str(value) for name, value in variables.items()})


def reason(**variables: object) -> str:
    """Why these are refused."""
    with pytest.raises(ValidationError) as refused:
        load(**variables)
    return str(refused.value)


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
        ("connections_per_user", "0"),
        ("connections_per_address", "-1"),
        ("presence_days", "0"),
        ("tls_key", "/nowhere/key.pem"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.load({f"CHRONOSCRIBE_{name.upper()}": value})
    [error] = refused.value.errors()
    assert error["loc"] == (name,)


def test_an_unknown_setting_is_a_mistake() -> None:
    given: dict[str, Any] = {"prot": 1}
    with pytest.raises(ValidationError):
        Settings.load({}, **given)


# Who may be served.


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_accounts(host: str) -> None:
    assert load(host=host).is_development


def test_with_keys_it_is_no_development(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    assert not load(auth_secrets=SECRET).is_development
    assert not load(auth_public_keys=tmp_path / "public.pem").is_development


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "192.168.1.2", "example.org", "::", "127.0.0.1.example.org", "LOCALHOST"]
)
def test_a_server_for_others_is_told_all_that_it_lacks(host: str) -> None:
    told = reason(host=host)
    assert f"listening on {host} needs" in told
    for name in ("AUTH_SECRETS", "AUTH_PUBLIC_KEYS", "ORIGINS", "TLS_CERTIFICATE", "TLS_KEY", "BEHIND_PROXY"):
        assert f"CHRONOSCRIBE_{name}" in told


def test_only_what_is_missing_is_named() -> None:
    told = reason(host="0.0.0.0", auth_secrets=SECRET, behind_proxy="10.0.0.1")
    assert "CHRONOSCRIBE_ORIGINS" in told
    assert "AUTH" not in told
    assert "TLS" not in told
    told = reason(host="0.0.0.0", auth_secrets=SECRET, origins="https://app.example.com")
    assert "ORIGINS" not in told
    assert "CHRONOSCRIBE_TLS_CERTIFICATE with CHRONOSCRIBE_TLS_KEY or CHRONOSCRIBE_BEHIND_PROXY" in told
    told = reason(host="0.0.0.0", origins="https://app.example.com", behind_proxy="10.0.0.1")
    assert "CHRONOSCRIBE_AUTH_SECRETS or CHRONOSCRIBE_AUTH_PUBLIC_KEYS" in told
    assert "ORIGINS" not in told


def test_a_server_for_others_has_keys_origins_and_encryption(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    public = {"host": "0.0.0.0", "origins": "https://app.example.com"}
    tls = {"tls_certificate": tmp_path / "certificate.pem", "tls_key": tmp_path / "private.pem"}
    assert load(**public, **tls, auth_secrets=SECRET)
    assert load(**public, behind_proxy="10.0.0.1", auth_public_keys=tmp_path / "public.pem")


def test_guests_do_not_come_through_a_proxy() -> None:
    assert "a server behind a proxy needs CHRONOSCRIBE_AUTH_SECRETS" in reason(behind_proxy="127.0.0.1")
    assert load(behind_proxy="127.0.0.1", auth_secrets=SECRET)


def test_a_certificate_and_its_key_belong_together(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    assert "belong together" in reason(tls_certificate=tmp_path / "certificate.pem")
    assert "belong together" in reason(tls_key=tmp_path / "private.pem")


# Lists.


def test_lists_have_commas() -> None:
    settings = load(
        auth_secrets=f"{SECRET}, {SECRET[::-1]},",
        origins="https://app.example.com,http://localhost:5173 , https://[2001:db8::1]:8443",
        behind_proxy="10.0.0.1, 192.168.0.0/16,2001:db8::/32",
    )
    assert [secret.get_secret_value() for secret in settings.auth_secrets] == [SECRET, SECRET[::-1]]
    assert settings.origins == (
        "https://app.example.com",
        "http://localhost:5173",
        "https://[2001:db8::1]:8443",
    )
    assert settings.behind_proxy == (
        ip_network("10.0.0.1/32"),
        ip_network("192.168.0.0/16"),
        ip_network("2001:db8::/32"),
    )


@pytest.mark.parametrize(
    "origin",
    [
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com.",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://app.example.com:0",
        "https://app.example.com:",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://",
        "ftp://app.example.com",
        "null",
        "*",
        "https://münchen.example",
    ],
)
def test_an_origin_is_written_as_browsers_write_it(origin: str) -> None:
    assert "origin" in reason(origins=f"https://good.example,{origin}")


@pytest.mark.parametrize("network", ["10.0.0.1/8", "proxy", "0.0.0.0/0", "::/0", "10.0.0"])
def test_a_proxy_is_an_address_or_a_network(network: str) -> None:
    with pytest.raises(ValidationError) as refused:
        load(behind_proxy=f"10.0.0.1,{network}", auth_secrets=SECRET)
    assert refused.value.errors()[0]["loc"][:2] == ("behind_proxy", 1)


# Keys.


SAMPLES: Final = [
    "x",
    "secret",
    "changeme",
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "your-256-bit-secret-your-256-bit-secret",
    "changeme-changeme-changeme-change",
    "My S.E.C.R.E.T is longer than 32 bytes",
    "a" * 64,
    "ab" * 32,
    "abc123XYZ!" * 4,
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "99887766554433221100zzyyxxwwvvuu",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefgh",
    SECRET[:31],
    SECRET + "é",
    SECRET + "\x07",
]


@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_a_secret_that_can_be_guessed_is_refused_and_not_repeated(sample: str) -> None:
    told = reason(auth_secrets=f"{SECRET},{sample}")
    assert "auth_secrets.1" in told
    assert "secret" in told
    assert len(sample) < 6 or sample == "secret" or sample not in told
    assert SECRET not in told


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_random_secrets_are_taken(make: Callable[[int], str]) -> None:
    for _ in range(100):
        assert load(auth_secrets=make(32))


def test_secrets_and_keys_exclude_each_other(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    assert "exclude each other" in reason(auth_secrets=SECRET, auth_public_keys=tmp_path / "public.pem")


def test_there_are_at_most_four_secrets() -> None:
    assert "at most 4" in reason(auth_secrets=",".join(f"{number}{SECRET}" for number in range(5)))


def test_settings_show_no_secret() -> None:
    settings = Settings.load(
        {"CHRONOSCRIBE_AUTH_SECRETS": SECRET, "DATABASE_URL": "postgresql://ada:hush@db/x"}
    )
    for shown in (repr(settings), str(settings), f"{settings.auth_secrets}"):
        assert SECRET not in shown
        assert "hush" not in shown


def test_a_refusal_shows_no_secret() -> None:
    told = reason(auth_secrets=SECRET, host="0.0.0.0", port="x")
    assert SECRET not in told
    assert SECRET not in reason(auth_secrets=SECRET, host="0.0.0.0")


@pytest.mark.parametrize("name", ["auth_public_keys", "auth_signing_key"])
def test_files_of_keys_are_read_at_once(tmp_path: Path, name: str) -> None:
    exchange, sealed = X25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    good = (public_pem if name == "auth_public_keys" else private_pem)(sealed)
    swapped = (private_pem if name == "auth_public_keys" else public_pem)(sealed)
    wrong = {
        "empty": b"",
        "no PEM": b"\x00\xff" * 100,
        "another kind": (public_pem if name == "auth_public_keys" else private_pem)(exchange),
        "the other half": swapped,
        "both halves": good + swapped,
        "encrypted": private_pem(sealed, b"password"),
        "broken": good.replace(b"MC", b"MA"),
        "five": good * 5,
    }
    for what, data in wrong.items():
        file = tmp_path / "key.pem"
        file.write_bytes(data)
        assert str(file) in reason(**{name: file}), what
    assert "No such file" in reason(**{name: tmp_path / "missing.pem"})


def test_a_signing_key_belongs_to_a_public_key(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    files = {"auth_signing_key": tmp_path / "private.pem", "auth_public_keys": tmp_path / "public.pem"}
    assert load(**files)
    assert "needs CHRONOSCRIBE_AUTH_PUBLIC_KEYS" in reason(auth_signing_key=tmp_path / "private.pem")
    (tmp_path / "public.pem").write_bytes(public_pem(Ed25519PrivateKey.generate()))
    assert "is none of" in reason(**files)


def test_tokens_have_the_keys_that_are_set(tmp_path: Path, pair: Ed25519PrivateKey) -> None:
    def of(settings: Settings) -> Tokens:
        return tokens_of(settings, guest_secret=SECRET[::-1], now=lambda: NOW)

    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_bytes(public_pem(Ed25519PrivateKey.generate()) + public_pem(pair))
    signing = of(load(auth_public_keys=public, auth_signing_key=private))
    assert of(load(auth_public_keys=public)).verify(signing.sign("ada", lifetime=HOUR)).user == "ada"
    with pytest.raises(NoSigningKey):
        of(load(auth_public_keys=public)).sign("ada", lifetime=HOUR)
    secret = of(load(auth_secrets=SECRET))
    assert of(load(auth_secrets=f"{SECRET[::-1]}x,{SECRET}")).verify(secret.sign("ada", lifetime=HOUR))
    guest = of(load())
    assert guest.verify(guest.sign("ada", lifetime=HOUR))
    for theirs, ours in [(guest, secret), (secret, guest), (guest, signing), (signing, guest)]:
        with pytest.raises(Unauthenticated):
            ours.verify(theirs.sign("ada", lifetime=HOUR))


def test_issuer_and_audience_can_be_set() -> None:
    named = load(auth_secrets=SECRET, auth_issuer="https://id.example.org", auth_audience="notes")
    tokens = tokens_of(named, guest_secret=None, now=lambda: NOW)
    token = tokens.sign("ada", lifetime=HOUR)
    assert tokens.verify(token)
    with pytest.raises(Unauthenticated):
        tokens_of(load(auth_secrets=SECRET), guest_secret=None, now=lambda: NOW).verify(token)


def test_no_test_writes_where_the_user_keeps_things(users_home: Path) -> None:
    assert Settings().home == users_home != default_home()
