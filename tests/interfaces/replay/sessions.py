"""A room in which things are done, by the aggregates themselves, and the lines of a replay of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from application.log import Recorded
from application.past.replay import Begin, Mark, Place, Step
from domain.aggregate import Aggregate, Event
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document, Edit
from domain.instants import as_microseconds
from domain.message import Message, mentioned_in
from domain.presence import HIDDEN, Presence
from domain.profile import Profile
from domain.revisions import Revisions
from domain.room import Room
from domain.run import Outcome, Run
from domain.text_op import Op
from interfaces.ws.staging import as_begin, as_end, as_stage, as_step
from projections.stage import Stage
from tests.domain.events import collect

ROOM: Final = "demo"
START: Final = datetime(2026, 11, 23, 20, 0, 0, 123_456, tzinfo=UTC)


class Session:
    """Everything that was done, as the steps of a replay. A client is a user's only one and has their id."""

    def __init__(self) -> None:
        self.moment = START
        self.steps: list[Step] = []
        self.documents: dict[str, Document] = {}
        self.messages: dict[str, Message] = {}
        self.marks: list[Mark] = []
        self._position = self._frame = 0
        self._room = Room.open(ROOM, "Demo", actor="ada", at=START)
        self._presence = Presence.begin(ROOM, "run", node="node", at=START)
        self._stays: dict[str, list[Attendance]] = {}
        self._profiles: dict[str, Profile] = {}
        self._revisions: dict[str, Revisions] = {}
        self._edits: dict[tuple[str, str], int] = {}
        self._stays_begun = 0
        self._take(self._room)
        self._presence.collect_events()

    def wait(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def _take(self, *aggregates: Aggregate) -> None:
        """What was decided is one step."""
        events = [event for aggregate in aggregates for event in collect(aggregate)]
        if events:
            recorded = [self._recorded(event) for event in events]
            at = as_microseconds(self.moment)
            place = Place(at, self._position, self._frame)
            self.steps.append(Step(at, place, recorded))

    def _recorded(self, event: Event) -> Recorded:
        if event.TOPIC.startswith("presence."):
            self._frame += 1
            return Recorded(self._frame, event)
        self._position += 1
        return Recorded(self._position, event)

    def _mark(self, kind: str, user: str, text: str) -> None:
        self.marks.append(Mark(as_microseconds(self.moment), self._position, kind, user, text))

    # People.

    def join(self, user: str, name: str | None = None) -> None:
        """Who is here already has come once more, and is soon missed where they were."""
        profile = self._profiles.get(user)
        if profile is None:
            profile = Profile.create(user, name or user, actor=user, at=self.moment)
            self._profiles[user] = profile
            profile.collect_events()
        self._stays_begun += 1
        stay = Attendance.join(
            ROOM,
            f"s{self._stays_begun}",
            client=user,
            node="node",
            appearance=Appearance(profile.name, profile.colour, profile.avatar, profile.version),
            actor=user,
            at=self.moment,
        )
        self._stays.setdefault(user, []).append(stay)
        self._take(stay)
        self._mark("joined", user, "joined")

    def rename(self, user: str, name: str) -> None:
        profile = self._profiles[user]
        profile.change(name=name, colour=None, avatar=None, actor=user, at=self.moment)
        self._take(profile)

    def leave(self, user: str) -> None:
        """The oldest stay ends."""
        stay = self._stays[user].pop(0)
        stay.leave("left", actor=user, at=self.moment)
        self._take(stay)

    def is_here(self, user: str) -> bool:
        return bool(self._stays.get(user))

    def change_status(self, user: str, status: Status) -> None:
        stay = self._stays[user][-1]
        stay.change_status(status, "derived", actor=user, at=self.moment)
        self._take(stay)

    # Documents.

    def list_document(self, name: str, *, is_listed: bool = True) -> None:
        if is_listed:
            self._room.list_document(name, actor="ada", at=self.moment)
            self.documents.setdefault(name, Document.create(ROOM, name, actor="ada", at=self.moment))
            self.documents[name].collect_events()
        else:
            self._room.unlist_document(name, actor="ada", at=self.moment)
        self._take(self._room)

    def edit(self, user: str, name: str, op: Op, base: int | None = None) -> None:
        document = self.documents[name]
        seq = self._edits[user, name] = self._edits.get((user, name), 0) + 1
        given = Edit(user, seq, document.revision if base is None else base, op, f"{base} {op}")
        document.edit(given, actor=user, at=self.moment)
        self._take(document)

    def move(
        self, user: str, name: str, anchor: int, head: int | None = None, revision: int | None = None
    ) -> None:
        """A cursor; as if it was told in an earlier text with an earlier revision."""
        at = as_microseconds(self.moment)
        revision = self.documents[name].revision if revision is None else revision
        head = anchor if head is None else head
        self._presence.record([[user, name, revision, anchor, head, at]], [], at=self.moment)
        self._take(self._presence)

    def hide(self, user: str, name: str) -> None:
        self.move(user, name, HIDDEN)

    def type(self, user: str, where: str, *, is_typing: bool = True) -> None:
        sign: list[str | int] = [user, where, int(is_typing), as_microseconds(self.moment)]
        self._presence.record([], [sign], at=self.moment)
        self._take(self._presence)

    def save(self, user: str, name: str, called: str | None = None) -> None:
        saved = self._revisions.get(name)
        if saved is None:
            saved = self._revisions[name] = Revisions.begin(ROOM, name, actor=user, at=self.moment)
        saved.save(self.documents[name].revision, called, actor=user, at=self.moment)
        self._take(saved)
        self._mark("saved" if called is None else "named", user, f"saved {name}")

    def run(self, user: str, title: str, seconds: float, outcome: Outcome) -> None:
        run = Run.start(
            ROOM,
            f"r{self._position}",
            client=user,
            title=title,
            document=None,
            revision=None,
            actor=user,
            at=self.moment,
        )
        self._take(run)
        self._mark("ran", user, f"ran {title}")
        self.wait(seconds)
        run.finish(outcome, 0, client=user, actor=user, at=self.moment)
        self._take(run)

    # Chat.

    def say(self, user: str, text: str, reply_to: str | None = None) -> str:
        name = f"m{len(self.messages)}"
        message = Message.post(
            ROOM,
            name,
            client=user,
            text=text,
            documents={},
            reply_to=reply_to,
            mentions=mentioned_in(text),
            actor=user,
            at=self.moment,
        )
        self.messages[name] = message
        self._take(message)
        return name

    def reword(self, name: str, text: str) -> None:
        message = self.messages[name]
        message.edit(text, mentions=[], actor=str(message.author), at=self.moment)
        self._take(message)

    def erase(self, name: str) -> None:
        message = self.messages[name]
        message.delete(actor=str(message.author), at=self.moment)
        self._take(message)

    def react(self, user: str, name: str, emoji: str, *, is_reacted: bool = True) -> None:
        message = self.messages[name]
        if is_reacted:
            message.react(emoji, actor=user, at=self.moment)
        else:
            message.unreact(emoji, actor=user, at=self.moment)
        self._take(message)

    def pin(self, user: str, name: str, *, is_pinned: bool = True) -> None:
        self.messages[name].pin(is_pinned=is_pinned, actor=user, at=self.moment)
        self._take(self.messages[name])

    # The replay.

    def stages(self) -> Iterator[Stage]:
        """The same stage each time, behind each step; first before any."""
        stage = Stage()
        stage.advance(as_microseconds(START), "")
        yield stage
        for step in self.steps:
            stage.advance(step.at, str(step.place))
            for recorded in step.events:
                stage.take(recorded.position, recorded.event)
            yield stage

    def begin(self, since: int = 0) -> Begin[Stage]:
        """What a replay from behind the step `since` on begins with."""
        stage = next(stage for number, stage in enumerate(self.stages()) if number == since)
        return Begin(
            room=ROOM,
            since=stage.at,
            until=as_microseconds(self.moment),
            events=len(self.steps) - since,
            marks=self.marks,
            stage=stage,
            place=self.steps[since - 1].place if since else Place(stage.at, 0, 0),
        )

    def told(self, since: int = 0) -> tuple[list[Any], list[Any]]:
        """The lines of a replay from behind the step `since` on, as JSON; and the stages behind each of its
        steps, first the one it begins with.
        """
        steps = [(step, as_step(step)) for step in self.steps[since:]]
        folded = [orjson.loads(orjson.dumps(as_stage(stage))) for stage in self.stages()][since:]
        begin = self.begin(since)
        lines = [as_begin(begin), *(line for _, line in steps if line is not None), as_end(begin)]
        seen = [folded[0]]
        seen += [found for (_, line), found in zip(steps, folded[1:], strict=True) if line is not None]
        return _as_json(lines), seen


def _as_json(lines: Sequence[Any]) -> list[Any]:
    return [orjson.loads(orjson.dumps(line)) for line in lines]
