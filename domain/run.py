"""A run of somebody's code, as their client reports it. The server runs nothing.

Its id is chosen by the client, so that what is reported twice meets itself.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import Forbidden, IdReused
from domain.ids import run_stream


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"


class RunStarted(InitialEvent):
    """`document` and `revision` are what was run, None where it is more than one document."""

    TOPIC = "run.started"
    room: str
    run: str
    client: str
    title: str
    document: str | None
    revision: int | None


class RunFinished(Event):
    """`exit_code` is None where there is none to know."""

    TOPIC = "run.finished"
    run: str
    outcome: str
    exit_code: int | None

    def apply(self, aggregate: Run) -> None:
        aggregate.outcome = Outcome(self.outcome)
        aggregate.exit_code = self.exit_code


class Run(Aggregate):
    TOPIC = "run"

    def __init__(self, run: str, client: str, title: str, document: str | None, revision: int | None) -> None:
        self.run = run
        self.client = client
        self.title = title
        self.what = (document, revision)
        self.outcome: Outcome | None = None
        self.exit_code: int | None = None

    @classmethod
    def start(
        cls,
        room: str,
        run: str,
        *,
        client: str,
        title: str,
        document: str | None,
        revision: int | None,
        actor: str,
        at: datetime,
    ) -> Self:
        """`title` is checked at the edge: one line for people."""
        return cls._create(
            RunStarted,
            id=run_stream(room, run),
            timestamp=at,
            actor=actor,
            room=room,
            run=run,
            client=client,
            title=title,
            document=document,
            revision=revision,
        )

    def check_resend(self, *, client: str, title: str, document: str | None, revision: int | None) -> None:
        """Raise `IdReused` unless this run was started with just these."""
        if (client, title, (document, revision)) != (self.client, self.title, self.what):
            raise IdReused("this id was used for another run", id=self.run)

    def finish(
        self, outcome: Outcome, exit_code: int | None, *, client: str, actor: str, at: datetime
    ) -> None:
        """Raises `Forbidden` for another client than that which has started it, `IdReused` for another
        outcome than the first.
        """
        if client != self.client:
            raise Forbidden("a run is finished by the client that has started it")
        if self.outcome is None:
            self.trigger_event(
                RunFinished,
                timestamp=at,
                actor=actor,
                run=self.run,
                outcome=outcome.value,
                exit_code=exit_code,
            )
        elif (outcome, exit_code) != (self.outcome, self.exit_code):
            raise IdReused("this run has finished otherwise", id=self.run)


register_topic(Run.TOPIC, Run)
