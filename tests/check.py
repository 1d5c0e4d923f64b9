"""Every check, in one command: `python3 -m interfaces check`, or `python -m tests.check`.

From the quick to the slow, with the command of each above what it prints; the first that fails ends
the run and gives it its exit code. `--quick` leaves out the slow tests and the coverage, `--no-tests`
all tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.interfaces.client.npm import fetch_npm_packages

ROOT = Path(__file__).resolve().parent.parent
# The tools of the environment that runs this, also when it is not the one on PATH.
TOOLS = Path(sys.executable).parent

STATIC = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("basedpyright",),
    ("lint-imports",),
)
# The client's and the page's own: format and lint, then types.
STATIC_WEB = (("npm", "run", "--silent", "check"),)
WEB = ROOT / "interfaces"
# Two processes, each with a Postgres of its own: most tests wait for something.
AT_ONCE = ("-n", "2", "--dist", "worksteal")
TESTS = ("pytest", "--cov", "--cov-branch", *AT_ONCE)
QUICK_TESTS = ("pytest", "-m", "not slow", "-x", *AT_ONCE)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="check", description="Run every check, the quick ones first.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="leave out slow tests and coverage")
    which.add_argument("--no-tests", action="store_true", help="leave out the tests")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    for step in steps(quick=chosen.quick, tests=not chosen.no_tests):
        if code := run(step):
            print(f"\n✗ {' '.join(step)} failed (exit code {code})", flush=True)
            return code
    print(f"\n✓ all checks passed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def steps(*, quick: bool, tests: bool) -> list[tuple[str, ...]]:
    """The commands to run, in their order."""
    static = [*STATIC, *STATIC_WEB]
    if not tests:
        return static
    return [*static, QUICK_TESTS if quick else TESTS]


def run(step: Sequence[str]) -> int:
    """Run one tool, with its output as it comes, where it belongs: npm in the folder of the npm packages, the
    others in the project's root. Returns its exit code.
    """
    print(f"\n── {' '.join(step)} ".ljust(80, "─"), flush=True)
    environment = os.environ | {"PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    folder = ROOT
    if step[0] == "npm":
        folder = WEB
        fetch_npm_packages()
    program = shutil.which(step[0], path=environment["PATH"])
    if program is None:
        print(f"there is no {step[0]} on this machine", flush=True)
        return 1
    return subprocess.run([program, *step[1:]], cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
