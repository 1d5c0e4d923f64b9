"""Who somebody is: whoever cannot show it is told no more than that, costs next to nothing, and gains nothing
by anything that a token, a ticket or an address can say.

Attackers come through the proxy, each from an address of its own, since wrong credentials are counted by
address.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, Final

import psycopg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from interfaces.pyclient.client import Client
from interfaces.pyclient.notices import Status, StatusChanged
from interfaces.pyclient.reconnect import Backoff
from tests.acceptance.accounts import (
    NAME,
    PROXY,
    SECRET,
    Accounts,
    Visitor,
    claims_of,
    hs256,
    part,
    token,
)
from tests.acceptance.conftest import CONNECTIONS_PER_ADDRESS, CONNECTIONS_PER_USER
from tests.acceptance.raw_sockets import RawSocket, ask, connect_tcp, upgrade
from tests.acceptance.witnesses import ATTACKED_ROOM, CANARY, Witnesses, witnesses
from tests.guests import Guest
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a stranger is told, and that the socket ends.
AT_ONCE_SECONDS: Final = 2.0

# As long as a ticket, and never one.
NO_TICKET: Final = "t" * 43

# What an address may show wrongly in a minute.
FAILURES: Final = 10

# Looked at once a second; and some for a busy machine.
EXPIRY_SECONDS: Final = 4.0

HEADER: Final = {"alg": "HS256", "typ": "JWT"}
QUICKLY: Final = Backoff(first=0.05, base=0.05, most=0.2)

_numbers = count(1)


@pytest.fixture(scope="module")
def accounts(accounts_server: ServerProcess) -> Accounts:
    return Accounts(accounts_server.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(accounts_server: ServerProcess, accounts: Accounts) -> AsyncIterator[Witnesses]:
    async with witnesses(accounts_server, accounts) as people:
        yield people


@pytest.fixture
def visitor(accounts_server: ServerProcess) -> Visitor:
    return Visitor(accounts_server.url)


@pytest.fixture
def mallory(accounts: Accounts) -> Guest:
    """A user whom nobody has seen yet."""
    return accounts.user(f"mallory-{next(_numbers)}")


async def is_ended(socket: RawSocket) -> None:
    """A stranger is told one thing, and then the socket ends."""
    assert await socket.closed(AT_ONCE_SECONDS) == 4501
    [told] = [json.loads(heard) for heard in socket.heard if heard.startswith(b"{")]
    assert (told["type"], told["code"]) == ("error", "E_AUTH")
    assert told["message"] == "the credentials are missing, wrong or too old"


# Without credentials.


HELLO: Final = {"type": "hello", "ref": 1, "protocol": 1, "client": "stranger"}


async def test_who_shows_nothing_good_is_ended_at_once(people: Witnesses, visitor: Visitor) -> None:
    for first in (
        HELLO,
        HELLO | {"ticket": NO_TICKET},
        HELLO | {"ticket": ""},
        HELLO | {"ticket": "x" * 10_000},
        HELLO | {"ticket": None},
        HELLO | {"protocol": 2, "ticket": NO_TICKET, "user": "host"},
        {"type": "refresh", "ref": 1, "ticket": NO_TICKET},
        {"type": "ping", "ref": 1},
    ):
        socket = await visitor.connect(ATTACKED_ROOM)
        async with socket, people.undisturbed(socket):
            await socket.send_json(**first)
            await is_ended(socket)


async def test_a_wrong_ticket_is_ended_without_a_word_from_its_holder(
    people: Witnesses, visitor: Visitor
) -> None:
    for ticket in (NO_TICKET, "", "x", f"{NO_TICKET}, ticket.{NO_TICKET}"):
        socket = await visitor.connect(ATTACKED_ROOM, ticket=ticket)
        async with socket, people.undisturbed(socket):
            await is_ended(socket)


async def test_whether_there_is_such_a_room_is_not_told_to_strangers(
    people: Witnesses, visitor: Visitor
) -> None:
    heard = []
    for room in (ATTACKED_ROOM, "no-such-room"):
        socket = await visitor.connect(room)
        async with socket, people.undisturbed(socket):
            await socket.send_json(**HELLO)
            await is_ended(socket)
            heard.append(socket.heard)
    assert heard[0] == heard[1]


@pytest.mark.parametrize("ticket", [None, NO_TICKET], ids=["silent so far", "with a wrong ticket"])
async def test_nothing_is_kept_of_what_comes_before_anybody_is_known(
    people: Witnesses, visitor: Visitor, ticket: str | None
) -> None:
    """10 MB in frames that each would be allowed, the second of them before the first is answered."""
    socket = await visitor.connect(ATTACKED_ROOM, ticket=ticket)
    async with socket, people.undisturbed(socket):
        storm = json.dumps(HELLO | {"ticket": NO_TICKET}).ljust(8_000)
        await socket.send_storm([storm] * 1_300)
        # The rest of what we send makes the kernel forget what the server said before it closed.
        assert await socket.closed() in {4501, None}
        assert sum(b"E_AUTH" in heard for heard in socket.heard) <= 1


async def test_a_stranger_may_not_send_a_large_frame(people: Witnesses, visitor: Visitor) -> None:
    socket = await visitor.connect(ATTACKED_ROOM)
    async with socket, people.undisturbed(socket):
        await socket.send(json.dumps(HELLO).ljust(8 * 1024 + 1))
        await is_ended(socket)


# Tokens.


def good(**claims: Any) -> str:
    return token(HEADER, claims_of("mallory", **claims), hs256())


def with_header(sign: Callable[[bytes], bytes] | None = None, **header: Any) -> str:
    return token(HEADER | header, claims_of("mallory"), sign or hs256())


def at(seconds: int) -> int:
    return int(time.time()) + seconds


OTHER_KEY: Final = "zQ8sT2mVx5KwB9rLn4Hj7Fd3GcYp6UaE"

BAD_TOKENS: Final[dict[str, Callable[[], str]]] = {
    # Signed by nobody, by somebody else, or otherwise.
    "alg none": lambda: token({"alg": "none"}, claims_of("mallory"), None),
    "alg nOnE": lambda: token({"alg": "nOnE"}, claims_of("mallory"), None),
    "alg none and signed": lambda: with_header(alg="none"),
    "no alg": lambda: token({"typ": "JWT"}, claims_of("mallory"), hs256()),
    "a list of algs": lambda: with_header(alg=["HS256"]),
    "HS512": lambda: with_header(alg="HS512"),
    "EdDSA": lambda: with_header(alg="EdDSA"),
    "not signed": lambda: token(HEADER, claims_of("mallory"), None),
    "signed by somebody else": lambda: with_header(hs256(OTHER_KEY)),
    "signed with nothing": lambda: with_header(hs256("")),
    "a signature of something else": lambda: good().rpartition(".")[0] + "." + good(x=1).rpartition(".")[2],
    "half a signature": lambda: good()[:-20],
    # What a header asks for.
    "an unknown extension": lambda: with_header(crit=["exp"]),
    "an extension without a name": lambda: with_header(crit=[]),
    "a payload that is no base64": lambda: with_header(b64=False),
    "another typ": lambda: with_header(typ="at+jwt"),
    "a key in the header": lambda: with_header(
        hs256(OTHER_KEY), jwk={"kty": "oct", "k": part(OTHER_KEY.encode())}
    ),
    "a key by a path": lambda: with_header(hs256(b""), kid="../../../../dev/null"),
    "a key by SQL": lambda: with_header(hs256("x"), kid="' UNION SELECT 'x' --"),
    # When.
    "ended": lambda: good(exp=at(-7)),
    "not begun": lambda: good(nbf=at(60)),
    "issued in the future": lambda: good(iat=at(60)),
    "without an end": lambda: good(exp=None),
    "without a beginning": lambda: good(iat=None),
    "an end in words": lambda: good(exp="never"),
    "an end in digits": lambda: good(exp=str(at(60))),
    "an end that is true": lambda: good(exp=True),
    "an end with a point": lambda: good(exp=at(60) + 0.5),
    "an end beyond all time": lambda: good(exp=10**30),
    "an end before all time": lambda: good(exp=-1),
    "an end that is null": lambda: token(HEADER, claims_of("mallory") | {"exp": None}, hs256()),
    # For whom, from whom.
    "for somebody else": lambda: good(aud="other"),
    "for nobody": lambda: good(aud=None),
    "for us and others": lambda: good(aud=[NAME, "other"]),
    "for a part of us": lambda: good(aud=NAME[:-1]),
    "from somebody else": lambda: good(iss="other"),
    "from nobody": lambda: good(iss=None),
    "from a part of our issuer": lambda: good(iss=NAME[:-1]),
    "from more than our issuer": lambda: good(iss=f"{NAME}.evil.example"),
    "from a list": lambda: good(iss=[NAME]),
    # Whose.
    "nobody's": lambda: good(sub=None),
    "an empty user's": lambda: good(sub=""),
    "number 1's": lambda: good(sub=1),
    "a list's": lambda: good(sub=["mallory"]),
    "somebody above": lambda: good(sub="../host"),
    "the server's": lambda: good(sub="@server"),
    "a look-alike's": lambda: good(sub="h\u043est"),
    "somebody with NUL": lambda: good(sub="host\x00"),
    "somebody with a line end": lambda: good(sub="host\n"),
    "somebody of 5 KB": lambda: good(sub="m" * 5_000),
    # Shapes.
    "claims that are a list": lambda: token(HEADER, ["mallory"], hs256()),
    "claims that are a text": lambda: token(HEADER, "mallory", hs256()),
    "claims that are no JSON": lambda: _signed(f"{part(json.dumps(HEADER).encode())}.{part(b'{')}"),
    "a header that is no JSON": lambda: _signed(f"{part(b'{')}.{part(json.dumps(claims_of('m')).encode())}"),
    "a deep header": lambda: _signed(f"{part(b'[' * 5_000)}.{part(json.dumps(claims_of('m')).encode())}"),
    "deep claims": lambda: _signed(f"{part(json.dumps(HEADER).encode())}.{part(b'[' * 5_000)}"),
    "a number in 5,000 digits": lambda: _signed(f"{part(json.dumps(HEADER).encode())}.{part(b'9' * 5_000)}"),
    "two parts": lambda: good().rpartition(".")[0],
    "four parts": lambda: f"{good()}.x",
    "five parts": lambda: "a.b.c.d.e",
    "words": lambda: CANARY,
    "nothing": lambda: "",
    "padding": lambda: f"{good()}=",
    "5 KB of a name": lambda: good(sub=f"{CANARY}." * 300),
}


def _signed(both: str) -> str:
    return f"{both}.{part(hs256()(both.encode()))}"


async def test_a_bad_token_is_refused_and_not_told_why(people: Witnesses, accounts: Accounts) -> None:
    url = people.server.url
    async with people.undisturbed():
        refusal = await Visitor(url).ask("GET", "/api/me")
        assert (refusal.status, refusal.headers["www-authenticate"]) == (401, "Bearer")
        for name, bad in BAD_TOKENS.items():
            visitor = Visitor(url)  # whoever goes on trying is not listened to
            for method, path in (("GET", "/api/me"), ("POST", "/api/tickets")):
                found = await visitor.ask(method, path, token=bad())
                assert (found.status, found.body) == (401, refusal.body), name
        visitor = Visitor(url)
        for scheme in ("Basic", "Bearer Bearer", "Token", ""):
            headers = {"Authorization": f"{scheme} {good()}"}
            assert (await visitor.ask("GET", "/api/me", headers=headers)).body == refusal.body
        for fine in (good(), good(exp=at(-1)), good(nbf=at(3)), good(iat=at(3))):  # clocks differ a little
            assert (await visitor.ask("GET", "/api/me", token=fine)).status == 200


async def test_where_a_token_wants_its_key_to_be_found_is_not_looked_at(
    people: Witnesses, visitor: Visitor
) -> None:
    asked = asyncio.Event()
    listening = await asyncio.start_server(lambda *_: asked.set(), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/keys"
    async with listening, people.undisturbed():
        for key, status in ((SECRET, 200), (OTHER_KEY, 401)):
            told = {"jku": address, "x5u": address, "kid": address, "jwk": {"kty": "oct", "k": "AAAA"}}
            found = await visitor.ask("GET", "/api/me", token=with_header(hs256(key), **told))
            assert found.status == status
        assert not asked.is_set()


async def test_a_public_key_is_no_secret(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that takes both kinds of keys could be shown a token "signed" with what everybody knows."""
    key = Ed25519PrivateKey.generate()
    public, form = key.public_key(), serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, form)
    path = tmp_path_factory.mktemp("keys") / "public.pem"
    path.write_bytes(pem)
    forged = [pem, pem.strip(), public.public_bytes(serialization.Encoding.DER, form), _raw(public), b""]
    server = running_server(database_url=new_database(), auth_public_keys=path, behind_proxy=f"{PROXY}/32")
    with server as running:
        accounts = Accounts(running.url, "EdDSA", key.sign)
        async with witnesses(running, accounts) as people, people.undisturbed():
            for secret in forged:
                visitor = Visitor(running.url)
                for alg in ("HS256", "EdDSA", "none"):
                    bad = token({"alg": alg, "typ": "JWT"}, claims_of("mallory"), hs256(secret))
                    assert (await visitor.ask("GET", "/api/me", token=bad)).status == 401
            visitor = Visitor(running.url)
            for bad in (
                Accounts(running.url, "EdDSA", Ed25519PrivateKey.generate().sign).token("mallory"),
                token({"alg": "none"}, claims_of("mallory"), None),
                token({"alg": "HS256", "jwk": {"kty": "oct"}}, claims_of("mallory"), key.sign),
                good(),
            ):
                assert (await visitor.ask("GET", "/api/me", token=bad)).status == 401
            assert (await visitor.ask("GET", "/api/me", token=accounts.token("mallory"))).status == 200


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


