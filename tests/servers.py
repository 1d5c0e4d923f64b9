"""Real server processes for tests: `chronoscribe serve`, started, ended in every way, started again.

    with running_server() as server:           an embedded Postgres in a folder of its own
        server.kill(); server.restart()        the same data, the same URL
    with running_server(database_url=…) as a, running_server(database_url=…) as b:      two nodes

All methods block; in a coroutine call them by `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

# A first start makes a cluster and migrates; a start after a kill waits for the old Postgres and recovers.
START_SECONDS: Final = 90.0

# Draining has 20 s, Postgres 30 s.
STOP_SECONDS: Final = 60.0

POLL_SECONDS: Final = 0.02

# Below the ports that systems give to outgoing connections (from 32768 on Linux): a client that tries to
# reconnect while the server is away must not be given the server's own port and talk to itself.
PORTS: Final = range(20_000, 32_000)

_READY: Final = re.compile(r"^Chronoscribe is listening on (\S+)", re.MULTILINE)


class ServerFailed(Exception):  # noqa: N818
    """The server ended, or said nothing, instead of starting; its last output is the text."""


class ServerProcess:
    """A `chronoscribe serve` of our own. Made by `running_server`."""

    def __init__(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        self.folder = folder
        """Of the server's own files: its output and, without a `database_url`, its data."""
        self.url = f"http://127.0.0.1:{port}"
        self.environment = environment
        """What the server is started with; commands that shall find the same data are given it too."""
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Start the server and wait until it listens. Raises `ServerFailed`."""
        assert not self.is_running
        self._starts += 1
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "interfaces.cli.main", "serve", "--port", str(self._port)],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.url = self._wait_for_url(self._process)

    def _wait_for_url(self, process: subprocess.Popen[bytes]) -> str:
        end = time.monotonic() + START_SECONDS
        while True:
            status = process.poll()
            if found := _READY.search(self.output):
                return found[1]
            if status is not None:
                raise ServerFailed(f"the server ended with status {status}:\n{self.output[-2_000:]}")
            if time.monotonic() > end:
                self.kill()
                raise ServerFailed(f"not ready after {START_SECONDS:.0f} s:\n{self.output[-2_000:]}")
            time.sleep(POLL_SECONDS)

    @property
    def _output(self) -> Path:
        return self.folder / f"server-{self._starts}.log"

    @property
    def output(self) -> str:
        """What the server has printed and logged since its last start."""
        return self._output.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a crash would: SIGKILL. Its embedded Postgres is then stopped by its watcher."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """End it as an operator would: SIGTERM. Returns its exit status; killed if it takes too long."""
        assert self._process is not None
        self._process.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until it has ended by itself; returns the exit status. Killed, and raises, if it does not."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def send_signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP and SIGCONT, for a process that hangs."""
        assert self._process is not None
        self._process.send_signal(number)

    def restart(self) -> None:
        """Start it again at the same URL on the same data; first terminate it if it runs."""
        if self.is_running:
            self.terminate()
        self.start()

    def run(self, *arguments: str, seconds: float = 60.0) -> subprocess.CompletedProcess[bytes]:
        """Run another `chronoscribe` command where the server's data is."""
        return subprocess.run(
            [sys.executable, "-m", "interfaces.cli.main", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )


@contextlib.contextmanager
def running_server(
    *, data: Path | None = None, database_url: str | None = None, start: bool = True, **settings: object
) -> Iterator[ServerProcess]:
    """A server until the end of the block, on `database_url`, or an embedded Postgres in `data` or a
    folder of its own.

    `settings` are those of `infrastructure.settings`, such as `edits_per_second=50`.
    """
    # Not pytest's folder: root's Postgres runs as nobody and cannot get below that one.
    folder = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("CHRONOSCRIBE_")
    }
    environment["CHRONOSCRIBE_DATA"] = str(data or folder)
    if database_url is not None:
        environment["DATABASE_URL"] = database_url
    environment |= {f"CHRONOSCRIBE_{name.upper()}": str(value) for name, value in settings.items()}
    server = ServerProcess(folder, free_port(), environment)
    try:
        if start:
            server.start()
        yield server
    finally:
        if server.is_running:
            server.send_signal(signal.SIGCONT)  # should it be stopped
            server.terminate()
        shutil.rmtree(folder)


def free_port() -> int:
    """A port on loopback that nobody uses, and that no outgoing connection is given."""
    generator = random.SystemRandom()
    while True:
        port = generator.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
