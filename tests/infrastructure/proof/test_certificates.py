"""Certificates of erasure: what is signed holds, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.chain import Checkpoint, statement_of
from infrastructure.proof.certificates import BadCertificate, check_certificate, sign_certificate

KEY: Final = Ed25519PrivateKey.generate()
OTHER_KEY: Final = Ed25519PrivateKey.generate()
PUBLIC: Final = KEY.public_key().public_bytes_raw()
AT: Final = 1_764_300_000_000_000


def checkpoint(
    *, epoch: str = "e1", log: str = "record", position: int = 100, key: Ed25519PrivateKey = KEY
) -> dict[str, Any]:
    link = bytes(range(32))
    signature = key.sign(statement_of(epoch, log, position, AT, link))
    public = key.public_key().public_bytes_raw()
    return Checkpoint(epoch, log, position, AT, link, public, signature).as_json()


def certificate(**changed: Any) -> dict[str, Any]:
    return {
        "format": "chronoscribe-erasure",
        "version": 1,
        "epoch": "e1",
        "user": "ben",
        "at": AT,
        "by": "root",
        "reason": "asked for it",
        "position": 99,
        "redactions": [
            {"room": "demo", "redaction": "r1", "position": 97, "characters": 40},
            {"room": "lab", "redaction": "r2", "position": 98, "characters": 2},
        ],
        "keys": [{"key": "k1", "room": "demo"}],
        "checkpoints": [checkpoint(log="presence", position=3), checkpoint()],
        **changed,
    }


def signed(**changed: Any) -> dict[str, Any]:
    return sign_certificate(certificate(**changed), KEY)


def test_what_is_signed_is_told() -> None:
    for trusted in (None, [PUBLIC]):
        told = check_certificate(orjson.dumps(signed(), option=orjson.OPT_INDENT_2), trusted)
        assert told == ("ben", AT, "root", "asked for it", 99, 2, 42, 1, PUBLIC)


@pytest.mark.parametrize("field", sorted(certificate()))
def test_a_field_that_was_changed_is_noticed(field: str) -> None:
    values: list[Any] = ["x", 7, None, []]
    for value in values:
        with pytest.raises(BadCertificate):
            check_certificate(orjson.dumps({**signed(), field: value}))
    without = signed()
    del without[field]
    with pytest.raises(BadCertificate):
        check_certificate(orjson.dumps(without))


FORGED: Final[dict[str, tuple[Callable[[], dict[str, Any]], str]]] = {
    "nobody has signed": (certificate, "nobody has signed it"),
    "another key is named": (
        lambda: {**signed(), "key": OTHER_KEY.public_key().public_bytes_raw().hex()},
        "not been signed by the key that it names",
    ),
    "no signature at all": (
        lambda: {**signed(), "signature": base64.b64encode(bytes(64)).decode()},
        "not been signed",
    ),
    "checkpoints of another key": (
        lambda: signed(checkpoints=[checkpoint(key=OTHER_KEY)]),
        "not signed by its key",
    ),
    "checkpoints of another epoch": (lambda: signed(checkpoints=[checkpoint(epoch="e2")]), "of another log"),
    "checkpoints from before": (lambda: signed(checkpoints=[checkpoint(position=98)]), "do not cover"),
    "of the other log only": (lambda: signed(checkpoints=[checkpoint(log="presence")]), "do not cover"),
    "no checkpoints": (lambda: signed(checkpoints=[]), "do not cover"),
    "damaged checkpoints": (lambda: signed(checkpoints=[{"log": "record"}]), "damaged"),
    "another version": (lambda: signed(version=2), "no certificate of a kind that is known"),
}


@pytest.mark.parametrize("how", list(FORGED))
def test_what_does_not_hold_is_refused(how: str) -> None:
    make, reason = FORGED[how]
    with pytest.raises(BadCertificate, match=reason):
        check_certificate(orjson.dumps(make()))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"\xff"])
def test_what_is_no_certificate_is_refused(raw: bytes) -> None:
    with pytest.raises(BadCertificate, match="no certificate"):
        check_certificate(raw)


def test_a_key_that_is_not_trusted_certifies_nothing() -> None:
    with pytest.raises(BadCertificate, match="not trusted"):
        check_certificate(orjson.dumps(signed()), [OTHER_KEY.public_key().public_bytes_raw()])
