"""How replays are told: a million events over HTTP, and at 64 times their speed to twenty viewers, while
others type.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import aiohttp

from domain.aggregate import Snapshot
from domain.document import Created, EditApplied
from domain.room import DocumentListed, Opened
from infrastructure.postgres.database import Database
from infrastructure.snapshots import SNAPSHOT_EVERY
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.replay import Replay
from tests.benchmarks.harness import Machine, cpu_seconds, memory_bytes, percentile

EVENTS: Final = 1_000_000
ROOM: Final = "past"

# Of ten people who type all day.
EVENTS_PER_SECOND: Final = 5

VIEWERS: Final = 20
SPEED: Final = 64.0
TYPISTS: Final = 5
SECONDS: Final = 15.0

_ROOM: Final = f"""
INSERT INTO record (originator_id, originator_version, topic, state, actor, at)
SELECT 'room:{ROOM}', version, topic, convert_to(json_build_object(
    'originator_topic', 'room', 'room', '{ROOM}', 'title', 'Past', 'owner', 'ada', 'everyone', 'editor',
    'document', 'main.md', 'actor', 'ada',
    'at', (extract(epoch FROM moment) * 1000000)::bigint)::text, 'UTF8'), 'ada', moment
FROM (VALUES (1, '{Opened.TOPIC}'), (2, '{DocumentListed.TOPIC}')) AS begun (version, topic),
     (SELECT now() - interval '{EVENTS / EVENTS_PER_SECOND} seconds' AS moment) AS beginning
"""
_DOCUMENT: Final = f"""
INSERT INTO record (originator_id, originator_version, topic, state, actor, at)
SELECT 'document:{ROOM}/main.md', 1, '{Created.TOPIC}', convert_to(json_build_object(
    'originator_topic', 'document', 'room', '{ROOM}', 'name', 'main.md', 'actor', 'ada',
    'at', (extract(epoch FROM at) * 1000000)::bigint)::text, 'UTF8'), 'ada', at
FROM record WHERE originator_id = 'room:{ROOM}' AND originator_version = 1
"""
# A character comes and goes.
_EDITS: Final = f"""
INSERT INTO record (originator_id, originator_version, topic, state, actor, at, client, seq)
SELECT 'document:{ROOM}/main.md', n + 1, '{EditApplied.TOPIC}', convert_to(json_build_object(
    'client', 'c' || n % 10, 'seq', n, 'base', n - 1, 'revision', n, 'digest', '0123456789abcdef',
    'op', CASE WHEN n % 2 = 1 THEN json_build_array('x') ELSE '[{{{{"d":"x"}}}}]'::json END, 'cause', 'typed',
    'actor', 'u' || n % 10, 'at', (extract(epoch FROM moment) * 1000000)::bigint)::text, 'UTF8'),
    'u' || n % 10, moment, 'c' || n % 10, n
FROM (SELECT n, at + n * interval '{1 / EVENTS_PER_SECOND} seconds' AS moment FROM record,
      generate_series({{first}}, {{last}}) AS n
      WHERE originator_id = 'room:{ROOM}' AND originator_version = 1) AS edit
"""
# As a server makes them of a document.
_SNAPSHOTS: Final = f"""
INSERT INTO snapshots (originator_id, originator_version, topic, state)
SELECT originator_id, originator_version, '{Snapshot.TOPIC}', convert_to(json_build_object(
    'topic', 'document', 'at', (extract(epoch FROM at) * 1000000)::bigint,
    'state', json_build_object('text', '', 'revision', originator_version - 1))::text, 'UTF8')
