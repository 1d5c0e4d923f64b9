"""npm and its packages, for the tests and checks of the client and the page."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from interfaces.web import bundle

INTERFACES: Final = bundle.INTERFACES


def fetch_npm_packages() -> None:
    """Make sure that the packages of the lock file are there; an installation with a bundle has none.
    Raises `BundleFailed`.
    """
    done = INTERFACES / "node_modules" / ".package-lock.json"
    lock = INTERFACES / "package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the tests run in several processes
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            bundle.install()
            os.utime(done)


def has_npm() -> bool:
    return shutil.which("npm") is not None


def npm(*arguments: str, seconds: float, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run npm in the folder of our packages."""
    return _run(["npm", *arguments], INTERFACES, seconds, environment)


def _run(
    command: list[str], folder: Path, seconds: float, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
