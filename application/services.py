"""Everything that can be done on a node, in one value: what the edges of the product are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from application.attendances import Attendances
from application.cursors import Cursors
from application.document_imports import DocumentImports
from application.documents import Documents
from application.identity import TicketStore
from application.imports import Imports
from application.links import Links
from application.log import History
from application.members import Members
from application.messages import Messages
from application.profiles import Profiles
from application.receipts import Receipts
from application.revisions import Revisions
from application.rooms import Rooms
from application.runs import Runs


@dataclass(frozen=True, slots=True)
class Services:
    rooms: Rooms
    members: Members
    profiles: Profiles
    documents: Documents
    messages: Messages
    links: Links
    imports: Imports
    document_imports: DocumentImports
    receipts: Receipts
    revisions: Revisions
    runs: Runs
    attendances: Attendances
    cursors: Cursors
    history: History
    tickets: TicketStore
    node: str
    """This run of this server process."""
    epoch: str
    """The identity of the store's history: positions of another epoch mean nothing here."""
    now: Callable[[], datetime]
    """The clock that events are dated by, in UTC."""
    monotonic: Callable[[], float]
    """The clock that durations are measured with, in seconds."""
    new_id: Callable[[], str]
    """Makes an id that nobody can guess and nobody has."""
