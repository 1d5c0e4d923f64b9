"""The past of a file comes out of a git repository, and pads out of their exports, by the command."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.main import main
from tests.etherpads import PadWriter, export
from tests.interfaces.server_thread import ServerThread, Somebody

Run = Callable[..., tuple[int, str]]

# Of a Tuesday in 2021.
AT = 1_620_000_000


class Repository:
    """A real one, made by git itself, without anybody's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, **environment: str) -> str:
        clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        people = {"GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=clean | people | environment,
            check=True,
            capture_output=True,
        )
        return done.stdout.decode().strip()

    def write(self, path: str, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / path).write_bytes(data)
        self.git("add", "-A")

    def commit(self, subject: str, name: str = "Ada", at: int = AT) -> str:
        author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": f"{name.lower()}@example.org"}
        dates = {"GIT_AUTHOR_DATE": f"{at} +0200", "GIT_COMMITTER_DATE": f"{at} +0200"}
        self.git("commit", "-q", "--allow-empty", "-m", f"{subject}\n\nWhy it is so.", **author, **dates)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


@pytest.fixture
def room(ada: Somebody) -> str:
    return ada.make_room()


@pytest.fixture
def run(server: ServerThread, ada: Somebody, room: str, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Run:
    """Run `chronoscribe import` into the room as Ada; its status, and what it has said."""
    monkeypatch.setenv("DATABASE_URL", server.conninfo)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["import", *arguments, "--room", room, "--as", ada.user])
        said = capfd.readouterr()
        return status, said.out + said.err

    return run


