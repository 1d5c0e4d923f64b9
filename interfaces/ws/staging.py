"""A replay as it is told, over HTTP, on sockets, in exports: JSON of stages and steps.

An event of a step is exactly what sockets send for it: one of the record as in an `events` frame (it has an
`event`), what cursors and typing tell as a `presence` frame (it has a `type`). Who can show the present can
show a replay. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from application.log import Recorded
from application.past.replay import Begin, Mark, Step
from domain.presence import FrameRecorded
from interfaces.ws.wire import as_message, encode_recorded, presence_frame
from projections.stage import Stage, StagedPerson


def as_begin(begin: Begin[Stage]) -> dict[str, Any]:
    """The line that a replay begins with."""
    return {
        "type": "begin",
        "room": begin.room,
        "from": begin.since,
        "until": begin.until,
        "events": begin.events,
        "marks": [as_mark(mark) for mark in begin.marks],
        "stage": as_stage(begin.stage),
    }


def as_step(step: Step) -> dict[str, Any] | None:
    """The line of a step, None for one of which nobody is told anything."""
    encoded = [data for recorded in step.events if (data := _encode(recorded)) is not None]
    if not encoded:
        return None
    events = [orjson.Fragment(data) for data in encoded]
    return {"type": "step", "at": step.at, "place": str(step.place), "events": events}


def as_end(begin: Begin[Stage]) -> dict[str, Any]:
    """The line that a replay ends with."""
    return {"type": "end", "at": begin.until}


def _encode(recorded: Recorded) -> bytes | None:
    event = recorded.event
    if isinstance(event, FrameRecorded):
        return presence_frame(recorded.position, [event]).payload
    return encode_recorded(recorded)


def as_stage(stage: Stage) -> dict[str, Any]:
    """The whole room at a moment. A document that is not `listed` any more is not seen; its text is here
    since it may be listed again.
    """
    return {
        "at": stage.at,
        "place": stage.place,
        "documents": [
            {
                "document": document.name,
                "revision": document.revision,
                "text": str(document.text),
                "listed": document.is_listed,
            }
            for document in stage.documents.values()
        ],
        "people": [as_person(person) for person in stage.people],
        "messages": [{**as_message(message), "position": message.position} for message in stage.messages],
    }


def as_mark(mark: Mark) -> Mapping[str, Any]:
    return {
        "at": mark.at,
        "position": mark.position,
        "kind": mark.kind,
        "user": mark.user,
        "text": mark.text,
    }


def as_person(person: StagedPerson) -> dict[str, Any]:
    cursor, typing = person.cursor, person.typing
    return {
        "client": person.client,
        "user": person.user,
        "name": person.name,
        "colour": person.colour,
        "status": person.status,
        "cursor": cursor
        and {
            "document": cursor.document,
            "revision": cursor.revision,
            "anchor": cursor.anchor,
            "head": cursor.head,
        },
        "typing": typing and {"document": typing.where or None, "at": typing.at},
    }
