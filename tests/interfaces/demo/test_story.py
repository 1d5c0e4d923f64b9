"""The demo's story holds what there is to find out: one paste breaks the package, and nothing else does."""

from __future__ import annotations

import json

import pytest

from interfaces.demo.play import RECORDING, package_text
from interfaces.demo.story import PEOPLE, STORY, Paste, Pause, Save
from interfaces.load.traces import read


def test_the_package_is_broken_by_one_paste_alone() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(package_text())
    whole = json.loads(package_text([deed for deed in STORY if not isinstance(deed[1], Paste)]))
    assert (whole["version"], whole["scripts"]["lint"]) == ("0.2.0", "eslint .")


def test_the_package_is_whole_when_it_is_called_green() -> None:
    [saved] = [number for number, (_, deed) in enumerate(STORY) if isinstance(deed, Save)]
    assert json.loads(package_text(STORY[:saved]))["dependencies"] == {"svelte": "^4.2.0"}


def test_everybody_of_the_story_is_there_and_the_recording_can_be_read() -> None:
    assert {name for name, deed in STORY if not isinstance(deed, Pause)} == set(PEOPLE)
    assert len(read(RECORDING).lines) == 700