NO_RIGHTS: Final[dict[str, dict[str, Any]]] = {
    "admin in words": {"admin": "true"},
    "admin in numbers": {"admin": 1},
    "admin in a list": {"admin": [True]},
    "admin false": {"admin": False},
    "is_admin": {"is_admin": True, "administrator": True, "Admin": True},
    "a role": {"role": "owner"},
    "a role with a blank": {"role": "owner "},
    "roles": {"role": ["owner"], "roles": ["owner", "admin"], "groups": ["admin"]},
    "scopes": {"scope": "admin owner", "scp": ["admin"]},
    "rooms": {"rooms": {"private": "owner"}, "members": {"private": "owner"}},
    "another user": {"user": "host", "actor": "host", "act": {"sub": "host"}},
}


async def test_what_a_token_claims_gives_no_rights(
    people: Witnesses, accounts: Accounts, visitor: Visitor
) -> None:
    await asyncio.to_thread(people.host.create_room, "private", everyone=None)
    async with people.undisturbed():
        for name, claims in NO_RIGHTS.items():
            user = f"climber-{next(_numbers)}"
            held = accounts.token(user, **claims)
            me = (await visitor.ask("GET", "/api/me", token=held)).json
            assert (me["user"], me["is_admin"]) == (user, False), name
            for method, path, body, status in (
                ("POST", "/api/users/host/disable", {}, 404),
                ("GET", "/metrics", None, 404),
                ("GET", "/api/rooms/private", None, 404),
                ("PUT", f"/api/rooms/private/members/{user}", {"role": "owner"}, 404),
                ("PATCH", f"/api/rooms/{ATTACKED_ROOM}", {"title": "Mine"}, 403),
                ("PUT", f"/api/rooms/{ATTACKED_ROOM}/members/{user}", {"role": "owner"}, 403),
                ("DELETE", f"/api/rooms/{ATTACKED_ROOM}", None, 403),
            ):
                answer = await visitor.ask(method, path, token=held, body=body)
                assert answer.status == status, (name, method, path)


