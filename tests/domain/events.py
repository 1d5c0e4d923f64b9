"""Moments, and documents with a past, for tests that speak in events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.aggregate import Aggregate, Event
from domain.document import Document, Edit, EditApplied
from domain.text_op import Op

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)


def later(seconds: float = 1) -> datetime:
    """A moment after noon."""
    return NOON + timedelta(seconds=seconds)


def edit(client: str, seq: int, base: int, op: Op) -> Edit:
    """An edit as submitted, with a digest that stands for its content."""
    return Edit(client, seq, base, op, digest=f"{base} {op!r}")


def a_document(*texts: str) -> Document:
    """A document that was typed by "setup", each text at its end, with nothing pending."""
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    for number, text in enumerate(texts, 1):
        end = len(document.text)
        op: Op = [end, text] if end else [text]
        document.edit(edit("setup", number, number - 1, op), actor="Ada", at=later(number))
    document.collect_events()
    return document


def a_restored_document(**state: Any) -> Document:
    """A document as if it had been read from a snapshot, for pasts too long to be played."""
    document = a_document()
    fields = {**document.as_state(), **state}
    fields["size_bytes"] = len(fields["text"].encode())
    document.restore_state(fields)
    return document


def submit(
    document: Document,
    submitted: Edit,
    *,
    earlier: Sequence[Op] = (),
    last: Any = None,
) -> list[EditApplied]:
    """What the document makes of an edit."""
    document.edit(submitted, actor="Ben", at=later(60), earlier=earlier, last=last)
    return [event for event in collect(document) if isinstance(event, EditApplied)]


def collect(aggregate: Aggregate) -> list[Event]:
    """The events that were decided."""
    return [event for event in aggregate.collect_events() if isinstance(event, Event)]


def fold(events: Sequence[Event]) -> Any:
    """The aggregate that a reader of the log sees."""
    aggregate: Any = None
    for event in events:
        aggregate = event.mutate(aggregate)
    return aggregate
