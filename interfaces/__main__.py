"""Run Chronoscribe from a checkout, with nothing installed but Python: `python3 -m interfaces …`.

    python3 -m interfaces serve      start the server, with a database of its own
    python3 -m interfaces test …     run the tests; the rest goes to pytest
    python3 -m interfaces check …    run every check (see tests/check.py)
    python3 -m interfaces show …     any other command, the rest as for `chronoscribe`

The first run makes the virtual environment .venv beside this package, which takes about a minute;
later runs go straight to the command. A stamp per set of packages remembers what was installed, so
that a changed pyproject.toml or page, another Python or a moved checkout is noticed. With `uv` on PATH that
is used, otherwise it is fetched into .venv; where it fails, pip does the same more slowly. In an
environment that has the packages already, nothing is made.

Standard library only, and readable for old Pythons as well, so that they can be told.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from interfaces.web import bundle

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")

# The extras of pyproject.toml: each holds all of those before it.
EXTRAS = ("embedded", "dev")
# uv trusts only certificates of its own unless told otherwise; a company's proxy has one of its own, which
# stands in the system's store, where pip finds it too.
UV_SETTINGS = {"UV_SYSTEM_CERTS": "true"}
# uv keeps what it has built, and would not see that the page is gone.
BUILD_AGAIN = ("--reinstall-package", "chronoscribe")
# A few modules tell whether an environment has an extra's packages.
SIGNS = {"embedded": ("aiohttp", "psycopg", "eventsourcing"), "dev": ("aiohttp", "psycopg", "pytest", "mypy")}


def main(arguments: Sequence[str]) -> None:
    """Prepare what the command needs, then become it: this does not return."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        raise SystemExit(0 if arguments else 2)
    refuse_old_python(tuple(sys.version_info[:2]))
    extra = needed_extra(arguments)
    folder = Path(sys.prefix)
    if not has_packages(extra):
        environment = Environment(ROOT)
        environment.prepare(extra)
        folder = environment.folder
    program = command(folder, arguments)
    os.execv(program[0], program)


def needed_extra(arguments: Sequence[str]) -> str:
    """The packages that the command cannot do without."""
    return "dev" if arguments[0] in ("test", "check") else "embedded"


def command(environment: Path, arguments: Sequence[str]) -> list[str]:
    """What to run for the arguments, by paths into the environment."""
    python = str(environment / "bin" / "python")
    name, *rest = arguments
    if name == "test":
        return [python, "-m", "pytest", *rest]
    if name == "check":
        return [python, "-m", "tests.check", *rest]
    return [str(environment / "bin" / "chronoscribe"), name, *rest]


def has_packages(extra: str) -> bool:
    """Whether we run inside a virtual environment into which the packages were installed."""
    installed = Path(sys.prefix) / "bin" / "chronoscribe"
    inside = sys.prefix != sys.base_prefix and installed.exists()
    return inside and all(importlib.util.find_spec(module) for module in SIGNS[extra])


class Environment:
    """The virtual environment of a checkout: made, filled and remembered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"

    def prepare(self, extra: str) -> None:
        """Make sure that the extra's packages are there."""
        if self.is_ready(extra):
            return
        with self._alone():
            if not self.is_ready(extra):  # another start may just have done it
                self._install(extra)
                self.mark_ready(extra)

    def is_ready(self, extra: str) -> bool:
        """Whether these packages, or more, were installed for this pyproject.toml and this page."""
        return any(self._stamp(more) == self._wanted() for more in EXTRAS[EXTRAS.index(extra) :])

    def mark_ready(self, extra: str) -> None:
        self._stamp_file(extra).write_text("\n".join(self._wanted()))

    def is_usable(self) -> bool:
        """Whether the folder is a whole environment that was made for this place and a living Python."""
        stamps = [stamp for stamp in map(self._stamp, EXTRAS) if stamp]
        if any(stamp[0] != self._wanted()[0] for stamp in stamps):
            return False
        young_enough = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
        return self.python.exists() and _succeeds([self.python, "-c", young_enough])

    def _wanted(self) -> list[str]:
        """Where we are and with which Python; then what is to be installed."""
        packages = hashlib.sha256((self.root / "pyproject.toml").read_bytes()).hexdigest()
        return [f"{self.root} {self.python.resolve()}", packages, bundle.digest(self.root / "interfaces")]

    def _stamp(self, extra: str) -> list[str] | None:
        try:
            return self._stamp_file(extra).read_text().splitlines()
        except FileNotFoundError:
            return None

    def _stamp_file(self, extra: str) -> Path:
        return self.folder / f".installed-{extra}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other starts out while we install: two at once would spoil the folder."""
        import fcntl  # not on Windows, where the help text above can still be read

        with (self.root / "pyproject.toml").open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another start that is setting up .venv")
                fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _install(self, extra: str) -> None:
        say(f"setting up {self.folder} for '{extra}' (about a minute the first time)")
        if not self.is_usable():
            self._make()
        target = f"{self.root}[{extra}]"
        uv = shutil.which("uv") or self._fetch_uv()
        if uv and _succeeds([uv, "pip", "install", "--python", self.python, *BUILD_AGAIN, "-e", target]):
            return
        say("uv could not install the packages; trying pip, which takes longer")
        if not _succeeds([*self._pip(), "install", "--quiet", "-e", target]):
            fail("the packages could not be installed; the reason stands above")

    def _make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if uv := shutil.which("uv"):
            made = _succeeds([uv, "venv", "--quiet", "--python", sys.executable, self.folder])
        else:
            refuse_python_without_venv()
            made = _succeeds([sys.executable, "-m", "venv", self.folder])
        if not made:
            fail(f"the virtual environment {self.folder} could not be made; the reason stands above")

    def _fetch_uv(self) -> str | None:
        """uv in our own environment: it installs the rest in a fifth of pip's time."""
        uv = self.folder / "bin" / "uv"
        if uv.exists() or _succeeds([*self._pip(), "install", "--quiet", "uv"]):
            return str(uv)
        return None

    def _pip(self) -> list[str | Path]:
        if not any(self.folder.glob("lib/python*/site-packages/pip")):  # uv makes environments without it
            _succeeds([self.python, "-m", "ensurepip"])
        return [self.python, "-m", "pip", "--disable-pip-version-check"]


def refuse_old_python(version: tuple[int, ...]) -> None:
    if version >= OLDEST_PYTHON:
        return
    newer = next(filter(shutil.which, NEWER_PYTHONS), None)
    remedy = f"run it with {newer}" if newer else "install a newer one"
    fail(f"Python 3.11 or newer is needed, this is {'.'.join(map(str, version))}: {remedy}")


def refuse_python_without_venv() -> None:
    """Debian ships Python without the parts that make virtual environments."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    fail(f"this Python cannot make virtual environments; on Debian and Ubuntu: apt-get install {package}")


def say(what: str) -> None:
    print(f"chronoscribe: {what}", file=sys.stderr, flush=True)


def fail(why: str) -> None:
    say(why)
    raise SystemExit(1)


def _succeeds(program: Sequence[str | Path]) -> bool:
    try:
        return subprocess.run(program, check=False, env=UV_SETTINGS | os.environ).returncode == 0
    except OSError as error:
        say(str(error))
        return False


if __name__ == "__main__":
    main(sys.argv[1:])