# Tickets.


async def a_ticket(held: Guest, visitor: Visitor, **headers: str) -> str:
    answer = await visitor.ask("POST", "/api/tickets", token=held.token, headers=headers)
    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json["ticket"])


async def lets_in(visitor: Visitor, ticket: str, **headers: str) -> bool:
    """Whether a ticket lets in, offered with the upgrade."""
    async with await visitor.connect(ATTACKED_ROOM, ticket=ticket, **headers) as socket:
        await socket.send_json(**HELLO | {"client": f"client-{next(_numbers)}"})
        frame = await socket.receive_json()
        if frame["type"] == "welcome":
            return True
        assert frame["code"] == "E_AUTH"
        assert await socket.closed() == 4501
        return False


async def lets_in_with_hello(visitor: Visitor, ticket: str) -> bool:
    async with await visitor.connect(ATTACKED_ROOM) as socket:
        hello = HELLO | {"client": f"client-{next(_numbers)}", "ticket": ticket}
        await socket.send_json(**hello)
        frame = await socket.receive_json()
        return bool(frame["type"] == "welcome")


async def test_a_ticket_is_good_once(people: Witnesses, visitor: Visitor, mallory: Guest) -> None:
    async with people.undisturbed():
        for first, again in ((lets_in, lets_in_with_hello), (lets_in_with_hello, lets_in)):
            ticket = await a_ticket(mallory, visitor)
            assert await first(visitor, ticket)
            assert not await again(visitor, ticket)
            assert not await first(visitor, ticket)
        ticket = await a_ticket(mallory, visitor)
        assert sorted(await asyncio.gather(*(lets_in(visitor, ticket) for _ in range(4)))) == [
            False, False, False, True,
        ]  # fmt: skip


