"""`python3 -m interfaces`: what it decides. Nothing is installed here; uv and Python are scripts."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from interfaces import __main__ as bootstrap
from interfaces.__main__ import Environment, command, has_packages, needed_extra

# Each writes down how it was called. uv makes an environment, and installs only if UV_WORKS is set.
FAKE_UV = """#!/bin/sh
echo "uv $*" >> "$CALLS"
case "$1" in
venv) for folder; do :; done; mkdir -p "$folder/bin"; cp "$FAKES/python" "$folder/bin/python" ;;
*) test -n "$UV_WORKS" ;;
esac
"""
FAKE_PYTHON = """#!/bin/sh
echo "python $*" >> "$CALLS"
case "$*" in *" -e "*) test -n "$PIP_WORKS" ;; esac
"""


class RecordingEnvironment(Environment):
    """Remembers what was asked to be installed, and installs nothing."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.installed: list[str] = []

    def _install(self, extra: str) -> None:
        self.installed.append(extra)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with an environment whose Python is the script above."""
    checkout = tmp_path / "checkout"
    write_script(checkout / ".venv" / "bin" / "python", FAKE_PYTHON)
    (checkout / "pyproject.toml").write_text("[project]\n")
    return checkout


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that tells how uv (the only one on PATH) and Python were called."""
    fakes = tmp_path / "fakes"
    write_script(fakes / "uv", FAKE_UV)
    write_script(fakes / "python", FAKE_PYTHON)
    monkeypatch.setenv("PATH", f"{fakes}:/usr/bin:/bin")
    monkeypatch.setenv("FAKES", str(fakes))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


# Which command, and what it needs.


@pytest.mark.parametrize(
    ("arguments", "extra", "program"),
    [
        (["serve"], "embedded", ["/env/bin/chronoscribe", "serve"]),
        (["serve", "--port", "1"], "embedded", ["/env/bin/chronoscribe", "serve", "--port", "1"]),
        (["log", "demo", "-f"], "embedded", ["/env/bin/chronoscribe", "log", "demo", "-f"]),
        (["test"], "dev", ["/env/bin/python", "-m", "pytest"]),
        (["test", "-k", "a b"], "dev", ["/env/bin/python", "-m", "pytest", "-k", "a b"]),
        (["check", "--quick"], "dev", ["/env/bin/python", "-m", "tests.check", "--quick"]),
    ],
)
def test_a_command_runs_by_its_path_in_the_environment(
    arguments: list[str], extra: str, program: list[str]
) -> None:
    assert needed_extra(arguments) == extra
    assert command(Path("/env"), arguments) == program


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_without_a_command_it_explains_itself(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        bootstrap.main(arguments)
    assert end.value.code == code
    assert "python3 -m interfaces serve" in capsys.readouterr().out


def test_it_becomes_the_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[Sequence[str]] = []

    def execv(path: str, arguments: Sequence[str]) -> NoReturn:
        became.append(arguments)
        assert arguments[0] == path
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(bootstrap, "ROOT", root)
    monkeypatch.setattr(bootstrap, "has_packages", lambda extra: False)
    Environment(root).mark_ready("embedded")
    with pytest.raises(SystemExit):
        bootstrap.main(["serve"])
    monkeypatch.setattr(bootstrap, "has_packages", lambda extra: True)
    with pytest.raises(SystemExit):
        bootstrap.main(["serve"])
    assert became == [
        [str(root / ".venv" / "bin" / "chronoscribe"), "serve"],
        [str(Path(sys.prefix) / "bin" / "chronoscribe"), "serve"],
    ]


def test_an_environment_with_the_packages_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert not has_packages("dev")
    write_script(tmp_path / "bin" / "chronoscribe", "")
    assert has_packages("dev")
    monkeypatch.setitem(bootstrap.SIGNS, "dev", ("aiohttp", "no_such_package"))
    assert not has_packages("dev")
    assert has_packages("embedded")
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)  # the system's Python is left alone
    assert not has_packages("embedded")


# The stamps.


def test_a_new_environment_is_not_ready(root: Path) -> None:
    assert not Environment(root).is_ready("embedded")


def test_the_packages_for_development_include_those_for_serving(root: Path) -> None:
    environment = Environment(root)
    environment.mark_ready("embedded")
    assert environment.is_ready("embedded")
    assert not environment.is_ready("dev")
    (environment.folder / ".installed-embedded").unlink()
    environment.mark_ready("dev")
    assert environment.is_ready("embedded")
    assert environment.is_ready("dev")


