"""The callers of a `Client` that wait for something the server has to say first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar, assert_never

from interfaces.pyclient import notices
from interfaces.pyclient.errors import NotEditable, PyClientError, Refused, Stopped
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.session import ClientSession

# How long callers wait for an answer of the server, reconnects included, unless they say otherwise.
ANSWER_SECONDS: Final = 30.0

T = TypeVar("T")
Waiter = asyncio.Future[Any]


class Waiting:
    """Owned by one `Client`, which calls `on_notice` with each notice and `on_settled` after each turn."""

    __slots__ = ("_commanding", "_flushing", "_online", "_opening", "_saving")

    def __init__(self) -> None:
        self._online: list[Waiter] = []
        self._flushing: list[Waiter] = []
        self._opening: dict[str, Waiter] = {}
        self._commanding: dict[int, tuple[Waiter, Callable[[notices.CommandDone], Any]]] = {}
        self._saving: list[tuple[str, int, Waiter]] = []

    # Who waits.

    def for_online(self) -> Waiter:
        """Until we are welcomed."""
        self._online.append(waiter := _waiter())
        return waiter

    def for_flush(self) -> Waiter:
        """Until everything is saved, or nothing more can be."""
        self._flushing.append(waiter := _waiter())
        return waiter

    def for_open(self, document: str) -> Waiter:
        """Until `document` is open. Shared by all who wait for it."""
        waiter = self._opening.get(document)
        if waiter is None:
            waiter = self._opening[document] = _waiter()
        return waiter

    def for_command(self, command: int, as_result: Callable[[notices.CommandDone], T]) -> asyncio.Future[T]:
        """Until the command of this number is done; it gives what `as_result` makes of that."""
        waiter = _waiter()
        self._commanding[command] = (waiter, as_result)
        return waiter

    def for_save(self, document: str, edit: int) -> Waiter:
        """Until the local edits of `document` up to number `edit` are in the log."""
        waiter = _waiter()
        self._saving.append((document, edit, waiter))
        return waiter

    # What happens.

    def on_notice(self, notice: Notice) -> None:
        """Wake whom the notice concerns."""
        match notice:
            case notices.StatusChanged():
                self._on_status(notice)
            case notices.DocumentOpened():
                _wake(self._opening.pop(notice.document, None))
            case notices.DocumentRefused():
                _wake(self._opening.pop(notice.document, None), Refused(notice.code, notice.message))
            case notices.CommandDone():
                waiter, as_result = self._commanding.pop(notice.command)
                _wake(waiter, result=as_result(notice))
            case notices.CommandRefused():
                waiter, _ = self._commanding.pop(notice.command)
                _wake(waiter, Refused(notice.code, notice.message))
            case notices.EditRefused():
                self.give_up(notice.document, Refused(notice.code, notice.message), notice.edits.start)
            case notices.UnsentText():
                self.give_up(notice.document, NotEditable(f"{notice.document}: {notice.reason}"))
            case _:
                pass

    def on_settled(self, session: ClientSession) -> None:
        """Wake who waits for what is saved by now."""
        if self._flushing and session.is_saved:
            _wake_all(self._flushing)
        if self._saving:
            for document, edit, waiter in self._saving:
                if not waiter.done() and session.replica(document).durable >= edit:
                    _wake(waiter)
            self._drop_saved()

    def give_up(self, document: str, error: PyClientError, first: int = 0) -> None:
        """Local edit `first` of `document`, and all after it, are waited for in vain."""
        for name, edit, waiter in self._saving:
            if name == document and edit >= first:
                _wake(waiter, error)
        self._drop_saved()

    def _drop_saved(self) -> None:
        self._saving = [waiting for waiting in self._saving if not waiting[2].done()]

    def _on_status(self, changed: notices.StatusChanged) -> None:
        match changed.status:
            case Status.ONLINE:
                _wake_all(self._online)
            case Status.STOPPED:
                self._stop(Stopped(changed.code, changed.reason))
            case Status.OFFLINE | Status.GREETING:
                pass
            case _:
                assert_never(changed.status)

    def _stop(self, error: Stopped) -> None:
        """Nothing more will come."""
        _wake_all(self._flushing)
        saving = [waiter for _, _, waiter in self._saving]
        commanding = [waiter for waiter, _ in self._commanding.values()]
        _wake_all([*self._online, *self._opening.values(), *commanding, *saving], error)
        self._online.clear()
        self._opening.clear()
        self._commanding.clear()
        self._saving.clear()


def _waiter() -> Waiter:
    waiter: Waiter = asyncio.get_running_loop().create_future()
    waiter.add_done_callback(_take_note)
    return waiter


def _take_note(waiter: Waiter) -> None:
    """Callers need not await what they were given, so an error that nobody looks at is no accident."""
    if not waiter.cancelled():
        waiter.exception()


def _wake(waiter: Waiter | None, error: PyClientError | None = None, *, result: Any = None) -> None:
    if waiter is None or waiter.done():
        return  # nobody waits, or no longer
    if error is None:
        waiter.set_result(result)
    else:
        waiter.set_exception(error)


def _wake_all(waiters: list[Waiter], error: PyClientError | None = None) -> None:
    for waiter in waiters:
        _wake(waiter, error)
    waiters.clear()
