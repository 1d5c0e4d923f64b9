"""Certificates of erasure: signed with the key of the checkpoints, and checked with nothing but the file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from infrastructure.proof.checkpoints import BadCheckpoint, from_json, is_signed

if TYPE_CHECKING:  # commands that sign and check nothing start quicker without the library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT: Final = "chronoscribe-erasure"
VERSION: Final = 1

# A line for each room of a person, and one for each key; who sends more has sent something else.
CERTIFICATE_BYTES_MAX: Final = 16_000_000


class BadCertificate(ValueError):  # noqa: N818
    """Something that certifies nothing."""


class Certified(NamedTuple):
    """What a certificate says. Times are microseconds since the epoch."""

    user: str
    at: int
    by: str
    reason: str
    position: int
    """Of the event that says so, in the record."""
    rooms: int
    characters: int
    keys: int
    """How many were destroyed."""
    key: bytes
    """By which it was signed: an Ed25519 public key."""


def sign_certificate(certificate: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The certificate with a signature of all other fields, as JSON with sorted keys and without spaces."""
    signature = key.sign(_signed(certificate))
    return {
        **certificate,
        "key": key.public_key().public_bytes_raw().hex(),
        "signature": base64.b64encode(signature).decode(),
    }


def check_certificate(raw: bytes, trusted: Iterable[bytes] | None = None) -> Certified:
    """Check a file's content; `trusted` are the public keys that count, None for whichever.

    The checkpoints in it are of just after: one of them covers the event that says that all of it was
    done, so that a log which has lost this event is found out. Raises `BadCertificate`.
    """
    try:
        return _check(raw, trusted)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadCertificate):
            raise
        raise BadCertificate("this is no certificate, or a damaged one") from error


def _check(raw: bytes, trusted: Iterable[bytes] | None) -> Certified:
    said = orjson.loads(raw)
    if said["format"] != FORMAT or said["version"] != VERSION:
        raise BadCertificate("this is no certificate of a kind that is known here")
    if "signature" not in said:
        raise BadCertificate("nobody has signed it: the server had no key for it")
    key = _key_of(said)
    if trusted is not None and key not in trusted:
        raise BadCertificate("it is signed by a key that is not trusted")
    _check_checkpoints(said, key)
    return Certified(
        user=said["user"],
        at=said["at"],
        by=said["by"],
        reason=said["reason"],
        position=said["position"],
        rooms=len({one["room"] for one in said["redactions"]} - {""}),
        characters=sum(one["characters"] for one in said["redactions"]),
        keys=len(said["keys"]),
        key=key,
    )


def _key_of(said: Mapping[str, Any]) -> bytes:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = bytes.fromhex(said["key"])
    signature = base64.b64decode(said["signature"], validate=True)
    unsigned = {name: value for name, value in said.items() if name not in {"key", "signature"}}
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _signed(unsigned))
    except InvalidSignature:
        raise BadCertificate("it has not been signed by the key that it names") from None
    return key


def _check_checkpoints(said: Mapping[str, Any], key: bytes) -> None:
    try:
        checkpoints = [from_json(one) for one in said["checkpoints"]]
    except BadCheckpoint:
        raise BadCertificate("its checkpoints are damaged") from None
    if not all(is_signed(one) and one.key == key and one.epoch == said["epoch"] for one in checkpoints):
        raise BadCertificate("its checkpoints are not signed by its key, or of another log")
    if not any(one.log == "record" and one.position >= said["position"] for one in checkpoints):
        raise BadCertificate("its checkpoints do not cover what it says")


def _signed(certificate: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(certificate), option=orjson.OPT_SORT_KEYS)
