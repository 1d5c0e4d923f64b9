"""Tokens: which are taken, and every way that we know of to get in with one that should not be.

What PyJWT refuses to make is made by hand here: that is what somebody would do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from application.identity import Identity
from domain.errors import Unauthenticated
from infrastructure.tokens import LEEWAY, TOKEN_BYTES, NoSigningKey, Tokens

SECRET: Final = "kSiL3fmWxpq0ZrTn7VbYc2HdUeJgXoA5"
OTHER: Final = "Tz8vQ1rLb6NwYs4HfKc9XeUgD2mJp7Ra"
NOW: Final = datetime(2026, 11, 23, 14, 5, 7, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
EPOCH: Final = int(NOW.timestamp())
PRIVATE: Final = Ed25519PrivateKey.generate()
REMOVED: Final = object()


def tokens(*secrets: str, at: datetime = NOW, **given: Any) -> Tokens:
    given = {"issuer": "chronoscribe", "audience": "chronoscribe", **given}
    if not secrets and "public_keys" not in given:
        secrets = (SECRET,)
    return Tokens(secrets, now=lambda: at, **given)


def with_key(private: Ed25519PrivateKey = PRIVATE, **given: Any) -> Tokens:
    return tokens(public_keys=[private.public_key()], **given)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(
    claims: object, header: object = None, *, sign: Callable[[bytes], bytes] | None = None, key: bytes = b""
) -> str:
    """A token made by hand, signed by `sign` or by HMAC with `key` or our secret."""
    parts = [header if header is not None else {"alg": "HS256", "typ": "JWT"}, claims]
    body = ".".join(encoded(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts)
    if sign is None:
        signature = hmac.new(key or SECRET.encode(), body.encode(), hashlib.sha256).digest()
    else:
        signature = sign(body.encode())
    return f"{body}.{encoded(signature)}"


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token, with some changed or `REMOVED`."""
    good = {
        "iss": "chronoscribe",
        "aud": "chronoscribe",
        "sub": "ada",
        "iat": EPOCH,
        "exp": EPOCH + 3600,
        **changed,
    }
    return {name: value for name, value in good.items() if value is not REMOVED}


def header(**fields: Any) -> dict[str, Any]:
    return {"alg": "HS256", "typ": "JWT", **fields}


def refused(token: str, by: Tokens | None = None) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        (by or tokens()).verify(token)
    assert refusal.value.message == Unauthenticated().message
    assert refusal.value.facts == {}


# Good ones.


def test_what_is_signed_is_verified() -> None:
    token = tokens().sign("ada", name="Ada L.", lifetime=timedelta(hours=1))
    assert tokens().verify(token) == Identity(
        user="ada", name="Ada L.", issued=NOW, expires=NOW + timedelta(hours=1), is_admin=False
    )


def test_a_key_pair_does_it_as_well() -> None:
    token = with_key(signing_key=PRIVATE).sign("bot-7", lifetime=timedelta(days=30), is_admin=True)
    identity = with_key().verify(token)
    assert (identity.user, identity.name, identity.is_admin) == ("bot-7", None, True)
    assert identity.expires - identity.issued == timedelta(days=30)


def test_a_token_of_another_library_is_taken() -> None:
    assert tokens().verify(forged(claims())).user == "ada"
    assert with_key().verify(forged(claims(), header(alg="EdDSA"), sign=PRIVATE.sign)).user == "ada"


@pytest.mark.parametrize("typ", ["JWT", "jwt"])
def test_a_header_may_say_that_it_is_a_token(typ: str) -> None:
    assert tokens().verify(forged(claims(), header(typ=typ)))
    assert tokens().verify(forged(claims(), {"alg": "HS256"}))


def test_what_we_do_not_ask_for_is_left_alone() -> None:
    assert tokens().verify(forged(claims(jti="1", groups=["a"], email="ada@example.org"))).user == "ada"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "admin\u200b", "x" * 65, 7, None, ["Ada"], {"a": 1}])
def test_a_name_that_is_none_is_left_out(name: object) -> None:
    identity = tokens().verify(forged(claims(name=name)))
    assert (identity.user, identity.name) == ("ada", None)


# Keys.


