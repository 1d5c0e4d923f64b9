"""Everything that can be done with the past on a node, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from application.past.blame import Blame
from application.past.branches import Branches
from application.past.restore import Restore
from application.past.undo import Undo


@dataclass(frozen=True, slots=True)
class Past:
    blame: Blame
    undo: Undo
    restore: Restore
    branches: Branches