async def test_a_ticket_is_good_for_half_a_minute(
    people: Witnesses, visitor: Visitor, mallory: Guest
) -> None:
    async with people.undisturbed():
        for seconds, is_good in ((25, True), (30, False)):
            ticket = await a_ticket(mallory, visitor)
            url = people.server.environment["DATABASE_URL"]
            async with await psycopg.AsyncConnection.connect(url) as connection:
                await connection.execute(
                    "UPDATE tickets SET expires_at = expires_at - make_interval(secs => %s)"
                    " WHERE user_name = %s",
                    (seconds, mallory.user),
                )
            assert await lets_in(visitor, ticket) is is_good


async def test_a_ticket_is_good_where_it_was_bought(
    people: Witnesses, visitor: Visitor, mallory: Guest
) -> None:
    own = people.server.url
    browser = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"
    page = {"Origin": own, "User-Agent": browser}
    program = {"User-Agent": "curl/8"}
    async with people.undisturbed():
        for bought, shown in (
            (page, {"User-Agent": browser}),  # no page
            ({"User-Agent": browser}, page),
            (page, page | program),  # another kind of program
            (program, {"User-Agent": browser}),
        ):
            ticket = await a_ticket(mallory, visitor, **bought)
            names = {name.replace("-", "_"): value for name, value in shown.items()}
            assert not await lets_in(visitor, ticket, **names)
            # It is used up by that.
            right = {name.replace("-", "_"): value for name, value in bought.items()}
            assert not await lets_in(Visitor(own), ticket, **right)
        ticket = await a_ticket(mallory, visitor, **page)
        assert await lets_in(Visitor(own), ticket, Origin=own, User_Agent=browser)