def test_an_old_secret_goes_on_beside_a_new_one_and_no_longer() -> None:
    before = tokens(SECRET).sign("ada", lifetime=timedelta(hours=1))
    during, after = tokens(OTHER, SECRET), tokens(OTHER)
    assert during.verify(before).user == "ada"
    new = during.sign("ada", lifetime=timedelta(hours=1))
    assert after.verify(new).user == "ada"
    refused(before, after)
    refused(new, tokens(SECRET))


def test_an_old_key_goes_on_beside_a_new_one_and_no_longer() -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    token = with_key(old, signing_key=old).sign("ada", lifetime=timedelta(hours=1))
    both = tokens(public_keys=[new.public_key(), old.public_key()])
    assert both.verify(token).user == "ada"
    refused(token, with_key(new))


def test_a_token_that_has_expired_under_the_second_key_has_expired() -> None:
    refused(forged(claims(exp=EPOCH - 60)), tokens(OTHER, SECRET))


def test_there_are_at_most_four_keys_and_of_one_kind() -> None:
    public = PRIVATE.public_key()
    assert tokens(*[f"{number}{SECRET}" for number in range(4)])
    wrong: list[dict[str, Any]] = [
        {"secrets": [f"{number}{SECRET}" for number in range(5)]},
        {"public_keys": [public] * 5},
        {"secrets": [SECRET], "public_keys": [public]},
        {"secrets": [SECRET], "signing_key": PRIVATE},
        {"signing_key": PRIVATE},
        {},
    ]
    for arguments in wrong:
        with pytest.raises(ValueError):
            Tokens(**arguments, issuer="i", audience="a", now=lambda: NOW)


def test_who_has_only_public_keys_signs_nothing() -> None:
    with pytest.raises(NoSigningKey, match="no key here to sign"):
        with_key().sign("ada", lifetime=timedelta(hours=1))


def test_a_secret_that_is_too_short_verifies_nothing() -> None:
    refused(forged(claims(), key=b"short"), tokens("short"))


# Algorithms, and keys that the token brings along.


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}, ["HS256"], "HS256 ", "hs256"]
)
@pytest.mark.parametrize("of", [tokens(), with_key()], ids=["secret", "key"])
def test_an_algorithm_of_the_tokens_own_choice_is_refused(alg: object, of: Tokens) -> None:
    refused(forged(claims(), header(alg=alg), sign=lambda _: b""), of)
    refused(forged(claims(), header(alg=alg)), of)


def test_a_token_without_algorithm_or_signature_is_refused() -> None:
    good = forged(claims())
    refused(forged(claims(), {"typ": "JWT"}))
    refused(good.rpartition(".")[0])
    refused(good.rpartition(".")[0] + ".")


@pytest.mark.parametrize(
    "public",
    [
        PRIVATE.public_key().public_bytes_raw(),
        PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["raw", "pem", "pem without line end", "der"],
)
def test_a_public_key_is_no_secret(public: bytes) -> None:
    """The classic: everybody has the public key, and signs with it as if it were a secret."""
    refused(forged(claims(), header(alg="HS256"), key=public), with_key())
    refused(forged(claims(), header(alg="EdDSA"), key=public), with_key())


def test_neither_kind_of_key_takes_the_tokens_of_the_other() -> None:
    refused(forged(claims(), header(alg="EdDSA"), sign=PRIVATE.sign), tokens())
    refused(forged(claims()), with_key())


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_another_hash_with_the_right_secret_is_refused(alg: str) -> None:
    refused(jwt.encode(claims(), SECRET * 2, algorithm=alg), tokens(SECRET * 2))


def test_other_kinds_of_public_keys_are_refused() -> None:
    rsa = generate_private_key(public_exponent=65_537, key_size=2_048)
    refused(jwt.encode(claims(), rsa, algorithm="RS256"))
    refused(jwt.encode(claims(), rsa, algorithm="RS256"), with_key())
    refused(jwt.encode(claims(), Ed448PrivateKey.generate(), algorithm="EdDSA"), with_key())
    pem = rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    refused(forged(claims(), key=pem), with_key())


def own_key(private: Ed25519PrivateKey) -> dict[str, Any]:
    """A public key in the form in which a header can bring it along."""
    return {"kty": "OKP", "crv": "Ed25519", "x": encoded(private.public_key().public_bytes_raw())}


@pytest.mark.parametrize(
    "brought",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'x"},
        {"jku": "https://evil.example/keys.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "oct", "k": encoded(OTHER.encode())}},
    ],
)
def test_what_a_header_says_of_keys_changes_nothing(brought: dict[str, Any]) -> None:
    assert tokens().verify(forged(claims(), header(**brought))).user == "ada"
    refused(forged(claims(), header(**brought), key=OTHER.encode()))
    refused(forged(claims(), header(**brought), key=b"\x00"))


def test_a_key_that_the_token_brings_along_does_not_verify_it() -> None:
    stranger = Ed25519PrivateKey.generate()
    brought = header(alg="EdDSA", jwk=own_key(stranger), kid="1")
    refused(forged(claims(), brought, sign=stranger.sign), with_key())
    assert with_key().verify(forged(claims(), brought, sign=PRIVATE.sign)).user == "ada"


# Headers.


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["exp"]},
        {"crit": ["http://example.org/must"], "http://example.org/must": True},
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"crit": []},
        {"crit": "b64"},
        {"crit": None},
        {"crit": [1]},
    ],
)
def test_an_extension_that_must_be_understood_is_refused(extension: dict[str, Any]) -> None:
    refused(forged(claims(), header(**extension)))


