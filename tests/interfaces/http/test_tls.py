"""A server with a certificate: what goes over TLS, and that it takes nothing else."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interfaces.pyclient.client import Client
from tests.interfaces.server_thread import ServerThread


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(start: Callable[..., ServerThread], trust: tuple[Path, Path]) -> ServerThread:
    certificate, key = trust
    return start(tls_certificate=certificate, tls_key=key)


def context_of(trust: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=trust[0])


def ask(server: ServerThread, context: ssl.SSLContext, method: str, path: str, **headers: str) -> bytes:
    address = urlsplit(server.url)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port, timeout=30, context=context
    )
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_server_with_a_certificate_answers_who_trusts_it(
    secure: ServerThread, trust: tuple[Path, Path]
) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    assert orjson.loads(ask(secure, context_of(trust), "GET", "/healthz")) == {"status": "ok"}
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(secure, ssl.create_default_context(), "GET", "/healthz")


def test_it_speaks_to_nobody_without_tls(secure: ServerThread) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        secure.get("/healthz")


def test_only_its_own_secure_page_may_ask(secure: ServerThread, trust: tuple[Path, Path]) -> None:
    context = context_of(trust)
    assert b"E_HTTP" in ask(secure, context, "GET", "/healthz", Origin=secure.url.replace("https", "http"))
    assert orjson.loads(ask(secure, context, "GET", "/healthz", Origin=secure.url)) == {"status": "ok"}


def test_people_live_in_a_room_over_tls(secure: ServerThread, trust: tuple[Path, Path]) -> None:
    async def live() -> str:
        connector = aiohttp.TCPConnector(ssl=context_of(trust))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            Client(secure.url, "demo", name="Ada", http=http) as client,
        ):
            document = await client.open("welcome.md")
            document.insert(0, "Hello over TLS\n")
            await document.saved()
            return document.text

    # On the server's loop, which goes on: both ends of TLS say goodbye after the client has closed.
    assert secure.call(live()).startswith("Hello over TLS\n")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_it_speaks_no_old_tls(
    secure: ServerThread, trust: tuple[Path, Path], version: ssl.TLSVersion
) -> None:
    context = context_of(trust)
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError):
        ask(secure, context, "GET", "/healthz")
