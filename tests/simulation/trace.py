"""What happened in a run, line by line: to be read when a seed fails, and compared when one is run twice."""

from __future__ import annotations

import asyncio
from hashlib import blake2b


class Trace:
    """Called with who, what and the facts. Keeps lines when `verbose`, and a digest of all always."""

    def __init__(self, *, verbose: bool) -> None:
        self.lines: list[str] = []
        self._verbose = verbose
        self._digest = blake2b(digest_size=16)

    def __call__(self, who: str, *what: object) -> None:
        now = asyncio.get_running_loop().time()
        line = f"{now:12.6f} {who:<8} {' '.join(map(str, what))}"
        self._digest.update(line.encode())
        if self._verbose:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
