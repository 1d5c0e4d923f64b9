"""The table of all that can be asked over HTTP: what it takes to ask, what is taken in and what comes out.

The router, the door and the description of the API are made from this table, so none of them can know a
route that the others do not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from domain.errors import Overloaded
from domain.rights import Action
from interfaces.http import (
    activity,
    audits,
    bisects,
    blame,
    branches,
    diffs,
    docs,
    documents,
    erasures,
    etherpads,
    exports,
    imports,
    members,
    messages,
    moment,
    operation,
    page,
    passages,
    people,
    permalinks,
    phrases,
    presence,
    proofs,
    redactions,
    replay,
    replay_page,
    reports,
    restore,
    rooms,
    runs,
    saves,
    speech,
    statistics,
    tables,
    undo,
)
from interfaces.http.answers import (
    AcceptedAnswer,
    ActivityAnswer,
    Answer,
    DocumentAnswer,
    DocumentsAnswer,
    GuestAnswer,
    HealthAnswer,
    InvitationsAnswer,
    MeAnswer,
    MemberAnswer,
    MembersAnswer,
    NewInvitationAnswer,
    PresenceAnswer,
    ProfileAnswer,
    ProfilesAnswer,
    ReadyAnswer,
    RoomAnswer,
    RoomsAnswer,
    StatisticsAnswer,
    SummaryAnswer,
    TextAnswer,
    TicketAnswer,
)
from interfaces.http.audits import AUDITS_AT_ONCE, AuditAnswer, AuditQuery, QuestionsAnswer
from interfaces.http.bisects import BISECTS_AT_ONCE, BisectBody
from interfaces.http.blame import BlameAnswer, BlameQuery
from interfaces.http.bodies import (
    Acceptance,
    ActivityQuery,
    Asked,
    DocumentQuery,
    MembersQuery,
    NewDocument,
    NewGuest,
    NewInvitation,
    NewRole,
    NewRoom,
    NoQuery,
    PresenceQuery,
    ProfileChange,
    ProfilesQuery,
    RoomChange,
    RoomsQuery,
    StatisticsQuery,
    SummaryQuery,
    UserActivityQuery,
    read_body,
    read_query,
)
from interfaces.http.branches import BranchAnswer, MergeBody, NewBranch
from interfaces.http.chat_answers import (
    FoundMessagesAnswer,
    ListedMessagesAnswer,
    MessageAnswer,
    MessagesAnswer,
    PassageAnswer,
    PinsAnswer,
    ReadersAnswer,
    ReceiptAnswer,
    ReceiptsAnswer,
    TextsAnswer,
    UnreadAnswer,
)
from interfaces.http.chat_bodies import (
    AuthorQuery,
    BackwardsQuery,
    MessageChange,
    MessagesQuery,
    NewMessage,
    NewReceipt,
    SearchQuery,
    UnreadQuery,
)
from interfaces.http.diffs import DIFFS_AT_ONCE, DiffAnswer, DiffQuery
from interfaces.http.door import Access, Door
from interfaces.http.erasures import ErasureAnswer, ErasureBody
from interfaces.http.etherpads import EtherpadAnswer, EtherpadQuery
from interfaces.http.exports import ExportQuery
from interfaces.http.imports import ImportAnswer, NewMessages
from interfaces.http.moment import MomentAnswer, MomentQuery
from interfaces.http.passages import WatchQuery
from interfaces.http.permalinks import PermalinkAnswer, RangeQuery
from interfaces.http.phrases import PastSearchQuery, PhraseQuery
from interfaces.http.proofs import CheckpointsAnswer, ProofQuery
from interfaces.http.redactions import RedactionAnswer, RedactionBody, RedactionsAnswer
from interfaces.http.replay import ReplayQuery, StageAnswer, StageQuery
from interfaces.http.replay_page import ReplayPageQuery
from interfaces.http.reports import ReportQuery
from interfaces.http.restore import RestoreBody
from interfaces.http.runs import NewRun, RunAnswer, RunEnd
from interfaces.http.saves import NewSave, SaveAnswer, SavesAnswer, SavesQuery
from interfaces.http.tables import TableQuery
from interfaces.http.undo import PreviewAnswer, Redo, RevisedAnswer, SelectedEdits, UndoBody, UndoneAnswer


@dataclass(frozen=True, slots=True)
class Route:
    """`handler` is called with the request and, where they are not empty, with its query and body; its
    docstring says what it is for. `answer` is None for one that is no JSON, or that has no body (204).
    `is_told`: whether it is part of the API's description. `at_once`: how many of these a node does at a
    time; `E_BUSY` beyond.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[web.StreamResponse]]
    access: Access | Action
    query: type[Asked] = NoQuery
    body: type[Asked] | None = None
    answer: type[Answer] | None = None
    status: int = 200
    is_told: bool = True
    at_once: int | None = None

    def guarded(self, door: Door) -> Handler:
        """The handler behind the door."""

        async def handle(request: web.Request) -> web.StreamResponse:
            await door.open(request, self.access)
            given: list[Asked] = []
            query = read_query(request, self.query)
            if self.query is not NoQuery:
                given.append(query)
            if self.body is not None:
                given.append(await read_body(request, self.body))
            return await self.handler(request, *given)

        return handle if self.at_once is None else _some_at_once(handle, self.at_once)