def test_a_changed_pyproject_asks_for_an_install_into_the_same_environment(root: Path) -> None:
    environment = Environment(root)
    environment.mark_ready("dev")
    (root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    assert not environment.is_ready("dev")
    assert environment.is_usable()


def test_a_moved_checkout_needs_a_new_environment(root: Path) -> None:
    Environment(root).mark_ready("dev")
    assert Environment(root).is_usable()
    moved = Environment(root.rename(root.with_name("moved")))
    assert not moved.is_ready("dev")
    assert not moved.is_usable()


def test_another_python_needs_a_new_environment(root: Path) -> None:
    environment = Environment(root)
    versions = [root / "python3.11", root / "python3.12"]
    for version in versions:
        write_script(version, FAKE_PYTHON)
    environment.python.unlink()
    environment.python.symlink_to(versions[0])
    environment.mark_ready("dev")
    environment.python.unlink()
    environment.python.symlink_to(versions[1])
    assert not environment.is_ready("dev")
    assert not environment.is_usable()


def test_an_environment_without_a_working_python_is_not_usable(root: Path) -> None:
    python = Environment(root).python
    write_script(python, "#!/bin/sh\nexit 1\n")
    assert not Environment(root).is_usable()
    python.unlink()
    assert not Environment(root).is_usable()


def test_packages_are_installed_once(root: Path) -> None:
    environment = RecordingEnvironment(root)
    for extra in ("embedded", "embedded", "dev", "dev", "embedded"):
        environment.prepare(extra)
    assert environment.installed == ["embedded", "dev"]


def test_of_two_starts_at_once_only_one_installs(root: Path) -> None:
    second = RecordingEnvironment(root)
    with (root / "pyproject.toml").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        thread = threading.Thread(target=second.prepare, args=["embedded"])
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        Environment(root).mark_ready("embedded")
    thread.join(5)
    assert not thread.is_alive()
    assert second.installed == []


# The installation.


def test_uv_installs_into_the_environment_that_is_there(
    root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_WORKS", "1")
    environment = Environment(root)
    environment.prepare("dev")
    assert environment.is_ready("dev")
    assert (
        calls.read_text().splitlines()[-1]
        == f"uv pip install --python {environment.python} --reinstall-package chronoscribe -e {root}[dev]"
    )
    assert "uv venv" not in calls.read_text()


def test_a_missing_environment_is_made_first(
    root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_WORKS", "1")
    shutil.rmtree(root / ".venv")
    Environment(root).prepare("embedded")
    made, installed = calls.read_text().splitlines()
    assert made == f"uv venv --quiet --python {sys.executable} {root}/.venv"
    assert installed.endswith(f"-e {root}[embedded]")


def test_pip_installs_where_uv_cannot(root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_WORKS", "1")
    Environment(root).prepare("embedded")
    assert Environment(root).is_ready("embedded")
    *_, ensured, installed = calls.read_text().splitlines()
    assert ensured == "python -m ensurepip"  # no pip lay in the environment
    assert installed == f"python -m pip --disable-pip-version-check install --quiet -e {root}[embedded]"


@pytest.mark.usefixtures("calls")
def test_a_failed_installation_ends_with_a_message_and_is_tried_again(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        Environment(root).prepare("embedded")
    assert end.value.code == 1
    assert "could not be installed" in capfd.readouterr().err
    assert not Environment(root).is_ready("embedded")


def test_without_uv_it_is_fetched_into_the_environment(
    root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("PIP_WORKS", "1")
    Environment(root).prepare("embedded")
    assert "python -m pip --disable-pip-version-check install --quiet uv" in calls.read_text()


# Pythons that will not do.


def test_an_old_python_is_told_which_other_to_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.refuse_old_python((3, 11))
    for found, remedy in (("python3.12", "run it with python3.12"), (None, "install a newer one")):
        monkeypatch.setattr(shutil, "which", lambda name, found=found: name if name == found else None)
        with pytest.raises(SystemExit):
            bootstrap.refuse_old_python((3, 9))
        said = capsys.readouterr().err
        assert "3.11 or newer is needed, this is 3.9" in said
        assert remedy in said


def test_a_python_without_venv_is_told_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.refuse_python_without_venv()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        bootstrap.refuse_python_without_venv()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"apt-get install python{version}-venv" in capsys.readouterr().err