async def test_a_token_is_no_ticket_and_a_ticket_no_token(
    people: Witnesses, visitor: Visitor, mallory: Guest
) -> None:
    async with people.undisturbed():
        ticket = await a_ticket(mallory, visitor)
        assert (await visitor.ask("GET", "/api/me", token=ticket)).code == "E_AUTH"
        assert (await visitor.ask("POST", "/api/tickets", token=ticket)).code == "E_AUTH"
        assert await lets_in(visitor, ticket)  # nothing was lost by it
        assert not await lets_in(visitor, mallory.token)
        assert not await lets_in_with_hello(visitor, mallory.token)
        bearer = {"Authorization": f"Bearer {mallory.token}"}
        async with await visitor.connect(ATTACKED_ROOM, **bearer) as socket:
            await socket.send_json(**HELLO)
            await is_ended(socket)
    assert mallory.token not in people.server.output
    assert ticket not in people.server.output


# What is shown where it does not belong.


async def test_what_stands_in_an_address_is_no_credential_and_not_logged(
    people: Witnesses, visitor: Visitor, mallory: Guest
) -> None:
    ticket = await a_ticket(mallory, visitor)
    async with people.undisturbed():
        for name in ("token", "access_token", "ticket", "jwt", "Authorization"):
            alone = await visitor.ask("GET", f"/api/me?{name}={mallory.token}")
            assert (alone.status, alone.code) == (401, "E_AUTH")
            both = await visitor.ask("GET", f"/api/me?{name}={mallory.token}", token=mallory.token)
            assert (both.status, both.code) == (422, "E_SCHEMA")
            assert mallory.token.encode() not in both.body
            for secret, shown in ((ticket, {}), (mallory.token, {}), (CANARY, {"ticket": ticket})):
                path = f"{ATTACKED_ROOM}?{name}={secret}"
                async with await Visitor(visitor.url).connect(path, **shown) as socket:
                    assert await socket.closed(AT_ONCE_SECONDS) == 4501
    for secret in (mallory.token, ticket, *mallory.token.split(".")[1:]):
        assert secret not in people.server.output
    assert await lets_in(visitor, ticket)