def _some_at_once(handle: Handler, at_once: int) -> Handler:
    """Of what takes much memory or time, only so many; the others are told to come again."""
    going = 0

    async def handle_some(request: web.Request) -> web.StreamResponse:
        nonlocal going
        if going >= at_once:
            raise Overloaded("too many others are doing this", retry_after=BUSY_SECONDS)
        going += 1
        try:
            return await handle(request)
        finally:
            going -= 1

    return handle_some


# An import is in memory as a whole, several times its size while it is read; a hundred megabytes for four.
IMPORTS_AT_ONCE: Final = 4

# Each holds a file of tens of megabytes and what was read of it, and the reader beside the server takes one
# at a time.
PADS_AT_ONCE: Final = 2

# Each holds a page, and one of the few connections to the database while it asks for the next.
EXPORTS_AT_ONCE: Final = 16

# Each holds a page of either log, and takes as much of the processor as it can get for its reader.
REPLAYS_AT_ONCE: Final = 16

# The same, each for up to some tens of megabytes.
PAGES_AT_ONCE: Final = 4

# Each has a process of some hundred megabytes, and a connection that keeps the moment of its beginning.
TABLES_AT_ONCE: Final = 3

# They are made one after the other, each in up to some seconds; so many wait.
REPORTS_AT_ONCE: Final = 4

# All texts of a room are in memory for each, twice while they are sent.
STAGES_AT_ONCE: Final = 8
# Each reads a history from end to end, which is seconds of a whole core for a long one; who does something
# else meanwhile has the other half of it.
LOOKING_BACK_AT_ONCE: Final = 4

# The same of all documents of a room.
ROOMS_SEARCHED_AT_ONCE: Final = 2

# So long it takes to read an ordinary one.
BUSY_SECONDS: Final = 2.0

_ROOM: Final = "/api/rooms/{room}"
_MEMBER: Final = f"{_ROOM}/members/{{user}}"
_INVITATION: Final = f"{_ROOM}/invitations/{{invitation}}"
_DOCUMENT: Final = f"{_ROOM}/documents/{{document}}"
_MESSAGE: Final = f"{_ROOM}/messages/{{message}}"
_REACTION: Final = f"{_MESSAGE}/reactions/{{emoji}}"

READ, POST, EDIT, MANAGE = Action.READ, Action.POST, Action.EDIT, Action.MANAGE
PUBLIC, SIGNED_IN, OPERATOR = Access.PUBLIC, Access.SIGNED_IN, Access.OPERATOR