@pytest.mark.parametrize("typ", ["at+jwt", "JWE", "", "JWT ", None, 1, ["JWT"]])
def test_another_kind_of_token_is_refused(typ: object) -> None:
    refused(forged(claims(), header(typ=typ)))


# Claims.


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp"])
def test_a_claim_that_is_missing_is_missed(name: str) -> None:
    refused(forged(claims(**{name: REMOVED})))
    refused(forged(claims(**{name: None})))


def test_a_token_ends_when_it_says_with_some_seconds_for_the_clocks() -> None:
    token = forged(claims(exp=EPOCH + 60))
    end = NOW + timedelta(seconds=60)
    assert tokens(at=end + LEEWAY - SECOND / 1000).verify(token).expires == end
    refused(token, tokens(at=end + LEEWAY))
    refused(token, tokens(at=end + timedelta(days=400)))


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_begins_when_it_says_with_some_seconds_for_the_clocks(name: str) -> None:
    assert tokens().verify(forged(claims(**{name: EPOCH + 5})))
    refused(forged(claims(**{name: EPOCH + 6})))
    assert tokens(at=NOW + SECOND).verify(forged(claims(**{name: EPOCH + 6})))


NO_TIMES: Final[list[object]] = [
    str(EPOCH + 60), float(EPOCH + 60), EPOCH + 60.5, True, False, -1, 253_402_300_800, 2**63, 10**400,
    [EPOCH + 60], {}, "", float("inf"), float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("value", NO_TIMES, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_is_a_whole_number_of_seconds(name: str, value: object) -> None:
    refused(forged(claims(**{name: value})))


def test_a_number_of_ten_thousand_digits_is_no_time() -> None:
    text = json.dumps(claims(exp=0)).replace('"exp": 0', f'"exp": {"9" * 5_000}')
    refused(forged(text.encode()))


@pytest.mark.parametrize(
    "audience",
    [
        "chronoscribe-api",
        "chrono",
        "Chronoscribe",
        "",
        "chronoscribe ",
        ["chronoscribe"],
        ["other", "chronoscribe"],
        {"chronoscribe": 1},
        7,
    ],
)
def test_a_token_is_for_us_alone(audience: object) -> None:
    refused(forged(claims(aud=audience)))


@pytest.mark.parametrize(
    "issuer",
    [
        "chrono",
        "c",
        "",
        "chronoscribe.evil.example",
        "xchronoscribe",
        "CHRONOSCRIBE",
        ["chronoscribe"],
        7,
        {},
    ],
)
def test_a_token_is_by_our_issuer_alone(issuer: object) -> None:
    refused(forged(claims(iss=issuer)))


def test_issuer_and_audience_are_what_is_configured() -> None:
    ours = tokens(issuer="https://id.example.org", audience="notes")
    assert ours.verify(ours.sign("ada", lifetime=SECOND * 60)).user == "ada"
    assert ours.verify(forged(claims(iss="https://id.example.org", aud="notes")))
    refused(forged(claims()), ours)
    refused(forged(claims(iss="https://id.example.org")), ours)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        " ",
        7,
        0,
        True,
        ["ada"],
        {"id": "ada"},
        "a" * 65,
        "a" * 5_000,
        "ada\n",
        "ada\x00",
        "a b",
        "../x",
        "аda",
        "a/b",
    ],
)
def test_a_user_has_an_id(subject: object) -> None:
    refused(forged(claims(sub=subject)))


