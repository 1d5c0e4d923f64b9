"""A client for programs: one room over a WebSocket that is kept up for as long as the client lives.

    async with Client("http://127.0.0.1:8484", "demo", name="Ada") as client:
        document = await client.open("main.md", create=True)
        document.insert(0, "Hello\\n")
        await document.saved()
        message = await client.post("I have begun", link=document.link(0, 5))
        await client.react(message, "🎉")

All that is decided is decided in `ClientSession`; here are the clock and the callers that wait, and the
socket is in `connection`. Everything happens in the caller's or the reader's turn of the event loop, without
an await, so a text never changes between two lines of a caller that do not await.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import aiohttp

from domain.errors import OpTooLarge
from domain.receipts import Pointers
from domain.text_op import Op, parse
from interfaces.pyclient import commands, notices
from interfaces.pyclient.api import Api
from interfaces.pyclient.commands import Link
from interfaces.pyclient.connection import Connection
from interfaces.pyclient.credentials import Credentials, TokenSource
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.document_link import Phase
from interfaces.pyclient.errors import NotEditable, Stopped, UnsentTextError
from interfaces.pyclient.notices import Notice, Status, UnsentText
from interfaces.pyclient.people import Person
from interfaces.pyclient.reconnect import Backoff
from interfaces.pyclient.replay import Replay, opening
from interfaces.pyclient.session import ClientSession
from interfaces.pyclient.traffic import Traffic
from interfaces.pyclient.waiting import ANSWER_SECONDS, Waiting

# How long `async with` tries to get in before it says that nobody is there.
START_SECONDS: Final = 30.0

# How long `close` waits for what is not saved yet. Longer than a resend and a fail-over take.
FLUSH_SECONDS: Final = 10.0

T = TypeVar("T")
Callback = Callable[[Any], None]


class Client:
    """One client in one room. Use it with `async with`, or `start` and `close`.

    `urls` is the server's address, or several of them, of which each is tried when the one before fails.
    `token` says who we are: a token, or what gives one whenever it is asked; without it we are a guest called
    `name`, where the server has guests. `credentials` are those of another client, of the same user.
    `client_id` stands for this copy of the texts: no two that run at a time may share one. `chance`
    makes ids and delays; a seeded one makes them repeatable. `http` is shared with others and not closed.
    `traffic` is told of all that goes over the wire.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        room: str,
        *,
        name: str | None = None,
        token: str | TokenSource | None = None,
        credentials: Credentials | None = None,
        client_id: str | None = None,
        compose: bool = True,
        backoff: Backoff | None = None,
        chance: random.Random | None = None,
        http: aiohttp.ClientSession | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._urls = [urls] if isinstance(urls, str) else list(urls)
        self._chance = chance or random.SystemRandom()
        self.session = ClientSession(client_id or self._new_id(), compose=compose)
        self.credentials = credentials or Credentials(name=name, token=token)
        self._http = http
        self._owns_http = http is None
        self.connection = Connection(
            self.session,
            self.credentials,
            self._urls,
            room,
            backoff=backoff or Backoff(),
            chance=self._chance,
            traffic=traffic,
            settle=self.settle,
        )
        self._callbacks: dict[type[Notice], list[Callback]] = {}
        self._unsent: list[UnsentText] = []
        self._waiting = Waiting()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def _new_id(self) -> str:
        return f"{self._chance.getrandbits(96):024x}"

    # Coming and going.

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unsent = await self.close(FLUSH_SECONDS if error is None else 0.0)
        undone = self.session.undone
        if error is None and (unsent or undone):
            raise UnsentTextError(unsent, undone)

    async def start(self, timeout: float = START_SECONDS) -> None:  # noqa: ASYNC109 -- a bound to name
        """Connect, and wait to be welcomed.

        Raises Stopped, or TimeoutError after `timeout` seconds, from the last failure to connect.
        """
        if self._http is None:
            self._http = aiohttp.ClientSession()
        online = self._waiting.for_online()
        self.connection.start(self._http)
        try:
            async with asyncio.timeout(timeout):
                await online
        except TimeoutError:
            await self.close(0.0)
            raise TimeoutError(f"nobody answers at {self._urls}") from self.connection.failure
        except BaseException:
            await self.close(0.0)
            raise

    async def close(self, flush_seconds: float = FLUSH_SECONDS) -> list[UnsentText]:
        """Leave the room. What is unsaved after at most `flush_seconds` is returned (and commands are in
        `session.undone`), with what was handed out as unsent before and not opened afresh.
        """
        await self._flush(flush_seconds)
        self.session.stop(None, "closed by its owner")
        self.settle()
        await self.connection.end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._owns_http and self._http is not None:
            await self._http.close()
        return self._unsent

    async def _flush(self, seconds: float) -> None:
        if self.session.is_saved or self.status is Status.STOPPED or seconds <= 0:
            return
        await asyncio.wait([self._waiting.for_flush()], timeout=seconds)

    # What the user does.

    async def open(
        self,
        document: str,
        *,
        create: bool = False,
        timeout: float = ANSWER_SECONDS,  # noqa: ASYNC109
    ) -> ClientDocument:
        """Open `document`, made first if `create` and it is not there.

        Raises Refused, Stopped, or TimeoutError after `timeout` seconds.
        """
        self._check_not_stopped()
        self.session.open(document, self._now(), create=create)
        await self._opened(document, timeout)
        return ClientDocument(self, document)

    async def open_afresh(self, document: ClientDocument, timeout: float = ANSWER_SECONDS) -> None:  # noqa: ASYNC109
        """Give up what is unsaved in a document that came as `unsent`, and take the server's text."""
        self._check_not_stopped()
        self._waiting.give_up(document.name, NotEditable("given up"))
        self._unsent = [unsent for unsent in self._unsent if unsent.document != document.name]
        self.session.open_afresh(document.name, self._now())
        await self._opened(document.name, timeout)

    async def _opened(self, document: str, timeout: float) -> None:  # noqa: ASYNC109
        self.settle()
        phase = self.session.phase(document)
        if phase is Phase.STRANDED:
            raise NotEditable(f"{document} holds text that is to be looked at: open_afresh gives it up")
        if phase is Phase.OPEN:
            return
        async with asyncio.timeout(timeout):
            await asyncio.shield(self._waiting.for_open(document))  # others may wait for the same

    def edit(self, document: str, op: Op) -> int:
        """See `ClientDocument.edit`."""
        with suppress(OpTooLarge):
            parse(op)  # as the server will; a larger op is sent in pieces
        number = self.session.edit(document, op, self._now())
        self.settle()
        return number

    async def saved(self, document: str, timeout: float = ANSWER_SECONDS) -> None:  # noqa: ASYNC109
        """See `ClientDocument.saved`."""
        replica = self.session.replica(document)
        if replica.is_saved:
            return
        if self.session.phase(document) is Phase.STRANDED:
            raise NotEditable(f"{document} cannot be saved")
        async with asyncio.timeout(timeout):
            await self._waiting.for_save(document, replica.local)

    def close_document(self, document: str) -> None:
        """Follow `document` no longer; what is unsaved in it is handed out as `unsent`."""
        self.session.close(document)
        self._waiting.give_up(document, NotEditable(f"{document} was closed"))
        self.settle()

    def cursor(self, document: ClientDocument, anchor: int, head: int) -> None:
        """Show the others where we are in the present text. Raises NotEditable."""
        self.session.cursor(document.name, anchor, head, self._now())
        self.settle()

    def typing(self, document: ClientDocument | None = None, *, is_typing: bool = True) -> None:
        """Show that something is being typed, in `document` or in the chat, or not any more. It holds for
        some ten seconds.
        """
        self._check_not_stopped()
        self.session.type(document.name if document is not None else None, is_typing=is_typing)
        self.settle()

    def declare(self, status: str | None) -> None:
        """Say what we are doing: editing, running, idle, away; None: let the server see for itself."""
        self._check_not_stopped()
        self.session.declare(status)
        self.settle()

    async def refresh(self) -> None:
        """Show the server a new ticket before the token of this socket ends. Without it the socket ends with
        the token, and the client comes back with another.

        Raises `NotLetIn`, `aiohttp.ClientError`, `TimeoutError`.
        """
        self._check_not_stopped()
        assert self._http is not None
        self.session.refresh(await self.credentials.ticket(self._http, self.connection.url))
        self.settle()

    # The chat, saves and runs. Each gives a future that is done when it is in the log, and need not be
    # awaited. Until then it is said again over all sockets. The future raises Refused, or Stopped when the
    # client is closed before; what was asked for is in `session.undone` then.

    def post(
        self, text: str, *, reply_to: str | None = None, link: Link | None = None
    ) -> asyncio.Future[str]:
        """Say `text` in the chat, perhaps in answer to a message, or pointing at a range of a document. Gives
        the message's id.
        """
        message = self._new_id()
        return self._do(commands.post(message, text, reply_to=reply_to, link=link), message)

    def edit_message(self, message: str, text: str) -> asyncio.Future[None]:
        """Say one of our messages otherwise."""
        return self._do(commands.edit_message(message, text), None)

    def delete_message(self, message: str) -> asyncio.Future[None]:
        """Take a message back: ours, or as an owner of the room anybody's."""
        return self._do(commands.delete_message(message), None)

    def react(self, message: str, emoji: str, *, reacted: bool = True) -> asyncio.Future[None]:
        """React to a message with one emoji, or take that back."""
        return self._do(commands.react(message, emoji, reacted=reacted), None)

    def pin_message(self, message: str, *, pinned: bool = True) -> asyncio.Future[None]:
        """Keep a message in everybody's sight, or not any more."""
        return self._do(commands.pin_message(message, pinned=pinned), None)

    def save_revision(self, document: ClientDocument, name: str | None = None) -> asyncio.Future[None]:
        """Mark the present text as a saved one, under a name or without.

        Only a text that the server has as it is seen here. Raises NotSaved (wait for `saved()`), NotEditable.
        """
        revision = self.session.saved_revision(document.name)
        return self._do(commands.save_revision(document.name, revision, name), None)

    def start_run(self, title: str, document: ClientDocument | None = None) -> asyncio.Future[str]:
        """Tell that something is run, which may be a document as it is now. Gives the run's id, for
        `finish_run`. Raises as `save_revision`.
        """
        run = self._new_id()
        if document is None:
            return self._do(commands.start_run(run, title), run)
        revision = self.session.saved_revision(document.name)
        return self._do(commands.start_run(run, title, document=document.name, revision=revision), run)

    def finish_run(self, run: str, outcome: str, exit_code: int | None = None) -> asyncio.Future[None]:
        """Tell how a run of this client has ended: passed, failed or stopped."""
        return self._do(commands.finish_run(run, outcome, exit_code), None)

    def _do(self, request: dict[str, Any], result: T) -> asyncio.Future[T]:
        self._check_not_stopped()
        command = self.session.do(request, self._now())
        doing = self._waiting.for_command(command, lambda _: result)
        self.settle()
        return doing

    async def take_back(self, document: str, *, is_redo: bool, timeout: float) -> int | None:  # noqa: ASYNC109
        """See `ClientDocument.undo` and `redo`."""
        self._check_not_stopped()
        session = self.session
        async with asyncio.timeout(timeout):
            # What was typed here is part of what can be taken back, and so is what was taken back before.
            while not session.replica(document).is_saved or session.phase(document) is not Phase.OPEN:
                await self._opened(document, timeout)
                await self.saved(document, timeout)
            ask = commands.redo if is_redo else commands.undo
            command = session.do(ask(document, session.saved_revision(document)), self._now())
            doing = self._waiting.for_command(command, lambda done: done.revision)
            self.settle()
            return await doing

    def read(self, up_to: int | str | None = None) -> None:
        """The user has read the chat up to a message, by its id, or a position; without it, all there is.
        What was read stays so, also at the user's other places. Raises ValueError for a message that is not
        among `messages`.
        """
        self._check_not_stopped()
        position = self.session.position if up_to is None else up_to
        if isinstance(position, str):
            found = self.session.chat.position_of(position)
            if found is None:
                raise ValueError("this message is not known here")
            position = found
        self.session.read(position, self._now())
        self.settle()

    @property
    def unread(self) -> int:
        """How many messages of others, of those in `messages`, were not read yet."""
        return self.session.unread

    @property
    def pointers(self) -> dict[str, Pointers]:
        """By user, up to which positions they have got and read the messages."""
        return dict(self.session.chat.pointers)

    def readers(self, message: str) -> list[str]:
        """Who has read one of `messages`, but for its author."""
        return self.session.chat.readers(message)

    def subscribe(self, to: Literal["activity", "statistics"]) -> None:
        """Be told of the room's activity or of its chat's statistics, as they change; `unsubscribe` ends it.
        A refusal comes as `refused`.
        """
        self._check_not_stopped()
        self.session.subscribe(to, self._now())
        self.settle()

    def unsubscribe(self, to: Literal["activity", "statistics"]) -> None:
        self.session.unsubscribe(to)
        self.settle()

    async def replay(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        speed: float = 1.0,
        skip_idle: bool = True,
    ) -> Replay:
        """Watch what went on in the room, from its beginning until now when nothing is said. One that is open
        is closed first. Raises as `Replay`'s methods.
        """
        self._check_not_stopped()
        replay = Replay(self.session, self.settle, opening(since, until, speed, skip_idle=skip_idle))
        await replay.open()
        return replay

    def on(self, kind: str, callback: Callback) -> Callable[[], None]:
        """Call `callback` with each notice of a kind (see `notices.KINDS`); returns what ends that."""
        callbacks = self._callbacks.setdefault(notices.KINDS[kind], [])
        callbacks.append(callback)
        return lambda: callbacks.remove(callback)

    @property
    def api(self) -> Api:
        """Requests over HTTP as the same user, at the node that is in use."""
        assert self._http is not None, "the client has not been started"
        return Api(self.connection.url, self.credentials, http=self._http)

    @property
    def status(self) -> Status:
        return self.session.status

    @property
    def is_online(self) -> bool:
        """Whether we are in the room at this moment."""
        return self.session.status is Status.ONLINE

    @property
    def roster(self) -> dict[str, str]:
        """Who is in the room: names by client."""
        return self.session.roster

    @property
    def people(self) -> dict[str, Person]:
        """Everybody who is here, by user, with all their places: status, cursors, typing."""
        return self.session.people.present

    @property
    def members(self) -> dict[str, str]:
        """Roles by user."""
        return dict(self.session.people.members)

    @property
    def user(self) -> str | None:
        """Who we are; None before the first welcome."""
        return self.session.user

    @property
    def role(self) -> str | None:
        """What we are in this room."""
        return self.session.role

    @property
    def title(self) -> str:
        return self.session.title

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The last chat messages as they stand, oldest first."""
        return list(self.session.chat.messages.values())

    @property
    def client_id(self) -> str:
        return self.session.client

    def _check_not_stopped(self) -> None:
        if self.status is Status.STOPPED:
            raise Stopped(None, "the client has stopped")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # What the session says.

    def settle(self) -> None:
        """Pass on what the session has to say, to whom it concerns: after every call to it."""
        session = self.session
        for notice in session.take_notices():
            self._on_notice(notice)
        self._waiting.on_settled(session)
        if session.has_frames:
            self.connection.wake()
        if session.close_wanted:
            self.connection.give_up()
        self._arm()

    def _on_notice(self, notice: Notice) -> None:
        if isinstance(notice, notices.UnsentText):
            self._unsent.append(notice)
        self._waiting.on_notice(notice)
        for callback in tuple(self._callbacks.get(type(notice), ())):
            self._call(callback, notice)

    def _call(self, callback: Callback, notice: Notice) -> None:
        """A callback that fails is its owner's trouble; the room goes on."""
        try:
            callback(notice)
        except Exception as error:  # noqa: BLE001
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"a callback for {type(notice).__name__} failed", "exception": error}
            )

    # Time.

    def _arm(self) -> None:
        """See to it that the session is called when something is due."""
        due = self.session.next_time()
        if due is not None and (self._timer is None or due < self._timer_due):
            if self._timer is not None:
                self._timer.cancel()
            self._timer_due = due  # kept here: what uvloop gives for a moment that is over does not know it
            self._timer = asyncio.get_running_loop().call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.session.on_time(self._now())
        self.settle()
