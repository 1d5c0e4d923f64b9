"""Why a socket is closed. 44xx: connect again; 45xx: stop and tell the person."""

from __future__ import annotations

from typing import Final

GOING_AWAY: Final = 1001
NOT_TEXT: Final = 1003
TOO_BIG: Final = 1009
INTERNAL: Final = 1011

DRAINING: Final = 4400
TOKEN_EXPIRED: Final = 4401
SLOW_CONSUMER: Final = 4402
HEARTBEAT_LOST: Final = 4403
TOO_MANY_FRAMES: Final = 4405
SUPERSEDED: Final = 4406
STORE_UNAVAILABLE: Final = 4407

BAD_HELLO: Final = 4500
BAD_CREDENTIALS: Final = 4501
NO_HELLO: Final = 4502
ACCESS_REMOVED: Final = 4503
TOO_MANY_CONNECTIONS: Final = 4504
OTHER_PROTOCOL: Final = 4505
TOO_MANY_ERRORS: Final = 4506
CLIENT_AHEAD: Final = 4507

LEAVE_REASONS: Final = {
    DRAINING: "drained",
    SUPERSEDED: "superseded",
    GOING_AWAY: "drained",
    ACCESS_REMOVED: "removed",
}
"""What the log says of a stay that we ended; otherwise it was `left` or `lost`."""
