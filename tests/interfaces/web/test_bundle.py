"""When the page is built, and with what. npm is a script that writes down how it was called."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from interfaces.web import bundle
from interfaces.web.bundle import BundleFailed

NPM = """#!/bin/sh
echo "npm $*" >> "$CALLS"
test -z "$NPM_FAILS" || exit 1
case "$1" in run) mkdir -p web/dist/assets; echo "console.log(1)" > web/dist/assets/index-1.js ;; esac
"""


@pytest.fixture
def interfaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources, and a machine with a Node whose npm is the script above."""
    folder = tmp_path / "interfaces"
    for name in (
        "package.json",
        "web/index.html",
        "web/src/main.tsx",
        "client/src/index.ts",
        "client/tests/a.ts",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (("npm", NPM), ("node", "#!/bin/sh\necho ${NODE:-v20.19.0}\n")):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return folder


def calls(interfaces: Path) -> list[str]:
    return (interfaces.parent / "calls").read_text().splitlines()


def test_a_bundle_is_fresh_until_a_source_changes(interfaces: Path) -> None:
    assert not bundle.is_fresh(interfaces)
    bundle.build(interfaces)
    assert bundle.is_fresh(interfaces)
    assert [call.split()[1] for call in calls(interfaces)] == ["ci", "run"]
    (interfaces / "client/tests/a.ts").write_text("a test is no source")
    assert bundle.is_fresh(interfaces)
    (interfaces / "client/src/index.ts").write_text("another")
    assert not bundle.is_fresh(interfaces)


def test_a_source_that_is_renamed_or_new_changes_the_bundle(interfaces: Path) -> None:
    before = bundle.digest(interfaces)
    (interfaces / "web/src/main.tsx").rename(interfaces / "web/src/other.tsx")
    renamed = bundle.digest(interfaces)
    (interfaces / "web/src/more.tsx").write_text("")
    assert len({before, renamed, bundle.digest(interfaces)}) == 3


def test_what_is_built_lies_there_packed_as_well(interfaces: Path) -> None:
    bundle.build(interfaces)
    built = interfaces / "web/dist/assets/index-1.js"
    assert gzip.decompress(built.with_name("index-1.js.gz").read_bytes()) == built.read_bytes()


def test_a_build_that_fails_leaves_no_fresh_bundle(interfaces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(BundleFailed, match="npm ci"):
        bundle.build(interfaces)
    assert not bundle.is_fresh(interfaces)


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [("v20.19.0", True), ("v24.1.0", True), ("v20.18.9", False), ("v18.20.0", False), ("nonsense", False)],
)
def test_a_node_counts_from_the_version_that_the_build_needs(
    interfaces: Path, monkeypatch: pytest.MonkeyPatch, version: str, is_enough: bool
) -> None:
    del interfaces
    monkeypatch.setenv("NODE", version)
    assert bundle.has_node() is is_enough


def test_the_bundle_that_is_served_was_built_from_these_sources() -> None:
    assert bundle.is_fresh()
