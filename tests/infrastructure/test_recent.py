"""The end of the log in memory: whoever reads there reads what the log would give."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from application.log import Recorded
from domain.aggregate import Event, Unreadable
from domain.message import Message
from domain.profile import Profile
from infrastructure.recent import RecentEvents
from tests.domain.events import NOON


def an_event(kind: str) -> Event:
    match kind:
        case "message":
            made = Message.post("demo", "m1", client="c", text="Hi", documents={}, actor="ada", at=NOON)
            [event] = made.collect_events()
        case "profile":
            [event] = Profile.create("ada", "Ada", actor="ada", at=NOON).collect_events()
        case _:
            event = Unreadable(  # type: ignore[call-arg]
                originator_id="message:demo/m2",
                originator_version=1,
                timestamp=NOON,
                actor="",
                topic="message.posted",
                reason="broken",
            )
    assert isinstance(event, Event)
    return event


class Log:
    """The whole log. `readings` counts how often it was asked."""

    def __init__(self, events: Sequence[Recorded]) -> None:
        self.events = events
        self.readings = 0

    async def read_page(
        self, position: int, limit: int, topics: frozenset[str] | None, until: int | None
    ) -> tuple[int, Sequence[Recorded]]:
        self.readings += 1
        behind = [r for r in self.events if r.position > position and (until is None or r.position <= until)]
        page = behind[:limit]
        wanted = [r for r in page if topics is None or _topic(r.event) in topics]
        return (page[-1].position if page else position), wanted


def _topic(event: Event) -> str:
    return event.topic if isinstance(event, Unreadable) else event.TOPIC


kinds = st.lists(st.sampled_from(["message", "profile", "unreadable"]), min_size=1, max_size=12)
topics = st.sampled_from(
    [None, frozenset({"message.posted"}), frozenset({"profile.created"}), frozenset[str]()]
)


@given(kinds, st.integers(0, 12), st.integers(1, 4), st.integers(1, 8), topics, st.data())
def test_a_page_is_that_of_the_log(
    log: list[str],
    told: int,
    batch: int,
    kept: int,
    wanted: frozenset[str] | None,
    data: st.DataObject,
) -> None:
    """However much of the log's end was told, in which batches, and wherever one stands."""
    events = [Recorded(2 * at + 1, an_event(kind)) for at, kind in enumerate(log)]
    whole = Log(events)
    recent = RecentEvents(whole, events_kept=kept)
    end = events[-told:] if told else []
    for begin in range(0, len(end), batch):
        recent.on_events(end[begin : begin + batch])
    position = data.draw(st.integers(0, 2 * len(log) + 1))
    until = data.draw(st.none() | st.integers(0, 2 * len(log) + 1))
    limit = data.draw(st.integers(1, 5))
    asked = (position, limit, wanted, until)
    assert asyncio.run(recent.read_page(*asked)) == asyncio.run(whole.read_page(*asked))


def test_who_is_nearly_there_reads_nothing_from_the_log() -> None:
    events = [Recorded(2 * at + 1, an_event("message")) for at in range(10)]
    log = Log(events)
    recent = RecentEvents(log)
    recent.on_events(events[:3])
    recent.on_events(events[3:])
    end, page = asyncio.run(recent.read_page(events[0].position, 100, None, None))
    assert (end, list(page), log.readings) == (events[-1].position, events[1:], 0)
    asyncio.run(recent.read_page(0, 100, None, None))
    assert log.readings == 1
