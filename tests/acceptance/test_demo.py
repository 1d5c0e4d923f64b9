"""The demo on a real server: three people, one broken file, and all of it in the log."""

from __future__ import annotations

import json

import pytest

from interfaces.demo.play import package_text
from interfaces.demo.story import COMPONENT, PACKAGE
from tests.servers import ServerProcess

# At this speed the minute takes seconds.
SPEED = "40"


@pytest.mark.slow
def test_three_people_leave_a_past_to_look_at(guests_server: ServerProcess) -> None:
    server = guests_server
    done = server.run("demo", "--url", server.url, "--room", "beads", "--speed", SPEED)
    assert done.returncode == 0, done.stderr
    assert b"Ben" in done.stdout
    package = server.run("show", "beads", PACKAGE).stdout.decode()
    assert package == package_text()
    with pytest.raises(json.JSONDecodeError):
        json.loads(package)
    assert b"Glass Bead Game" in server.run("show", "beads", COMPONENT).stdout
    log = server.run("log", "beads").stdout.decode()
    assert "doesn't parse any more" in log
    again = server.run("demo", "--url", server.url, "--room", "beads", "--speed", SPEED)
    assert again.returncode == 1
    assert b"already" in again.stderr