# Those who go on trying.


async def test_an_address_that_goes_on_trying_is_not_listened_to_for_a_while(
    people: Witnesses, visitor: Visitor, mallory: Guest
) -> None:
    other = Visitor(visitor.url)
    async with people.undisturbed():
        answers = [await visitor.ask("GET", "/api/me", token=good(sub=f"u{n}")[:-1]) for n in range(50)]
        assert [answer.status for answer in answers] == [401] * FAILURES + [429] * 40
        assert len({answer.body for answer in answers[:FAILURES]}) == 1
        assert all(0 < int(answer.headers["retry-after"]) <= 60 for answer in answers[FAILURES:])
        # It makes no difference what is shown now.
        assert (await visitor.ask("GET", "/api/me", token=mallory.token)).status == 429
        assert (await visitor.ask("GET", "/api/me", token=CANARY)).status == 429
        assert await upgrade_status(visitor) == 429
        assert (await other.ask("GET", "/api/me", token=mallory.token)).status == 200


async def test_tickets_and_tokens_are_counted_together(people: Witnesses, visitor: Visitor) -> None:
    async with people.undisturbed():
        for _ in range(FAILURES // 2):
            assert not await lets_in(visitor, NO_TICKET)
            assert (await visitor.ask("GET", "/api/me", token=CANARY)).status == 401
        assert await upgrade_status(visitor) == 429
        assert (await visitor.ask("GET", "/api/me", token=good())).status == 429


async def test_who_is_kept_out_is_told_what_strangers_are_told(
    people: Witnesses, accounts: Accounts, visitor: Visitor, mallory: Guest
) -> None:
    async with people.undisturbed():
        assert (await visitor.ask("GET", "/api/me", token=mallory.token)).status == 200
        ticket = await a_ticket(mallory, visitor)
        operator = accounts.token("operator", admin=True)
        kept_out = await visitor.ask("POST", f"/api/users/{mallory.user}/disable", token=operator)
        assert kept_out.status == 204
        wrong = await visitor.ask("GET", "/api/me", token=CANARY)
        kept = await visitor.ask("GET", "/api/me", token=mallory.token)
        assert (kept.status, kept.body) == (401, wrong.body)
        assert not await lets_in(visitor, ticket)


async def test_an_address_that_anybody_can_say_is_not_believed(people: Witnesses, mallory: Guest) -> None:
    """Only the proxy is, and only what it has seen itself."""
    url = people.server.url
    async with people.undisturbed():
        for source, told in (("127.0.0.3", "198.51.100.{}"), (PROXY, "198.51.100.{}, 203.0.113.7")):
            statuses = [
                (
                    await ask(
                        url,
                        "GET",
                        "/api/me",
                        token=CANARY,
                        source=source,
                        headers={"X-Forwarded-For": told.format(n), "Forwarded": f"for=198.51.100.{n}"},
                    )
                ).status
                for n in range(FAILURES + 2)
            ]
            assert statuses == [401] * FAILURES + [429] * 2
        # A page is from where it is from, whatever scheme is told.
        secure = {"X-Forwarded-Proto": "https", "Origin": url.replace("http:", "https:")}
        refused = await ask(url, "GET", "/api/me", token=mallory.token, source="127.0.0.4", headers=secure)
        assert refused.status == 403
        believed = await Visitor(url).ask("GET", "/api/me", token=mallory.token, headers=secure)
        assert believed.status == 200


# Many.


async def upgraded(visitor: Visitor) -> tuple[int, asyncio.StreamWriter]:
    """The status of a stranger's upgrade, and the connection, which stays open."""
    reader, writer = await connect_tcp(visitor.url, source=PROXY)
    writer.write(upgrade(visitor.url, f"/ws/{ATTACKED_ROOM}", X_Forwarded_For=visitor.address))
    answer = await reader.readuntil(b"\r\n\r\n")
    status = int(answer.split(b" ", 2)[1])
    if status == 429:
        assert b"Retry-After: " in answer
    return status, writer


async def upgrade_status(visitor: Visitor) -> int:
    status, writer = await upgraded(visitor)
    writer.close()
    return status


async def test_an_address_may_have_so_many_strangers(people: Witnesses, visitor: Visitor) -> None:
    async with people.undisturbed():
        found = await asyncio.gather(*(upgraded(visitor) for _ in range(200)))
        statuses = sorted(status for status, _ in found)
        assert statuses == [101] * CONNECTIONS_PER_ADDRESS + [429] * (200 - CONNECTIONS_PER_ADDRESS)
        assert await upgrade_status(Visitor(visitor.url)) == 101
        for _, writer in found:
            writer.close()
        async with asyncio.timeout(AT_ONCE_SECONDS):
            while await upgrade_status(visitor) != 101:
                pass


async def test_a_user_may_have_so_many_connections(people: Witnesses, mallory: Guest) -> None:
    async with AsyncExitStack() as stack, people.undisturbed():
        codes = []
        for n in range(60):
            connecting = RawSocket.connect(people.server.url, ATTACKED_ROOM, by=mallory)
            socket = await stack.enter_async_context(await connecting)
            if n < CONNECTIONS_PER_USER:
                assert (await socket.greet(f"tab-{n}"))["type"] == "welcome"
                first = socket
            else:
                codes.append(await socket.closed(AT_ONCE_SECONDS))
        assert codes == [4504] * (60 - CONNECTIONS_PER_USER)
        assert (await first.ask(type="ping"))["type"] == "ok"
        await first.send((1000).to_bytes(2), 0x8)
        assert await first.closed() == 1000
        async with asyncio.timeout(AT_ONCE_SECONDS):
            while not await lets_in(Visitor(people.server.url), await asyncio.to_thread(mallory.ticket)):
                pass


# The end of a token.


@pytest.mark.slow
async def test_a_socket_ends_with_its_token_unless_another_one_is_shown(
    people: Witnesses, accounts: Accounts
) -> None:
    url, user = people.server.url, f"mortal-{next(_numbers)}"
    short = accounts.user(user, exp=at(3))
    async with (
        await RawSocket.connect(url, ATTACKED_ROOM, by=short) as ended,
        await RawSocket.connect(url, ATTACKED_ROOM, by=short) as refreshed,
        await RawSocket.connect(url, ATTACKED_ROOM, by=short) as mistaken,
        people.undisturbed(ended, refreshed, mistaken),
    ):
        for n, socket in enumerate((ended, refreshed, mistaken)):
            assert (await socket.greet(f"{user}-{n}"))["type"] == "welcome"
        ticket = await asyncio.to_thread(accounts.user(user).ticket)
        assert (await refreshed.ask(type="refresh", ticket=ticket))["type"] == "ok"
        others = await asyncio.to_thread(accounts.user("host").ticket)
        assert (await mistaken.ask(type="refresh", ticket=others))["code"] == "E_AUTH"
        assert await mistaken.closed() == 4501
        assert await ended.closed(3 + EXPIRY_SECONDS) == 4401
        assert (await refreshed.ask(type="ping"))["type"] == "ok"


@pytest.mark.slow
async def test_a_client_whose_token_ends_comes_back_with_another_and_nothing_is_lost_or_doubled(
    people: Witnesses, accounts: Accounts
) -> None:
    user, document = f"mortal-{next(_numbers)}", "expiring.md"
    typed: list[str] = []
    ends: list[StatusChanged] = []

    async def renewed() -> str:
        return accounts.token(user, exp=at(2))

    async with people.undisturbed():
        client = Client(people.server.url, ATTACKED_ROOM, token=renewed, backoff=QUICKLY)
        client.on(
            "status", lambda changed: ends.append(changed) if changed.status is Status.OFFLINE else None
        )
        async with client:
            opened = await client.open(document, create=True)
            end = time.monotonic() + 20
            while len(ends) < 2 or not client.is_online:
                assert time.monotonic() < end
                typed.append(f"{len(typed):04d};")
                opened.insert(len(opened), typed[-1])
                await asyncio.sleep(0.01)
            await opened.saved()
        assert {ended.code for ended in ends} == {4401}
        found = people.host.ask("GET", f"/api/rooms/{ATTACKED_ROOM}/documents/{document}")
        assert found["text"] == "".join(typed)
