"""The scenarios: what is measured, each a function from a running machine to its figures."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
import orjson
import psycopg

from tests.benchmarks.harness import (
    MOVES,
    SENT,
    Load,
    Machine,
    Typist,
    create_rooms,
    memory_bytes,
    percentile,
    typists,
)

SETTLE_SECONDS: Final = 1.0


def one_room(_: int) -> str:
    return "bench"


async def paced(
    people: Sequence[Typist],
    per_second: float,
    seconds: float,
    do: Callable[[Typist], Awaitable[None]] = Typist.type,
) -> None:
    """Everybody does something at a rate, evenly spread over the time."""
    end = time.perf_counter() + seconds

    async def person(index: int) -> None:
        await asyncio.sleep(index / len(people) / per_second)
        at = time.perf_counter()
        while at < end:
            await do(people[index])
            at += 1 / per_second
            await asyncio.sleep(max(0.0, at - time.perf_counter()))

    await asyncio.gather(*(person(i) for i in range(len(people))))


async def people(
    running: Machine, count: int = 100, per_second: float = 2.0, seconds: float = 10.0
) -> dict[str, Any]:
    """One document, `count` people, `per_second` edits each."""
    async with typists(running.url, count, one_room, f"people-{os.urandom(3).hex()}") as (crowd, figures):
        await paced(crowd, per_second, 2.0)
        figures.latencies.clear()
        figures.acks.clear()
        figures.edits = 0
        load = Load(running)
        load.begin()
        await paced(crowd, per_second, seconds)
        spent = load.end()
        await asyncio.sleep(SETTLE_SECONDS)
        return {**figures.summary(), **spent}


async def rooms(running: Machine, count: int = 50, each: int = 4, seconds: float = 10.0) -> dict[str, Any]:
    """`count` rooms with `each` people, 2 edits/s each."""
    mark = os.urandom(2).hex()
    async with typists(running.url, count * each, lambda i: f"r{i % count}-{mark}", "main.md") as (
        crowd,
        figures,
    ):
        await paced(crowd, 2.0, 2.0)
        figures.latencies.clear()
        load = Load(running)
        load.begin()
        await paced(crowd, 2.0, seconds)
        spent = load.end()
        await asyncio.sleep(SETTLE_SECONDS)
        return {**figures.summary(), **spent}


async def closed_loop(running: Machine, clients: int, size: int = 0, seconds: float = 6.0) -> dict[str, Any]:
    """One document of `size` characters, `clients` that send as soon as they are acknowledged."""
    document = f"loop-{os.urandom(3).hex()}"
    async with typists(running.url, 1, one_room, document) as ((writer,), _):
        await _fill(writer, size)
    async with typists(running.url, clients, one_room, document) as (crowd, figures):
        for person in crowd:
            person.on_ack = person.type
        for person in crowd:
            await person.type()
        await asyncio.sleep(1.0)
        figures.acks.clear()
        figures.edits = 0
        batches = await _batches(running)
        load = Load(running)
        load.begin()
        await asyncio.sleep(seconds)
        edits = figures.edits
        spent = load.end()
        for person in crowd:
            person.on_ack = None
        await asyncio.sleep(SETTLE_SECONDS)
        batches = await _batches(running) - batches
        return {
            "edits_per_batch": round(edits / batches, 1) if batches else None,
            "edits_per_second": round(edits / spent["seconds"]),
            **figures.summary(),
            **spent,
        }


async def _batches(running: Machine) -> int:
    """Transactions that the server has committed to the record; 0 on the floor, which does not tell."""
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith('chronoscribe_batches_committed_total{log="record"}'):
                return round(float(line.split()[-1]))
    return 0


async def _fill(writer: Typist, size: int) -> None:
    """Bring the document to `size` characters by pasting."""
    done = asyncio.Event()

    async def acked() -> None:
        done.set()

    writer.on_ack = acked
    while writer.length < size:
        paste = ("lorem ipsum dolor sit amet " * 2_000)[: min(50_000, size - writer.length)]
        writer.seq += 1
        op: list[Any] = [writer.length, paste] if writer.length else [paste]
        writer.sent_at = SENT[writer.name, writer.seq] = time.perf_counter()
        frame = {
            "type": "edit",
            "ref": 1,
            "document": writer.document,
            "seq": writer.seq,
            "base": writer.revision,
            "op": op,
        }
        await writer.socket.send_str(orjson.dumps(frame).decode())
        await done.wait()
        done.clear()


async def cursors(
    running: Machine, count: int = 100, per_second: float = 10.0, seconds: float = 8.0
) -> dict[str, Any]:
    """`count` people who move their cursor `per_second` times; every move is logged."""
    async with typists(running.url, count, one_room, f"cursors-{os.urandom(3).hex()}") as (crowd, figures):
        # A move is known again by its anchor, and the server clamps a cursor to the text.
        await _fill(crowd[0], round(2 * count * per_second * seconds))
        figures.latencies.clear()
        figures.received_bytes = 0
        load = Load(running)
        load.begin()
        end = time.perf_counter() + seconds
        await asyncio.gather(*(_move(crowd, i, per_second, end) for i in range(count)))
        spent = load.end()
        await asyncio.sleep(SETTLE_SECONDS)
        logged = await _moves_logged(running)
        return {
            "moves": len(MOVES),
            "moves_logged": logged,
            "moves_per_second": round(logged / spent["seconds"], 1),
            "bytes_per_client_and_second": round(figures.received_bytes / count / spent["seconds"]),
            **figures.summary(),
            **spent,
        }


async def _moves_logged(running: Machine) -> int:
    """What the presence log holds of them: every one, whatever was shown."""
    async with await psycopg.AsyncConnection.connect(running.dsn) as connection:
        rows = await connection.execute(
            "SELECT coalesce(sum(jsonb_array_length(convert_from(state, 'UTF8')::jsonb -> 'moves')), 0)"
            " FROM presence WHERE topic = 'presence.frame_recorded'"
        )
        found = await rows.fetchone()
    assert found is not None
    return int(found[0])


async def _move(crowd: list[Typist], index: int, per_second: float, end: float) -> None:
    await asyncio.sleep(index / len(crowd) / per_second)
    person = crowd[index]
    at = time.perf_counter()
    while at < end:
        number = len(MOVES)
        MOVES.append(time.perf_counter())
        frame = {
            "type": "cursor",
            "ref": 1,
            "document": person.document,
            "revision": person.revision,
            "anchor": number,
            "head": number,
        }
        await person.socket.send_str(orjson.dumps(frame).decode())
        at += 1 / per_second
        await asyncio.sleep(max(0.0, at - time.perf_counter()))


async def idle(running: Machine, count: int = 1_000, seconds: float = 10.0) -> dict[str, Any]:
    """`count` idle connections in 50 rooms."""
    before = memory_bytes(running.pid)
    mark = os.urandom(2).hex()
    async with typists(running.url, count, lambda i: f"i{i % 50}-{mark}", None):
        await asyncio.sleep(SETTLE_SECONDS)
        memory = memory_bytes(running.pid) - before
        load = Load(running)
        load.begin()
        await asyncio.sleep(seconds)
        return {"bytes_per_connection": memory // count, **load.end()}


async def open_after(running: Machine, edits: int = 50_000) -> dict[str, Any]:
    """Open a document that has had `edits` edits: from the log after a restart, and from memory."""
    document = f"long-{os.urandom(3).hex()}"
    async with typists(running.url, 20, one_room, document) as (crowd, figures):
        for person in crowd:
            person.on_ack = person.type
            await person.type()
        while figures.edits < edits:  # noqa: ASYNC110 -- a benchmark may poll
            await asyncio.sleep(0.1)
        for person in crowd:
            person.on_ack = None
        await asyncio.sleep(SETTLE_SECONDS)
    running.restart()
    cold, size, text = await _time_open(running, document)
    warm = [await _time_open(running, document) for _ in range(15)]
    return {
        "cold_ms": round(cold, 2),
        "warm_ms": percentile([w[0] for w in warm], 50),
        "bytes": size,
        "text_bytes": text,
    }


async def _time_open(running: Machine, document: str) -> tuple[float, int, int]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{running.url}/ws/bench", protocols=["chronoscribe.v1"], max_msg_size=0) as socket,
    ):
        person = Typist(socket, f"o{random.randrange(10**9)}", figures=None)  # type: ignore[arg-type]
        await person.begin(None)
        started = time.perf_counter()
        opened = await person.request(type="open", document=document)
        seconds = time.perf_counter() - started
        return seconds * 1000, len(orjson.dumps(opened)), len(opened["text"].encode())


async def restart(running: Machine, count: int = 1_000) -> dict[str, Any]:
    """kill -9 with `count` connected clients of the Python client: until the last one has resumed."""
    from interfaces.pyclient.client import Client

    clients = [Client(running.url, f"b{i % 50}", name=f"c{i}") for i in range(count)]
    async with aiohttp.ClientSession() as http:
        await create_rooms(http, running.url, {f"b{i}" for i in range(50)})
    for start in range(0, count, 50):
        await asyncio.gather(*(client.__aenter__() for client in clients[start : start + 50]))
    await asyncio.sleep(SETTLE_SECONDS)
    running.process.send_signal(signal.SIGKILL)
    await asyncio.sleep(0.3)
    began = time.perf_counter()
    await asyncio.to_thread(running.restart, signal.SIGKILL)
    up = time.perf_counter() - began
    while not all(client.is_online for client in clients):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.02)
    resumed = time.perf_counter() - began
    await asyncio.gather(*(client.close() for client in clients))
    return {"server_up_seconds": round(up, 2), "last_resumed_seconds": round(resumed, 2)}


async def write_ahead_log(running: Machine, seconds: float = 5.0) -> dict[str, Any]:
    """Bytes of write-ahead log for each edit of ten busy clients."""
    async with await psycopg.AsyncConnection.connect(running.dsn, autocommit=True) as connection:

        async def position() -> int:
            row = await (
                await connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
            ).fetchone()
            assert row is not None
            return int(row[0])

        async with typists(running.url, 10, one_room, f"wal-{os.urandom(3).hex()}") as (crowd, figures):
            await connection.execute("CHECKPOINT")
            for person in crowd:
                person.on_ack = person.type
                await person.type()
            await asyncio.sleep(1.0)  # the first change of a page after a checkpoint logs the whole page
            before, edits = await position(), figures.edits
            await asyncio.sleep(seconds)
            after, done = await position(), figures.edits
            for person in crowd:
                person.on_ack = None
        return {"bytes_per_edit": round((after - before) / (done - edits)), "edits": done - edits}