def ask(capfd: Any, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return str(capfd.readouterr().out)


def a_history(repository: Repository) -> list[str]:
    """Written, improved, moved and merged; the ids of the commits that have changed the file."""
    repository.write("old.txt", "one\ntwo\nthree\nfour\nfive\n")
    commits = [repository.commit("Begin", "Ada", AT)]
    repository.write("other.txt", "something else\n")
    repository.commit("Elsewhere", "Ben", AT + 50)
    repository.write("old.txt", "one\ntwo 😀\nthree\nfour\nfive\n")
    commits.append(repository.commit("Smile", "Ben", AT + 100))
    repository.git("mv", "old.txt", "new.txt")
    repository.write("new.txt", "one\ntwo 😀\nthree!\nfour\nfive\n")
    commits.append(repository.commit("Move and shout", "Ada", AT + 60))  # her clock goes wrong
    repository.git("checkout", "-q", "-b", "side")
    repository.write("new.txt", "one\ntwo 😀\nthree!\nfour\nfive\nsix\n")
    repository.commit("Count on", "Cleo", AT + 200)
    repository.git("checkout", "-q", "main")
    author = {"GIT_AUTHOR_NAME": "Ben", "GIT_AUTHOR_EMAIL": "b@example.org"}
    dates = {"GIT_AUTHOR_DATE": f"{AT + 300} +0000", "GIT_COMMITTER_DATE": f"{AT + 300} +0000"}
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side", **author, **dates)
    return [*commits, repository.git("rev-parse", "HEAD")]


def test_each_commit_that_changed_a_file_is_an_edit_and_is_blamed(
    run: Run, repository: Repository, ada: Somebody, room: str, capfd: Any
) -> None:
    commits = a_history(repository)
    status, said = run("git", str(repository.folder), "new.txt", "--follow")
    assert (status, "imported: 4 edits" in said) == (0, True), said
    assert "1 edits are merges" in said
    assert "1 commits are dated before" in said

    path = f"/api/rooms/{room}/documents/new.txt"
    assert ada.get(path).json["text"] == (repository.folder / "new.txt").read_text()
    lines = ada.get(f"{path}/blame?lines=true").json["lines"]
    assert [
        (line["author"], line["at"] // 1_000_000 - AT, line["reference"], line["note"]) for line in lines
    ] == [
        ("Ada (git)", 0, commits[0], "Begin"),
        ("Ben (git)", 100, commits[1], "Smile"),
        ("Ada (git)", 100, commits[2], "Move and shout"),
        ("Ada (git)", 0, commits[0], "Begin"),
        ("Ada (git)", 0, commits[0], "Begin"),
        ("Ben (git)", 300, commits[3], "Merge side"),
    ]
    assert f"{commits[1][:8]} 2  Ben (git)" in ask(capfd, "blame", room, "new.txt")
    found = ask(capfd, "bisect", room, "new.txt", "--good", "1", "--text-absent", "three!")
    assert "Ada (git)" in found
    assert f"{commits[2][:8]} Move and shout" in found
    assert ask(capfd, "show", room, "new.txt", "--at", "2021-05-03T00:01:30Z").startswith("one\ntwo\n")

    assert "4 were there already" in run("git", str(repository.folder), "new.txt", "--follow")[1]
    status, said = run("git", str(repository.folder), "new.txt")
    assert (status, "nothing was imported" in said) == (1, True)


def test_a_file_is_read_as_of_any_revision_and_without_following_from_where_it_was_moved(
    run: Run, repository: Repository
) -> None:
    commits = a_history(repository)
    said = run("git", str(repository.folder), "new.txt", "--dry-run", "--json")[1]
    assert json.loads(said)["documents"][0]["edits"] == 2
    said = run(
        "git", str(repository.folder), "old.txt", "--rev", commits[1], "--dry-run", "--json", "--addresses"
    )[1]
    [document] = json.loads(said)["documents"]
    assert document["authors"] == {"Ada (ada@example.org)": 1, "Ben (ben@example.org)": 1}
    assert document["code_points"] == len("one\ntwo 😀\nthree\nfour\nfive\n")


def test_a_file_that_was_deleted_and_came_back_is_empty_in_between(run: Run, repository: Repository) -> None:
    repository.write("a.txt", "one\n")
    repository.commit("Begin")
    repository.git("rm", "-q", "a.txt")
    repository.commit("Away")
    repository.write("a.txt", "two\n")
    repository.commit("Back")
    said = run("git", str(repository.folder), "a.txt", "--dry-run", "--json", "--follow")[1]
    assert json.loads(said)["documents"][0]["edits"] == 3


@pytest.mark.parametrize(
    ("path", "data", "complaint"),
    [
        ("a.bin", b"\0\1\2", "is binary"),
        ("a.txt", "ä".encode("latin-1"), "no text in UTF-8"),
        ("a.txt", b"x" * (2 * 1024 * 1024 + 1), "too large"),
        ("a.txt", b"", "no edit in it"),
    ],
)
def test_what_is_no_text_is_refused(
    run: Run, repository: Repository, ada: Somebody, room: str, path: str, data: bytes, complaint: str
) -> None:
    if data:
        repository.write(path, "fine\n")
        repository.commit("Fine")
    repository.write(path, data)
    repository.commit("What is this")
    status, said = run("git", str(repository.folder), path)
    assert (status, complaint in said) == (1, True), said
    assert [each["document"] for each in ada.get(f"/api/rooms/{room}/documents").json["documents"]] == [
        "main.md"
    ]


def test_what_is_not_there_is_said(run: Run, repository: Repository, tmp_path: Path) -> None:
    repository.write("a.txt", "one\n")
    (repository.folder / "folder").mkdir()
    repository.write("folder/b.txt", "two\n")
    (repository.folder / "link").symlink_to("a.txt")
    repository.git("add", "-A")
    repository.commit("Begin")
    folder = str(repository.folder)
    for arguments, complaint in (
        ((folder, "none.txt"), "there is no file"),
        ((folder, "../a.txt"), "there is no file"),
        ((folder, "folder"), "is no file"),
        ((folder, "link"), "is a link"),
        ((folder, "a.txt", "--rev", "nowhere"), "there is no revision"),
        ((str(tmp_path), "a.txt"), "there is no git repository"),
    ):
        status, said = run("git", *arguments)
        assert (status, complaint in said) == (1, True), said


def test_pads_come_out_of_a_file_and_show_first_what_would_come(
    run: Run, ada: Somebody, room: str, tmp_path: Path
) -> None:
    file = tmp_path / "notes.etherpad"
    pad = PadWriter("notes", "Hello")
    pad.author("a.ada", "Ada")
    pad.write("a.ada", 1_400_000_060_000, "Hello there")
    pad.say("a.ada", 1_400_000_070_000, "done")
    file.write_bytes(export(pad))
    status, said = run("etherpad", str(file), "--dry-run")
    assert status == 0
    assert "notes: 2 edits from 2014-05-13" in said
    assert "nothing was written" in said
    assert ada.get(f"/api/rooms/{room}/documents/notes").status == 404
    status, said = run("etherpad", str(file), "--document", "plan.md")
    assert (status, "imported: 2 edits" in said) == (0, True), said
    assert ada.get(f"/api/rooms/{room}/documents/plan.md").json["text"] == "Hello there\n"
    file.write_bytes(export(pad, **{"comments:notes": {}}))
    status, said = run("etherpad", str(file))
    assert (status, "key comments:notes" in said) == (1, True)