# Whether users may remove a member is looked at by the room itself, which knows whether they are that member;
# whether they may change a message by the message, which knows whether they are its author.
ROUTES: Final = (
    Route("GET", "/", page.page, PUBLIC, is_told=False),
    Route("GET", "/api/docs", docs.page, PUBLIC, is_told=False),
    Route("GET", "/api/docs/{file}", docs.file, PUBLIC, is_told=False),
    Route("GET", "/api/openapi.json", docs.description, PUBLIC, is_told=False),
    # Oneself.
    Route("POST", "/api/guests", people.become_guest, PUBLIC, body=NewGuest, answer=GuestAnswer, status=201),
    Route("POST", "/api/tickets", people.buy_ticket, SIGNED_IN, answer=TicketAnswer, status=201),
    Route("GET", "/api/me", people.look_at_oneself, SIGNED_IN, answer=MeAnswer),
    Route("PATCH", "/api/profile", people.change, SIGNED_IN, body=ProfileChange, answer=ProfileAnswer),
    Route("POST", "/api/sign-out", people.sign_out, SIGNED_IN, status=204),
    # Others.
    Route("GET", "/api/profiles", people.find, SIGNED_IN, ProfilesQuery, answer=ProfilesAnswer),
    Route("GET", "/api/profiles/{user}", people.look, SIGNED_IN, answer=ProfileAnswer),
    # What the server vouches for.
    Route("GET", "/api/checkpoints", proofs.checkpoints, SIGNED_IN, answer=CheckpointsAnswer),
    # Rooms.
    Route("POST", "/api/rooms", rooms.create, SIGNED_IN, body=NewRoom, answer=RoomAnswer, status=201),
    Route("GET", "/api/rooms", rooms.list_all, SIGNED_IN, RoomsQuery, answer=RoomsAnswer),
    Route("GET", _ROOM, rooms.look, READ, answer=RoomAnswer),
    Route("PATCH", _ROOM, rooms.change, MANAGE, body=RoomChange, answer=RoomAnswer),
    Route("DELETE", _ROOM, rooms.close, MANAGE, status=204),
    # Members.
    Route("GET", f"{_ROOM}/members", members.list_all, READ, MembersQuery, answer=MembersAnswer),
    Route("PUT", _MEMBER, members.put, MANAGE, body=NewRole, answer=MemberAnswer),
    Route("DELETE", _MEMBER, members.remove, READ, status=204),
    Route(
        "POST",
        f"{_ROOM}/invitations",
        members.invite,
        MANAGE,
        body=NewInvitation,
        answer=NewInvitationAnswer,
        status=201,
    ),
    Route("GET", f"{_ROOM}/invitations", members.list_invitations, MANAGE, answer=InvitationsAnswer),
    Route("DELETE", _INVITATION, members.revoke, MANAGE, status=204),
    Route("POST", f"{_INVITATION}/accept", members.accept, SIGNED_IN, body=Acceptance, answer=AcceptedAnswer),
    # Documents.
    Route(
        "POST",
        f"{_ROOM}/documents",
        documents.create,
        EDIT,
        body=NewDocument,
        answer=DocumentAnswer,
        status=201,
    ),
    Route("GET", f"{_ROOM}/documents", documents.list_all, READ, answer=DocumentsAnswer),
    Route("GET", _DOCUMENT, documents.read, READ, DocumentQuery, answer=TextAnswer),
    Route("DELETE", _DOCUMENT, documents.unlist, EDIT, status=204),
    # What is said. The fixed paths come before those that are a message's.
    Route("GET", f"{_ROOM}/messages/export", exports.export, READ, ExportQuery, at_once=EXPORTS_AT_ONCE),
    Route(
        "POST",
        f"{_ROOM}/messages/import",
        imports.bring,
        MANAGE,
        body=NewMessages,
        answer=ImportAnswer,
        at_once=IMPORTS_AT_ONCE,
    ),
    Route(
        "POST",
        f"{_ROOM}/imports/etherpad",
        etherpads.bring,
        EDIT,
        EtherpadQuery,
        answer=EtherpadAnswer,
        at_once=PADS_AT_ONCE,
    ),
    Route("POST", f"{_ROOM}/messages", speech.post, POST, body=NewMessage, answer=MessageAnswer, status=201),
    Route("PATCH", _MESSAGE, speech.edit, POST, body=MessageChange, answer=MessageAnswer),
    Route("DELETE", _MESSAGE, speech.delete, POST, answer=MessageAnswer),
    Route("PUT", _REACTION, speech.react, POST, answer=MessageAnswer),
    Route("DELETE", _REACTION, speech.unreact, POST, answer=MessageAnswer),
    Route("PUT", f"{_MESSAGE}/pin", speech.pin, EDIT, answer=MessageAnswer),
    Route("DELETE", f"{_MESSAGE}/pin", speech.unpin, EDIT, answer=MessageAnswer),
    Route("GET", f"{_MESSAGE}/link", speech.follow_link, READ, answer=PassageAnswer),
    Route("PUT", f"{_ROOM}/receipt", speech.put_receipt, READ, body=NewReceipt, answer=ReceiptAnswer),
    # What is read of it. Before the message of any name there is the search.
    Route("GET", f"{_ROOM}/messages", messages.list_all, READ, MessagesQuery, answer=MessagesAnswer),
    Route("GET", f"{_ROOM}/messages/search", messages.search, READ, SearchQuery, answer=FoundMessagesAnswer),
    Route("GET", _MESSAGE, messages.look, READ, answer=MessageAnswer),
    Route("GET", f"{_MESSAGE}/history", messages.look_back, READ, answer=TextsAnswer),
    Route("GET", f"{_MESSAGE}/readers", messages.list_readers, READ, answer=ReadersAnswer),
    Route("GET", f"{_ROOM}/pins", messages.list_pins, READ, BackwardsQuery, answer=PinsAnswer),
    Route("GET", f"{_ROOM}/receipts", messages.list_receipts, READ, answer=ReceiptsAnswer),
    Route("GET", "/api/unread", messages.list_unread, SIGNED_IN, UnreadQuery, answer=UnreadAnswer),
    Route(
        "GET", "/api/mentions", messages.list_mentions, SIGNED_IN, BackwardsQuery, answer=ListedMessagesAnswer
    ),
    Route(
        "GET", "/api/messages", messages.list_by_author, SIGNED_IN, AuthorQuery, answer=ListedMessagesAnswer
    ),
    # What is saved and run.
    Route("POST", f"{_DOCUMENT}/saves", saves.save, EDIT, body=NewSave, answer=SaveAnswer, status=201),
    Route("GET", f"{_DOCUMENT}/saves", saves.list_all, READ, SavesQuery, answer=SavesAnswer),
    Route("POST", f"{_ROOM}/runs", runs.start, EDIT, body=NewRun, answer=RunAnswer, status=201),
    Route("POST", f"{_ROOM}/runs/{{run}}/finish", runs.finish, EDIT, body=RunEnd, answer=RunAnswer),
    # The past: diff and bisect.
    Route("GET", f"{_DOCUMENT}/diff", diffs.look, READ, DiffQuery, answer=DiffAnswer, at_once=DIFFS_AT_ONCE),
    Route("POST", f"{_DOCUMENT}/bisect", bisects.run, READ, body=BisectBody, at_once=BISECTS_AT_ONCE),
    Route("GET", f"{_DOCUMENT}/passage", permalinks.look, READ, RangeQuery, answer=PermalinkAnswer),
    # Blame.
    Route(
        "GET",
        f"{_DOCUMENT}/blame",
        blame.blame,
        READ,
        BlameQuery,
        None,
        BlameAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    # Moments, and what became of a passage.
    Route("GET", f"{_DOCUMENT}/watch", passages.watch, READ, WatchQuery, at_once=LOOKING_BACK_AT_ONCE),
    Route(
        "GET",
        f"{_DOCUMENT}/moment",
        moment.look,
        READ,
        MomentQuery,
        answer=MomentAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    # Phrases, and all text that there ever was.
    Route("GET", f"{_DOCUMENT}/phrases", phrases.look, READ, PhraseQuery, at_once=LOOKING_BACK_AT_ONCE),
    Route(
        "GET", f"{_ROOM}/past/search", phrases.search, READ, PastSearchQuery, at_once=ROOMS_SEARCHED_AT_ONCE
    ),
    # Undo, restore, branch.
    Route(
        "POST",
        f"{_DOCUMENT}/undo",
        undo.undo,
        EDIT,
        body=UndoBody,
        answer=UndoneAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    Route(
        "POST",
        f"{_DOCUMENT}/undo/preview",
        undo.preview,
        EDIT,
        body=SelectedEdits,
        answer=PreviewAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    Route(
        "POST",
        f"{_DOCUMENT}/redo",
        undo.redo,
        EDIT,
        body=Redo,
        answer=UndoneAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    Route(
        "POST",
        f"{_DOCUMENT}/restore",
        restore.restore,
        EDIT,
        body=RestoreBody,
        answer=RevisedAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    Route(
        "POST",
        f"{_DOCUMENT}/branch",
        branches.start,
        EDIT,
        body=NewBranch,
        answer=BranchAnswer,
        status=201,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    Route("GET", f"{_DOCUMENT}/branch", branches.look, READ, answer=BranchAnswer),
    Route(
        "POST",
        f"{_DOCUMENT}/merge",
        branches.merge,
        EDIT,
        body=MergeBody,
        answer=RevisedAnswer,
        at_once=LOOKING_BACK_AT_ONCE,
    ),
    # Replay.
    Route(
        "POST",
        f"{_ROOM}/redactions",
        redactions.redact,
        MANAGE,
        body=RedactionBody,
        answer=RedactionAnswer,
        at_once=ROOMS_SEARCHED_AT_ONCE,
    ),
    Route("GET", f"{_ROOM}/redactions", redactions.list_all, READ, answer=RedactionsAnswer),
    Route("GET", f"{_ROOM}/proof", proofs.proof, MANAGE, ProofQuery, at_once=EXPORTS_AT_ONCE),
    Route("GET", f"{_ROOM}/replay", replay.tell, READ, ReplayQuery, at_once=REPLAYS_AT_ONCE),
    Route("GET", f"{_ROOM}/replay.html", replay_page.download, READ, ReplayPageQuery, at_once=PAGES_AT_ONCE),
    Route("GET", f"{_ROOM}/stage", replay.look, READ, StageQuery, answer=StageAnswer, at_once=STAGES_AT_ONCE),
    # Presence.
    Route("GET", f"{_ROOM}/presence", presence.look, READ, PresenceQuery, answer=PresenceAnswer),
    Route("GET", f"{_ROOM}/presence/summary", presence.summarise, READ, SummaryQuery, answer=SummaryAnswer),
    # Activity.
    Route("GET", f"{_ROOM}/activity", activity.look, READ, ActivityQuery, answer=ActivityAnswer),
    Route("GET", "/api/activity", activity.look_at_user, SIGNED_IN, UserActivityQuery, answer=ActivityAnswer),
    # Audit.
    Route("GET", f"{_ROOM}/audit", audits.list_all, MANAGE, answer=QuestionsAnswer),
    Route(
        "GET",
        f"{_ROOM}/audit/{{question}}",
        audits.ask,
        MANAGE,
        AuditQuery,
        answer=AuditAnswer,
        at_once=AUDITS_AT_ONCE,
    ),
    # Statistics.
    Route("GET", f"{_ROOM}/statistics", statistics.look, READ, StatisticsQuery, answer=StatisticsAnswer),
    Route("GET", f"{_ROOM}/statistics/plot.svg", statistics.plot_svg, READ, StatisticsQuery),
    Route("GET", f"{_ROOM}/statistics/plot.png", statistics.plot_png, READ, StatisticsQuery),
    Route("GET", f"{_ROOM}/report", reports.look, READ, ReportQuery, at_once=REPORTS_AT_ONCE),
    Route("GET", f"{_ROOM}/export", tables.export, MANAGE, TableQuery, at_once=TABLES_AT_ONCE),
    # Operation.
    Route("GET", "/healthz", operation.healthz, OPERATOR, answer=HealthAnswer),
    Route("GET", "/readyz", operation.readyz, OPERATOR, answer=ReadyAnswer),
    Route("GET", "/metrics", operation.metrics, OPERATOR),
    Route("POST", "/api/users/{user}/disable", people.disable, OPERATOR, status=204),
    Route("POST", "/api/users/{user}/enable", people.enable, OPERATOR, status=204),
    Route(
        "POST",
        "/api/users/{user}/erasure",
        erasures.erase,
        OPERATOR,
        body=ErasureBody,
        answer=ErasureAnswer,
        at_once=ROOMS_SEARCHED_AT_ONCE,
    ),
    # The page's files, last: whatever has a name of its own above is not looked for among them.
    Route("GET", "/assets/{file}", page.asset, PUBLIC, is_told=False),
    Route("GET", "/{file}", page.file, PUBLIC, is_told=False),
)


def add_routes(app: web.Application, door: Door) -> None:
    """Put all routes behind the door."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.guarded(door))
