"""The commands that prove and remove, beside a server that runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infrastructure.embedded_postgres import find_running
from interfaces.pyclient.client import Client
from tests.guests import Guest, guest
from tests.servers import ServerProcess, running_server

SECRET = "hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


def run(server: ServerProcess, *arguments: str, status: int = 0) -> str:
    done = server.run(*arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="module")
def owner(server: ServerProcess) -> str:
    """Ada, whose room `lab` it is, in which a secret stands."""
    ada = guest(server.url, "Ada")
    ada.create_room("lab")
    asyncio.run(write(server, ada, f"key = {SECRET}\n"))
    return ada.user


async def write(server: ServerProcess, who: Guest, text: str) -> None:
    async with Client(server.url, "lab", token=who.token) as client:
        document = await client.open("main.md", create=True)
        document.insert(0, text)
        await document.saved()


def test_a_log_is_verified_and_vouched_for(server: ServerProcess, owner: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    run(server, "checkpoint", "--out", str(kept))
    said = run(server, "verify", "--checkpoints", str(kept))
    assert "history is as it was written" in said
    assert "vouches for it" in said or "vouch for it" in said
    verdict = json.loads(run(server, "verify", "--json"))
    assert verdict["sound"]
    assert verdict["logs"]["record"]["events"] == verdict["logs"]["record"]["position"] > 3
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert "no checkpoint" in run(server, "verify", "--checkpoints", str(tmp_path / "other.jsonl"), status=1)


def test_a_proof_is_written_and_checked(server: ServerProcess, owner: str, tmp_path: Path) -> None:
    proof, forged = tmp_path / "proof.jsonl", tmp_path / "forged.jsonl"
    run(server, "proof", "lab", "--out", str(proof))
    assert "were in the log as they stand here" in run(server, "verify", "--proof", str(proof))
    forged.write_bytes(proof.read_bytes().replace(SECRET.encode(), b"hunter3"))
    assert "proves nothing" in run(server, "verify", "--proof", str(forged), status=1)
    assert not json.loads(run(server, "verify", "--proof", str(forged), "--json", status=1))["sound"]
    run(server, "proof", "--all", "--from", "900", "--out", str(proof), status=2)


def test_a_secret_is_removed_after_a_look(server: ServerProcess, owner: str) -> None:
    what = ("redact", "lab", "--phrase", SECRET, "--reason", "a key", "--as", owner)
    assert "7 characters in 1 events would go" in run(server, *what, "--preview")
    assert "removed, as" in run(server, *what, "--yes")
    assert "nothing of it" in run(server, *what, "--yes")
    assert "a key" in run(server, "redactions", "lab")
    assert "key = ███████" in run(server, "show", "lab", "main.md", "--revision", "1")
    run(server, "redact", "lab", "--reason", "x", "--as", owner, status=2)
    stranger = ("redact", "lab", "--phrase", "key", "--reason", "x", "--as", "nobody", "--yes")
    run(server, *stranger, status=1)


def test_a_room_is_sealed_and_its_keys_kept(server: ServerProcess, owner: str, tmp_path: Path) -> None:
    run(server, "seal", "lab", "--as", owner)
    asyncio.run(write(server, guest(server.url, "Ben"), "a sealed word "))
    keys = tmp_path / "keys"
    assert "1 keys" in run(server, "keys", str(keys))
    assert "a sealed word" in run(server, "show", "lab", "main.md")
    assert "0 keys were missing" in run(server, "keys", str(keys), "--load")
    (tmp_path / "other").write_text("{}")
    run(server, "keys", str(tmp_path / "other"), "--load", status=1)


def test_who_changes_the_log_is_found(server: ServerProcess, owner: str) -> None:
    dsn = find_running(Path(server.environment["CHRONOSCRIBE_DATA"]))
    assert dsn is not None
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE record DISABLE TRIGGER USER")
        connection.execute("UPDATE record SET actor = 'eve' WHERE notification_id = 2")
    said = run(server, "verify", status=1)
    assert "HISTORY WAS ALTERED" in said
    assert "! record 2 changed" in said
