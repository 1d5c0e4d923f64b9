"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from interfaces.pyclient.asking import Asking


class Past(Asking):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Diff and bisect.

    # Blame.

    # Moments, and what became of a passage.

    # Phrases, and all text that there ever was.

    # Undo, restore, branch.

    # Replay.
