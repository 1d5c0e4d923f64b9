"""Tokens (JWT): who somebody is, signed by whoever keeps the accounts.

Signed with a secret that both sides have (HS256) or with a private key of which we have the public one
(EdDSA, Ed25519). Which of the two it is says the configuration, never the token: a server that takes both
can be shown a token that is "signed" with its public key, as if that were a secret. Of a token's header
only `alg` and `typ` are looked at; keys come from the configuration alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from application.identity import Identity
from domain.errors import Unauthenticated
from domain.ids import is_id
from domain.names import as_name
from infrastructure.keys import KEYS_MAX, read_public_keys, read_signing_key
from infrastructure.settings import Settings

logger = logging.getLogger(__name__)

# What we ask for is a few hundred bytes; some issuers put the groups of a large company into it.
TOKEN_BYTES: Final = 8 * 1024

# Three parts in base64 without padding, which PyJWT would let through.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# How far the issuer's clock may be from ours.
LEEWAY: Final = timedelta(seconds=5)

# The last second that a datetime can hold.
_SECONDS_MAX: Final = 253_402_300_799

# Times are compared by us, with our clock and as whole numbers only: PyJWT has no clock to be given, and
# takes "1e9", 1.5 and true for times.
_OPTIONS: Final[Any] = {
    "require": ["exp", "iat", "sub", "aud", "iss"],
    "strict_aud": True,
    "enforce_minimum_key_length": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class NoSigningKey(Exception):  # noqa: N818
    """Tokens can be verified here, but not made."""


class Tokens:
    """Verifies tokens, and signs them where there is a key for it: the first of `secrets`, or `signing_key`.

    Each of up to four keys is tried, so that an old one can go on for a while beside a new one.
    """

    def __init__(
        self,
        secrets: Sequence[str] = (),
        public_keys: Sequence[Ed25519PublicKey] = (),
        *,
        signing_key: Ed25519PrivateKey | None = None,
        issuer: str,
        audience: str,
        now: Callable[[], datetime],
    ) -> None:
        if bool(secrets) == bool(public_keys) or (secrets and signing_key is not None):
            raise ValueError("tokens need secrets or Ed25519 keys, and not both")
        if len(secrets or public_keys) > KEYS_MAX:
            raise ValueError(f"more than {KEYS_MAX} keys")
        self._algorithm = "HS256" if secrets else "EdDSA"
        self._keys: tuple[Any, ...] = tuple(secrets or public_keys)
        self._signing_key: Any = secrets[0] if secrets else signing_key
        self._issuer = issuer
        self._audience = audience
        self._now = now

    def verify(self, token: str) -> Identity:
        """Who shows this token. Raises `Unauthenticated`, and does not say why."""
        if len(token) > TOKEN_BYTES or _TOKEN.fullmatch(token) is None:
            raise _refusal("its size or letters")
        for key in self._keys:
            try:
                return self._identity(self._claims(token, key))
            except jwt.InvalidSignatureError:
                continue
            except jwt.PyJWTError as error:
                # The name only: the text may quote the token.
                raise _refusal(type(error).__name__) from None
        raise _refusal("signed with a key that we do not have")

    def _claims(self, token: str, key: Any) -> dict[str, Any]:
        decoded = jwt.decode_complete(
            token,
            key,
            algorithms=[self._algorithm],
            audience=self._audience,
            issuer=self._issuer,
            options=_OPTIONS,
        )
        _check_header(decoded["header"])
        claims: dict[str, Any] = decoded["payload"]
        return claims

    def _identity(self, claims: dict[str, Any]) -> Identity:
        now = self._now()
        expires = _moment(claims, "exp")
        issued = _moment(claims, "iat")
        if expires <= now - LEEWAY:
            raise _refusal("it has expired")
        if issued > now + LEEWAY or ("nbf" in claims and _moment(claims, "nbf") > now + LEEWAY):
            raise _refusal("it is from the future")
        user = claims["sub"]
        if not isinstance(user, str) or not is_id(user):
            raise _refusal("sub is no id")
        name = claims.get("name")
        return Identity(
            user=user,
            name=as_name(name) if isinstance(name, str) else None,
            issued=issued,
            expires=expires,
            is_admin=claims.get("admin") is True,
        )

    def sign(self, user: str, *, name: str | None = None, lifetime: timedelta, is_admin: bool = False) -> str:
        """A token that begins now. Raises `NoSigningKey`."""
        if self._signing_key is None:
            raise NoSigningKey("there is no key here to sign tokens with, only keys to verify them")
        assert is_id(user), user
        begins = int(self._now().timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "iat": begins,
            "exp": begins + int(lifetime.total_seconds()),
        }
        if name is not None:
            claims["name"] = name
        if is_admin:
            claims["admin"] = True
        return jwt.encode(claims, self._signing_key, algorithm=self._algorithm)


def tokens_of(settings: Settings, *, guest_secret: str | None, now: Callable[[], datetime]) -> Tokens:
    """Tokens with the keys of `settings`; in development with `guest_secret`, which nobody else needs.

    Raises `ValueError` when a key's file has become unreadable since the settings were checked.
    """
    secrets = [secret.get_secret_value() for secret in settings.auth_secrets]
    if settings.is_development:
        assert guest_secret is not None
        secrets = [guest_secret]
    public, private = settings.auth_public_keys, settings.auth_signing_key
    return Tokens(
        secrets,
        read_public_keys(public) if public is not None else (),
        signing_key=read_signing_key(private) if private is not None else None,
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        now=now,
    )


def _check_header(header: dict[str, Any]) -> None:
    """Refuse what must be understood and is not: we know no extension at all."""
    if "crit" in header or "b64" in header:
        raise _refusal("extensions in its header")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise _refusal("its typ")


def _moment(claims: dict[str, Any], name: str) -> datetime:
    """The time that a claim holds: whole seconds since the epoch, as a number."""
    seconds = claims[name]
    if type(seconds) is not int or not 0 <= seconds <= _SECONDS_MAX:
        raise _refusal(f"{name} is no time")
    return datetime.fromtimestamp(seconds, UTC)


def _refusal(why: str) -> Unauthenticated:
    """`why` is for those who run the server, and holds nothing of the token."""
    logger.info("a token was refused: %s", why)
    return Unauthenticated()