@pytest.mark.parametrize(
    "value", [False, "true", "True", 1, 1.0, [True], {"admin": True}, "admin", None, "yes"]
)
def test_only_the_one_right_value_makes_an_administrator(value: object) -> None:
    assert not tokens().verify(forged(claims(admin=value))).is_admin


@pytest.mark.parametrize("name", ["role", "roles", "Admin", "is_admin", "isAdmin", "scope"])
@pytest.mark.parametrize("value", [True, "owner", "owner ", ["owner"], "admin"])
def test_other_claims_give_no_right(name: str, value: object) -> None:
    assert not tokens().verify(forged(claims(**{name: value}))).is_admin


def test_true_makes_an_administrator() -> None:
    assert tokens().verify(forged(claims(admin=True))).is_admin


# Shapes.


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "ada",
        "Bearer x",
        "\x00",
        "é" * 10,
        "\ud800",
        "{}",
        forged(claims()) + ".",
        forged(claims()) + "=",
        forged(claims()) + "\n",
        " " + forged(claims()),
        forged(claims()).replace(".", "=."),
        forged(claims()) + "." + "x" * 40,
        forged([]),
        forged("x"),
        forged(b"\xff"),
        forged(b""),
        forged(b"[" * 5_000),
        forged(b'{"a":' * 1_200),
        forged(claims(), b"[" * 5_000),
        forged(claims(), b"\xff"),
        forged(claims(), []),
        forged(claims(), "x"),
    ],
    ids=lambda token: repr(token[:20]),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    refused(token)
    refused(token, with_key())


def test_a_token_has_a_size_and_is_not_looked_at_beyond() -> None:
    def of_size(size: int) -> str:
        fill = (size - len(forged(claims(fill="")))) * 3 // 4
        return forged(claims(fill="x" * fill))

    assert tokens().verify(of_size(TOKEN_BYTES - 8)).user == "ada"
    too_long = of_size(TOKEN_BYTES + 8)
    assert TOKEN_BYTES < len(too_long) < TOKEN_BYTES + 16
    refused(too_long)


GOOD: Final = {
    "secret": forged(claims(name="Ada")),
    "key": forged(claims(), header(alg="EdDSA"), sign=PRIVATE.sign),
}


@pytest.mark.parametrize("kind", ["secret", "key"])
@given(data=st.data())
def test_a_token_that_was_changed_anywhere_is_refused(kind: str, data: st.DataObject) -> None:
    good = GOOD[kind]
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda character: character != good[place]))
    refused(good[:place] + other + good[place + 1 :], tokens() if kind == "secret" else with_key())


@pytest.mark.parametrize("kind", ["secret", "key"])
def test_a_token_with_any_bit_of_any_letter_flipped_is_refused(kind: str) -> None:
    """Also those bits of a last letter that carry nothing."""
    good, of = GOOD[kind], tokens() if kind == "secret" else with_key()
    assert of.verify(good)
    for place, character in enumerate(good):
        for bit in range(7):
            refused(good[:place] + chr(ord(character) ^ 1 << bit) + good[place + 1 :], of)


@given(st.text(max_size=300))
@example("a.b.c")
def test_anything_else_is_refused_and_nothing_breaks(text: str) -> None:
    refused(text)


def test_the_reason_is_logged_without_anything_of_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for token in [
        forged(claims(sub="evil\r\nline"), header()),
        forged(claims(), header(crit=["evil\r\nline"])),
        forged(claims(), header(alg="evil\r\nline")),
        forged(claims(aud="evil\r\nline")),
        forged(claims(exp="evil\r\nline")),
    ]:
        refused(token)
    assert len(caplog.messages) == 5
    assert "evil" not in caplog.text
    assert all(message.startswith("a token was refused: ") for message in caplog.messages)
