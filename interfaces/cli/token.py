"""`chronoscribe token`: a token for somebody, to try things and for programs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.ids import is_id
from domain.names import as_name
from infrastructure.postgres.tickets import guest_secret
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import add_data_argument, open_history, settings_of

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LIFETIME: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)

# A token cannot be taken back by itself, only together with the key that has signed it.
LIFETIME_MAX: Final = timedelta(days=365)


def add_to(commands: Any) -> None:
    token = commands.add_parser("token", help="print a token for a user")
    token.add_argument("user", metavar="USER", type=user_id, help="the user's id")
    token.add_argument("--name", type=user_name, help="what others see beside what the user does")
    token.add_argument("--admin", action="store_true", help="may use the routes of operators from anywhere")
    token.add_argument(
        "--for",
        dest="lifetime",
        type=lifetime,
        default="1h",
        metavar="TIME",
        help="such as 10m, 1h (default), 30d",
    )
    add_data_argument(token)
    token.set_defaults(run=_token)


def user_id(text: str) -> str:
    if not is_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id: 1 to 64 of A-Z a-z 0-9 _ -")
    return text


def user_name(text: str) -> str:
    name = as_name(text)
    if name is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no name: at most 64 characters, all of them visible")
    return name


def lifetime(text: str) -> timedelta:
    match = _LIFETIME.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 10m, 1h or 30d")
    found = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if found > LIFETIME_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is more than {LIFETIME_MAX.days} days")
    return found


def _token(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return token(given)


async def token(given: argparse.Namespace) -> int:
    from infrastructure.tokens import NoSigningKey, tokens_of  # the other commands start quicker without it

    settings = settings_of(given)
    secret = await _guest_secret(settings) if settings.is_development else None
    tokens = tokens_of(settings, guest_secret=secret, now=lambda: datetime.now(UTC))
    try:
        print(tokens.sign(given.user, name=given.name, lifetime=given.lifetime, is_admin=given.admin))
    except NoSigningKey as error:
        raise CommandFailed(f"{error}; set CHRONOSCRIBE_AUTH_SIGNING_KEY") from None
    return 0


async def _guest_secret(settings: Settings) -> str:
    """That of the store, which the server on it has too."""
    async with open_history(settings) as (_, database):
        return await guest_secret(database)
