"""What tokens are signed and verified with: PEM files of Ed25519 keys, and secrets that nobody can guess.

All raise `ValueError` with a reason that says nothing of the key itself.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:  # most commands need no keys, and start quicker without the library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# One in use, one to come, and two that are on their way out. Each costs a try for every bad token.
KEYS_MAX: Final = 4

# Of AES-256.
KEY_BYTES: Final = 32

# HS256 is as strong as its secret up to 256 bits.
SECRET_BYTES: Final = 32

# Of 32 random hexadecimal digits fewer are different once in 10,000 times, of random base64 never.
DISTINCT_CHARACTERS: Final = 10

# Documents and tutorials make their examples of these. They stand in a random secret as good as never.
_SAMPLE_WORDS: Final = (
    "secret",
    "changeme",
    "password",
    "example",
    "256bit",
    "jwttoken",
    "yourkey",
    "chronoscribe",
)

# A key file is a few hundred bytes.
_FILE_BYTES: Final = 64 * 1024

_PEM: Final = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


def check_secret(secret: str) -> None:
    """Raise `ValueError` for a secret that somebody could guess."""
    if not secret.isascii() or not secret.isprintable():
        raise ValueError("a secret is written in ASCII, without controls")
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"a secret has at least {SECRET_BYTES} bytes")
    letters = "".join(character for character in secret.lower() if character.isalnum())
    if any(word in letters for word in _SAMPLE_WORDS):
        raise ValueError("this secret looks like one from a manual; make a random one")
    if len(set(secret)) < DISTINCT_CHARACTERS or _is_pattern(secret):
        raise ValueError("this secret is a pattern and can be guessed; make a random one")


def _is_pattern(secret: str) -> bool:
    """Whether it is one piece again and again, or mostly runs as `abcdef` and `987654`."""
    steps = [ord(after) - ord(before) for before, after in pairwise(secret)]
    is_repeated = secret in (secret + secret)[1:-1]
    return is_repeated or 4 * sum(abs(step) <= 1 for step in steps) > 3 * len(steps)


def read_public_keys(path: Path) -> list[Ed25519PublicKey]:
    """The keys of a PEM file, one to four."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    blocks = _blocks(path, "PUBLIC KEY")
    if not 1 <= len(blocks) <= KEYS_MAX:
        raise ValueError(f"{path} holds {len(blocks)} public keys, not 1 to {KEYS_MAX}")
    keys = [_loaded(path, partial(load_pem_public_key, block)) for block in blocks]
    return [key for key in keys if isinstance(key, Ed25519PublicKey) or _refuse_kind(path)]


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file, which is not encrypted."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    blocks = _blocks(path, "PRIVATE KEY")
    if len(blocks) != 1:
        raise ValueError(f"{path} holds {len(blocks)} unencrypted private keys, not one")
    key = _loaded(path, partial(load_pem_private_key, blocks[0], password=None))
    return key if isinstance(key, Ed25519PrivateKey) else _refuse_kind(path)


def read_master_key(path: Path) -> bytes:
    """32 bytes in base64."""
    try:
        with path.open("rb") as file:
            key = base64.b64decode(file.read(_FILE_BYTES).strip(), validate=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds no key: {KEY_BYTES} random bytes in base64")
    return key


def write_once(path: Path, content: bytes) -> None:
    """Make a file that only we can read. Of two who make it at once, one is first."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        pass
    finally:
        aside.unlink()


def _blocks(path: Path, label: str) -> list[bytes]:
    """The PEM blocks of that label; there must be no others."""
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    found = list(_PEM.finditer(data))
    if any(block[1] != label.encode() for block in found):
        raise ValueError(f"{path} holds something else than a {label}")
    return [block[0] for block in found]


def _loaded(path: Path, load: Callable[[], object]) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"{path} holds a broken key") from None


def _refuse_kind(path: Path) -> NoReturn:
    raise ValueError(f"{path} holds a key that is not Ed25519")