FROM record WHERE originator_id = 'document:{ROOM}/main.md' AND originator_version % {SNAPSHOT_EVERY} = 1
"""
_PART: Final = 100_000


async def replay(running: Machine) -> dict[str, Any]:
    await _write(running)
    credentials = Credentials(name="Reader")
    async with aiohttp.ClientSession() as http:
        token = await credentials.token(http, running.url)
        told = await _over_http(running, http, token)
        alone = await _typed(running)
        watched = await _watched(running)
    return {"events": EVENTS, **told, "ack_ms_alone": alone, **watched}


async def _write(running: Machine) -> None:
    """The projections of the server are given the time to read it, too."""
    database = Database(running.dsn)
    await database.open()
    connection = await database.connect("benchmark")
    await connection.execute("SET statement_timeout = 0")
    for statement in (_ROOM, _DOCUMENT):
        await connection.execute(statement.encode())
    for first in range(1, EVENTS, _PART):
        await connection.execute(_EDITS.format(first=first, last=first + _PART - 1).encode())
    await connection.execute(_SNAPSHOTS.encode())
    await connection.execute("VACUUM ANALYZE record")
    while True:
        rows = await database.fetch(
            "SELECT min(notification_id) >= (SELECT max(notification_id) FROM record) FROM tracking"
        )
        if rows[0][0]:
            break
        await asyncio.sleep(1)
    await connection.close()
    await database.close()


async def _over_http(running: Machine, http: aiohttp.ClientSession, token: str) -> dict[str, Any]:
    url = f"{running.url}/api/rooms/{ROOM}/replay"
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get(f"{url}?to=1970-01-01", headers=headers) as response:
        await response.read()  # what is loaded for the first one stays
    before, cpu, began = memory_bytes(running.pid), cpu_seconds(running.pid), time.perf_counter()
    size, most, first = 0, before, 0.0
    timeout = aiohttp.ClientTimeout(total=None)
    async with http.get(url, headers=headers, timeout=timeout) as response:
        async for piece in response.content.iter_any():
            first = first or time.perf_counter() - began
            size += len(piece)
            most = max(most, memory_bytes(running.pid))
    seconds = time.perf_counter() - began
    async with http.get(f"{running.url}/api/rooms/{ROOM}/stage", headers=headers) as response:
        assert response.status == 200
    return {
        "http_seconds": round(seconds, 1),
        "http_first_line_ms": round(first * 1000, 1),
        "http_events_per_second": round(EVENTS / seconds),
        "http_megabytes": round(size / 1e6),
        "http_cpu_us_per_event": round((cpu_seconds(running.pid) - cpu) / EVENTS * 1e6, 1),
        "http_memory_growth_megabytes": round((most - before) / 1e6, 1),
    }


async def _watched(running: Machine) -> dict[str, Any]:
    viewers = [Client(running.url, ROOM, name=f"Viewer {number}") for number in range(VIEWERS)]
    await asyncio.gather(*(viewer.start() for viewer in viewers))
    seeks: list[float] = []
    replays = [await _opened(viewer, number, seeks) for number, viewer in enumerate(viewers)]
    counted = [asyncio.ensure_future(_count(replay)) for replay in replays]
    begun = [replay.at for replay in replays]
    before, cpu, since = memory_bytes(running.pid), cpu_seconds(running.pid), time.perf_counter()
    for replay in replays:
        await replay.play()
    acks = await _typed(running)
    seconds = time.perf_counter() - since
    ran = [(replay.at - at) / 1e6 / seconds for replay, at in zip(replays, begun, strict=True)]
    spent, grown = cpu_seconds(running.pid) - cpu, memory_bytes(running.pid) - before
    for replay in replays:
        await replay.close()
    shown = [await count for count in counted]
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    return {
        "viewers": VIEWERS,
        "seek_p50_ms": percentile([s * 1000 for s in seeks], 50),
        "seek_p99_ms": percentile([s * 1000 for s in seeks], 99),
        "speed_least": round(min(ran), 1),
        "events_per_second": round(sum(events for events, _ in shown) / seconds),
        "frames_per_second_each": round(sum(frames for _, frames in shown) / seconds / VIEWERS, 1),
        "cpu": round(spent / seconds, 2),
        "memory_growth_megabytes": round(grown / 1e6, 1),
        "ack_ms_beside": acks,
    }


async def _opened(viewer: Client, number: int, seeks: list[float]) -> Replay:
    replay = await viewer.replay(speed=SPEED)
    begin, until = replay.beginning["from"], replay.beginning["until"]
    for part in (0.9 - number / 40, number / 40 + 0.01):
        began = time.perf_counter()
        await replay.seek(int(begin + (until - begin) * part))
        seeks.append(time.perf_counter() - began)
    return replay


async def _count(replay: Replay) -> tuple[int, int]:
    """Events and frames that come until it is closed."""
    events = frames = 0
    async for told in replay:
        frames += 1
        events += sum(len(step["events"]) for step in told.get("steps", ()))
    return events, frames


async def _typed(running: Machine) -> dict[str, float]:
    """How long edits take that are made meanwhile, in another room."""
    acks: list[float] = []

    async def type_on(number: int) -> None:
        async with Client(running.url, "demo", name=f"Typist {number}") as client:
            document = await client.open(f"typed-{number}.md", create=True)
            end = time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                began = time.perf_counter()
                document.insert(0, "x")
                await document.saved()
                acks.append((time.perf_counter() - began) * 1000)
                await asyncio.sleep(0.05)

    await asyncio.gather(*(type_on(number) for number in range(TYPISTS)))
    return {"p50": percentile(acks, 50), "p99": percentile(acks, 99)}
