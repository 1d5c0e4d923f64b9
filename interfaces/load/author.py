"""Somebody who writes at a client, and has not looked at everything that has come.

In a recorded session people write on a text that is behind: what the others typed in the last moment
was still on its way. A client of ours takes everything in at once. What is seen of it is kept apart
here: the client's text is what its author sees, and after it the foreign ops that he has not looked
at.

    client's text = text in sight  ·  unseen[0]  ·  unseen[1]  ·  …

What he writes moves over them as "left", since it comes to the client after them, and they over it as
"right", as everywhere (see `domain/text_op.py`). To hold the client's own frames back instead would
hold its acknowledgements back too, and two authors can wait for each other's for ever.
"""

from __future__ import annotations

from collections import deque

from domain.text_op import Op, transform


class Author:
    """Owned by one player. Revisions only grow."""

    def __init__(self) -> None:
        self._unseen: deque[tuple[int, Op]] = deque()

    def on_foreign(self, revision: int, op: Op) -> None:
        """The client has taken `op`, somebody else's, into its present text; it made `revision`."""
        self._unseen.append((revision, op))

    def look(self, revision: int) -> list[int]:
        """See everything up to `revision`; returns the revisions that are seen for the first time."""
        seen = []
        while self._unseen and self._unseen[0][0] <= revision:
            seen.append(self._unseen.popleft()[0])
        return seen

    def write(self, op: Op) -> Op:
        """`op`, made on the text in sight, as the same op on the client's text."""
        for place, (revision, foreign) in enumerate(self._unseen):
            self._unseen[place] = (revision, transform(foreign, op, "right"))
            op = transform(op, foreign, "left")
        return op
