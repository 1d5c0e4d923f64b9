"""What a program beside the server does (see `aside`): it works off what comes in at stdin, one after the
other, and ends with it. Both ways four bytes say how long what follows is.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

# Several times what the largest documents need. Beyond it something is wrong, and the server matters more.
MEMORY_BYTES: Final = 1024**3


def work_off(work: Callable[[bytes], bytes]) -> None:
    os.nice(5)
    with suppress(ValueError, OSError):  # where the system cannot bound it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with suppress(ValueError, OSError):  # what dies of its work need not leave its memory behind
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given, put = sys.stdin.buffer, sys.stdout.buffer
    while len(length := given.read(4)) == 4:
        answer = work(given.read(int.from_bytes(length, "big")))
        put.write(len(answer).to_bytes(4, "big") + answer)
        put.flush()
