"""Whatever somebody sends, it is refused with its code, and nobody else notices.

One server for all; around each attack stand the witnesses (see `witnesses`): two clients in the same room
and document and two in another room, who go on exchanging edits, see nothing of the attack, and find
the documents changed by nobody but themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio

from domain.limits import CHAT_BYTES, DOCUMENT_CODE_POINTS, FRAME_BYTES, OP_COMPONENTS, OP_TEXT_BYTES
from interfaces.pyclient.client import Client
from tests.acceptance.raw_sockets import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame_bytes
from tests.acceptance.witnesses import (
    ATTACKED_ROOM,
    CANARY,
    DOCUMENT,
    Witnesses,
    witnesses,
)
from tests.servers import ServerProcess, running_server
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

EMOJI: Final = "\N{GRINNING FACE}"

# Low enough that a busy machine still takes a storm in faster than that; buckets hold two seconds of it.
EDITS_PER_SECOND: Final = 200
FRAMES_PER_SECOND: Final = 300

# Far more than a bucket holds.
STORM_FRAMES: Final = 4_000

# No `hello` within 5 s, looked at once a second, and a second for the close.
HELLO_SECONDS: Final = 7.5

# A reader that takes nothing for 10 s is cut, with a second for the close; on a busy machine all is later.
SLOW_SECONDS: Final = 60.0

_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(edits_per_second=EDITS_PER_SECOND, frames_per_second=FRAMES_PER_SECOND) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(server: ServerProcess) -> AsyncIterator[Witnesses]:
    async with witnesses(server) as people:
        yield people


@asynccontextmanager
async def attacker(people: Witnesses, *documents: str) -> AsyncIterator[RawSocket]:
    """A greeted socket in the witnesses' room with documents open, around which they stay undisturbed."""
    async with (
        await RawSocket.connect(people.server.url, ATTACKED_ROOM) as socket,
        people.undisturbed(socket),
    ):
        assert (await socket.greet(f"attacker-{next(_numbers)}"))["type"] == "welcome"
        for document in documents or (DOCUMENT,):
            opened = await socket.open(document)
            assert opened["type"] == "opened", opened
        yield socket


async def is_alive(socket: RawSocket) -> bool:
    return (await socket.ask(type="ping")) == {"type": "ok", "ref": socket.last_ref}


# Frames that are none, and frames of a wrong shape.


def edit(op: str = '["x"]', **changes: str) -> str:
    """An edit as JSON text, with fields replaced by JSON texts, or left out when empty."""
    fields = {"type": '"edit"', "ref": "7", "document": f'"{DOCUMENT}"', "seq": "1", "base": "1", "op": op}
    pairs = (fields | changes).items()
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs if value) + "}"


NOT_JSON: Final = {
    "words": f"{CANARY} is no JSON",
    "nothing": "",
    "blanks": "  \n",
    "a list": "[]",
    "a text": '"x"',
    "a number": "1",
    "null": "null",
    "two objects": "{}{}",
    "half an object": '{"type":"ping","ref":7',
    "a batch": "[" + ",".join(['{"type":"ping","ref":7}'] * 1_000) + "]",
    "deep lists": "[" * 60_000,
    "deep objects": '{"a":' * 12_000,
    "a deep op": edit("[" * 20_000 + "]" * 20_000),
    "single quotes": "{'type':'ping','ref':7}",
    "a control character": '{"type":"ping","ref":7,"x":"\x01"}',
    "infinity": edit(base="Infinity"),
    "not a number": edit(base="NaN"),
    "a byte order mark": '\ufeff{"type":"ping","ref":7}',
}


@pytest.mark.parametrize("data", NOT_JSON.values(), ids=NOT_JSON)
async def test_what_is_no_json_is_refused(people: Witnesses, data: str) -> None:
    async with attacker(people) as socket:
        await socket.send(data)
        assert (await socket.refusal())["code"] in {"E_JSON", "E_SCHEMA"}
        assert await is_alive(socket)


UNKNOWN_TYPES: Final = {
    "an unknown type": '{"type":"become_owner","ref":7}',
    "an empty type": '{"type":"","ref":7}',
    "a type that is a number": '{"type":1,"ref":7}',
    "another case": '{"type":"Ping","ref":7}',
    "a server's frame": '{"type":"welcome","ref":7}',
}


@pytest.mark.parametrize("data", UNKNOWN_TYPES.values(), ids=UNKNOWN_TYPES)
async def test_an_unknown_type_is_refused(people: Witnesses, data: str) -> None:
    async with attacker(people) as socket:
        await socket.send(data)
        assert (await socket.answer_to(7))["code"] == "E_TYPE"
        assert await is_alive(socket)


BAD_SHAPES: Final = {
    "no fields": '{"type":"edit","ref":7}',
    "no ref": '{"type":"ping"}',
    "no number": edit(seq=""),
    "one field too many": edit(user='"root"'),
    "somebody's name": edit(actor='"Witness 1"'),
    "somebody's id": edit(client='"witness"'),
    "somebody's time": edit(at="0"),
    "a prototype": edit(__proto__='{"admin":true}'),
    "a constructor": edit(constructor='{"name":"x"}'),
    "a ref that is a text": edit(ref='"7"'),
    "a ref of 10 KB": edit(ref='"' + "7" * 10_000 + '"'),
    "an integer of 5,000 digits": edit(base="9" * 5_000),
    "an integer beyond 2^53-1": edit(base=str(2**53)),
    "an integer beyond 64 bits": edit(base=str(2**64)),
    "an integer beyond all floats": edit(base="1e400"),
    "a negative integer": edit(base="-1"),
    "a number with a point": edit(base="1.0"),
    "a text for a number": edit(base='"1"'),
    "a truth for a number": edit(base="true"),
    "null for a number": edit(base="null"),
    "number zero": edit(seq="0"),
    "an op that is an object": edit('{"0":"x"}'),
    "an op that is a text": edit('"x"'),
    "a document above": edit(document='"../main.md"'),
    "a document with two dots": edit(document='"a..b"'),
    "a document in per cents": edit(document='"%2e%2e"'),
    "a document with NUL": edit(document='"main\\u0000.md"'),
    "a document with a line end": edit(document='"main.md\\n"'),
    "a document of 300 letters": edit(document='"' + "d" * 300 + '"'),
    "a document in look-alikes": edit(document='"m\\u0430in.md"'),
    "a stream for a document": edit(document='"document:attacked/main.md"'),
    "a message id of 10 KB": json.dumps({"type": "post", "ref": 7, "message": "m" * 10_000, "text": CANARY}),
    "a message id with controls": json.dumps({"type": "post", "ref": 7, "message": "\x1b[2J", "text": "x"}),
    "a page of a million edits": json.dumps(
        {"type": "catch_up", "ref": 7, "document": DOCUMENT, "after": 0, "limit": 1_000_000}
    ),
    "a cursor beyond 2^53-1": json.dumps(
        {"type": "cursor", "ref": 7, "document": DOCUMENT, "revision": 1, "anchor": 2**53, "head": 0}
    ),
    "a second hello": json.dumps({"type": "hello", "ref": 7, "protocol": 1, "client": "x"}),
}


@pytest.mark.parametrize("data", BAD_SHAPES.values(), ids=BAD_SHAPES)
async def test_a_frame_of_a_wrong_shape_is_refused(people: Witnesses, data: str) -> None:
    async with attacker(people) as socket:
        await socket.send(data)
        assert (await socket.refusal())["code"] in {"E_SCHEMA", "E_JSON"}
        assert await is_alive(socket)


async def test_of_a_field_that_is_there_twice_the_last_one_counts(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send('{"type":"nonsense","ref":1,"ref":8,"type":"ping"}')
        assert (await socket.answer_to(8))["type"] == "ok"


async def test_who_sends_nonsense_again_and_again_is_ended(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send_storm(['{"type":"nonsense","ref":7}'] * 1_000)
        assert await socket.closed() == 4506
        assert 20 <= sum(b"E_TYPE" in heard for heard in socket.heard) <= 25


# Ops.


BAD_OPS: Final = {
    "a skip beyond the end": ('[1000000,"x"]', "E_OP_INVALID"),
    "a delete beyond the end": ('[{"d":1000000}]', "E_OP_INVALID"),
    "a skip beyond all numbers": ('[9007199254740991,"x"]', "E_OP_INVALID"),
    "two skips that overflow together": ('[9007199254740991,"x",9007199254740991,"y"]', "E_OP_INVALID"),
    "a deleted text that is not there": ('[{"d":"something else"}]', "E_OP_INVALID"),
    "a skip of nothing": ('[0,"x"]', "E_OP_INVALID"),
    "a skip backwards": ('[-1,"x"]', "E_OP_INVALID"),
    "a skip of 1.0": ('[1.0,"x"]', "E_OP_INVALID"),
    "a skip of true": ('[true,"x"]', "E_OP_INVALID"),
    "a skip of null": ('[null,"x"]', "E_OP_INVALID"),
    "a skip of more than 2^53-1": ('[9007199254740992,"x"]', "E_OP_INVALID"),
    "a skip of 5,000 digits": ("[" + "9" * 5_000 + ',"x"]', None),
    "a skip of 1e400": ('[1e400,"x"]', None),
    "a skip of infinity": ('[Infinity,"x"]', None),
    "not a number": ('[NaN,"x"]', None),
    "an insert of nothing": ('[""]', "E_OP_INVALID"),
    "a delete of nothing": ('[{"d":0}]', "E_OP_INVALID"),
    "a delete of no text": ('[{"d":""}]', "E_OP_INVALID"),
    "a delete of a list": ('[{"d":[1]}]', "E_OP_INVALID"),
    "a delete with a friend": ('[{"d":1,"e":1}]', "E_OP_INVALID"),
    "a delete of something else": ('[{"i":"x"}]', "E_OP_INVALID"),
    "a component in a component": ('[["x"]]', "E_OP_INVALID"),
    "two inserts side by side": ('["x","y"]', "E_OP_INVALID"),
    "two skips side by side": ('[1,1,"x"]', "E_OP_INVALID"),
    "two deletes side by side": ('[{"d":1},{"d":1}]', "E_OP_INVALID"),
    "a skip at the end": ('["x",1]', "E_OP_INVALID"),
    "100 levels": ("[" * 100 + "]" * 100, "E_OP_INVALID"),
    "too many components": ("[" + '1,"x",' * (OP_COMPONENTS // 2) + "1]", "E_OP_SIZE"),
    "too much text": (f'["{"x" * (OP_TEXT_BYTES + 1)}"]', "E_OP_SIZE"),
    "too many bytes": ('["' + "\u20ac" * (OP_TEXT_BYTES // 3 + 1) + '"]', "E_OP_SIZE"),
    "NUL": (f'["{CANARY}\\u0000"]', "E_TEXT"),
    "half an emoji": (f'["{CANARY}\\ud83d"]', "E_TEXT"),
    "the other half": ('["\\ude00"]', "E_TEXT"),
    "the halves the wrong way round": ('["\\ude00\\ud83d"]', "E_TEXT"),
    "half an emoji deleted": ('[{"d":"\\ud83d"}]', "E_TEXT"),
}


@pytest.mark.parametrize(("op", "code"), BAD_OPS.values(), ids=BAD_OPS)
async def test_a_bad_op_is_refused_and_changes_nothing(people: Witnesses, op: str, code: str | None) -> None:
    async with attacker(people) as socket:
        base = str(people.here.documents[0].revision)
        await socket.send(edit(op, base=base))
        found = (await socket.refusal())["code"]
        assert found == code or (code is None and found in {"E_JSON", "E_SCHEMA", "E_OP_INVALID"})
        assert await is_alive(socket)


async def test_positions_are_code_points_and_one_counted_in_utf_16_is_past_the_end(people: Witnesses) -> None:
    async with attacker(people, "emoji.md") as socket:
        assert (await socket.edit("emoji.md", 1, 0, [EMOJI]))["revision"] == 1
        assert (await socket.edit("emoji.md", 2, 1, [2, "x"]))["code"] == "E_OP_INVALID"
        assert (await socket.edit("emoji.md", 2, 1, [1, "x"]))["revision"] == 2
        family = "\U0001f468‍\U0001f469‍\U0001f467"  # five code points, one sign
        assert (await socket.edit("emoji.md", 3, 2, [1, family]))["revision"] == 3
        assert (await socket.edit("emoji.md", 4, 3, [6, "\U0001f1e9\U0001f1ea"]))["revision"] == 4
    assert stored(people, "emoji.md")["text"] == f"{EMOJI}{family}\U0001f1e9\U0001f1eax"


async def test_texts_are_stored_as_they_come(people: Witnesses) -> None:
    ends = "a\r\nb\nc\rd\u2028e\u2029f"
    text = f"{ends}\ufeffg\u202eh\u2066i\x1b[2Jj\u0301 {{0.__class__}} %s ${{x}} '; drop table record; --"
    async with attacker(people, "odd.md") as socket:
        assert (await socket.edit("odd.md", 1, 0, [text]))["revision"] == 1
    assert stored(people, "odd.md")["text"] == text


async def test_who_is_ahead_of_the_server_is_told_to_stop(people: Witnesses) -> None:
    for request in (
        {"type": "edit", "seq": 1, "base": 10**6, "op": ["x"]},
        {"type": "open", "revision": 10**6},
        {"type": "catch_up", "after": 10**6, "limit": 10},
    ):
        async with attacker(people) as socket:
            answer = await socket.ask(document=DOCUMENT, **request)
            assert answer["code"] == "E_VERSION_AHEAD"
            assert await socket.closed() == 4507


async def test_numbers_are_used_in_order_and_once(people: Witnesses) -> None:
    document = "numbers.md"
    async with attacker(people, document) as socket:
        early = await socket.edit(document, 2, 0, ["b"])
        assert (early["code"], early["expected"], early["actual"]) == ("E_SEQ", 1, 2)
        assert (await socket.edit(document, 1, 0, ["a"]))["revision"] == 1
        assert (await socket.edit(document, 2, 0, ["b"]))["revision"] == 2
        assert (await socket.edit(document, 2, 0, ["b"]))["type"] == "ok"
        assert (await socket.edit(document, 2, 0, ["c"]))["code"] == "E_ID_REUSED"
        assert (await socket.edit(document, 2, 1, ["b"]))["code"] == "E_ID_REUSED"
        assert (await socket.edit(document, 1, 0, ["a"]))["type"] == "ok"
    found = stored(people, document)
    assert (found["text"], found["revision"]) == ("ba", 2)


async def test_a_document_that_is_not_open_is_not_edited(people: Witnesses) -> None:
    async with attacker(people, "open.md") as socket:
        cursor = {"document": DOCUMENT, "revision": 1, "anchor": 0, "head": 0}
        assert (await socket.edit(DOCUMENT, 1, 0, ["x"]))["code"] == "E_NOT_JOINED"
        assert (await socket.ask(type="cursor", **cursor))["code"] == "E_NOT_JOINED"
        assert (await socket.ask(type="open", document="missing.md"))["code"] == "E_NOT_FOUND"
        assert (await socket.ask(type="catch_up", document="missing.md", after=0))["code"] == "E_NOT_FOUND"


async def test_a_document_does_not_grow_beyond_its_limit(people: Witnesses) -> None:
    document, seq = "big.md", 0
    piece = "x" * (OP_TEXT_BYTES - 2)
    async with attacker(people, "small.md") as socket:
        await socket.send(json.dumps({"type": "edit", "op": ["x" * 10_000_000]}))
        # The rest of what we send makes the kernel forget what the server said before it closed.
        assert await socket.closed() in {1009, None}
    # A megabyte more in memory, several times; so no look at the memory.
    async with await RawSocket.connect(people.server.url, ATTACKED_ROOM) as socket:
        await socket.greet(f"attacker-{next(_numbers)}")
        await socket.open(document)
        while (answer := await socket.edit(document, seq + 1, seq, [piece])).get("event") == "edit":
            seq += 1
        assert answer["code"] == "E_DOC_SIZE"
        assert seq == DOCUMENT_CODE_POINTS // len(piece)
        assert (await socket.edit(document, seq + 1, seq, [{"d": 1}]))["revision"] == seq + 1
        assert (await socket.edit(document, seq + 2, seq + 1, ["y"]))["revision"] == seq + 2
    assert stored(people, document)["text"] == "y" + (piece * seq)[1:]


# Chat and cursors.


BAD_POSTS: Final = {
    "nothing": ("", "E_TEXT"),
    "blanks": (" \n\t ", "E_TEXT"),
    "NUL": (f"{CANARY}\x00", "E_TEXT"),
    "half an emoji": (f"{CANARY}\ud83d", "E_TEXT"),
    "too much": ("x" * (CHAT_BYTES + 1), "E_OP_SIZE"),
    "too many bytes": ("\u20ac" * (CHAT_BYTES // 3 + 1), "E_OP_SIZE"),
}


@pytest.mark.parametrize(("text", "code"), BAD_POSTS.values(), ids=BAD_POSTS)
async def test_a_bad_message_is_refused_and_seen_by_nobody(people: Witnesses, text: str, code: str) -> None:
    async with attacker(people) as socket:
        assert (await socket.ask(type="post", message="bad", text=text))["code"] == code


async def test_a_cursor_past_the_end_is_shown_at_the_end(people: Witnesses) -> None:
    seen: list[Any] = []
    stop = people.here.clients[0].on("presence", seen.append)
    async with attacker(people) as socket:
        document = people.here.documents[0]
        request = {"document": DOCUMENT, "revision": document.revision, "anchor": 10**12, "head": 10**15}
        await socket.send_json(type="cursor", ref=7, **request)
        await until(lambda: seen)
        stop()
        (move,) = seen[0].moves
        assert (move["anchor"], move["head"]) == (len(document), len(document))


# Hello.


BAD_HELLOS: Final = {
    "an id with a slash": ({"client": "a/b"}, 4500, "E_SCHEMA"),
    "an id of 65 letters": ({"client": "c" * 65}, 4500, "E_SCHEMA"),
    "no id": ({"client": ""}, 4500, "E_SCHEMA"),
    "no name": ({"name": ""}, 4500, "E_SCHEMA"),
    "a blank name": ({"name": " "}, 4500, "E_SCHEMA"),
    "a name of 65 letters": ({"name": "n" * 65}, 4500, "E_SCHEMA"),
    "a name of 10 KB": ({"name": CANARY * 900}, 4500, "E_SCHEMA"),
    "a name with a zero-width space": ({"name": "admin\u200b"}, 4500, "E_SCHEMA"),
    "a name that turns what follows": ({"name": "nimda\u202e"}, 4500, "E_SCHEMA"),
    "a name with a line end": ({"name": "a\nb"}, 4500, "E_SCHEMA"),
    "a name with half an emoji": ({"name": "\ud83d"}, 4500, "E_TEXT"),
    "a role": ({"role": "owner"}, 4500, "E_SCHEMA"),
    "a resume that is none": ({"resume": {"epoch": 1, "position": -1}}, 4500, "E_SCHEMA"),
    "another version": ({"protocol": 2}, 4505, "E_SCHEMA"),
    "a version of 2^60": ({"protocol": 2**60}, 4500, "E_SCHEMA"),
}


@pytest.mark.parametrize(("fields", "close", "code"), BAD_HELLOS.values(), ids=BAD_HELLOS)
async def test_a_bad_hello_ends_the_socket(
    people: Witnesses, fields: dict[str, Any], close: int, code: str
) -> None:
    async with (
        await RawSocket.connect(people.server.url, ATTACKED_ROOM, by=people.host) as socket,
        people.undisturbed(socket),
    ):
        answer = await socket.greet("attacker", **fields)
        assert (answer["type"], answer["code"]) == ("error", code)
        assert await socket.closed() == close


@pytest.mark.parametrize(
    "data", ['{"type":"ping","ref":7}', edit(), "nonsense", '{"type":"pong"}{"type":"pong"}', "[]"]
)
async def test_whoever_does_not_begin_with_hello_is_ended(people: Witnesses, data: str) -> None:
    url = people.server.url
    async with (
        await RawSocket.connect(url, ATTACKED_ROOM, by=people.host) as known,
        await RawSocket.connect(url, ATTACKED_ROOM) as stranger,
        people.undisturbed(known, stranger),
    ):
        await known.send(data)
        assert await known.closed() == 4500
        await stranger.send(data)
        assert (await stranger.refusal())["code"] == "E_AUTH"
        assert await stranger.closed() == 4501


async def test_a_room_that_does_not_exist_cannot_be_entered(people: Witnesses) -> None:
    async with await RawSocket.connect(people.server.url, "nowhere") as socket, people.undisturbed(socket):
        assert (await socket.greet("attacker"))["code"] == "E_NOT_FOUND"
        assert await socket.closed() == 4503


async def test_the_same_client_again_takes_the_place_of_the_first(people: Witnesses) -> None:
    url = people.server.url
    async with attacker(people) as first, await RawSocket.connect(url, ATTACKED_ROOM) as second:
        assert (await second.greet(first.client, by=first.guest))["type"] == "welcome"
        assert await first.closed() == 4406
        assert await is_alive(second)


async def test_one_client_cannot_end_another(people: Witnesses) -> None:
    """A resume of another history, from the future or from nowhere is just a new beginning."""
    for epoch, position in (("00000000-0000-0000-0000-000000000000", 5), (CANARY, 2**53 - 1)):
        socket = await RawSocket.connect(people.server.url, ATTACKED_ROOM, by=people.host)
        async with socket, people.undisturbed(socket):
            answer = await socket.greet("resuming", resume={"epoch": epoch, "position": position})
            assert (answer["type"], answer["resumed"]) == ("welcome", False)


# The WebSocket layer.


async def test_a_frame_may_have_64_kib_and_not_a_byte_more(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send('{"type":"ping","ref":7}'.ljust(FRAME_BYTES))
        assert (await socket.answer_to(7))["type"] == "ok"
        await socket.send('{"type":"ping","ref":8}'.ljust(FRAME_BYTES + 1))
        assert await socket.closed() == 1009


async def test_a_frame_that_announces_a_terabyte_is_refused_at_once(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send(b"abcd", length=2**40)
        assert await socket.closed() == 1009


WRONG_FRAMES: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "text that is no UTF-8": ({"payload": b"\xff\xfe\xfd"}, 1007),
    "an overlong slash": ({"payload": b"\xc0\xaf"}, 1007),
    "a surrogate in UTF-8": ({"payload": b"\xed\xa0\x80"}, 1007),
    "a binary frame": ({"payload": b"{}", "opcode": BINARY}, 1003),
    "a compressed frame": ({"payload": b"{}", "reserved": 4}, 1002),
    "reserved bit 2": ({"payload": b"{}", "reserved": 2}, 1002),
    "opcode 3": ({"payload": b"{}", "opcode": 3}, 1002),
    "opcode 11": ({"payload": b"{}", "opcode": 11}, 1002),
    "a ping of 126 bytes": ({"payload": b"x" * 126, "opcode": PING}, 1002),
    "a ping in fragments": ({"payload": b"x", "opcode": PING, "is_final": False}, 1002),
    "a continuation of nothing": ({"payload": b"x", "opcode": CONTINUATION}, 1002),
    "a close with one byte": ({"payload": b"x", "opcode": CLOSE}, 1002),
    "a close with a code that is none": ({"payload": (1005).to_bytes(2), "opcode": CLOSE}, 1002),
}


@pytest.mark.parametrize(("frame", "code"), WRONG_FRAMES.values(), ids=WRONG_FRAMES)
async def test_a_frame_against_the_rules_ends_the_socket(
    people: Witnesses, frame: dict[str, Any], code: int
) -> None:
    async with attacker(people) as socket:
        await socket.send(**frame)
        assert await socket.closed() == code


async def test_a_frame_that_is_not_masked_is_taken_like_any_other(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send('{"type":"ping","ref":7}', is_masked=False)
        assert (await socket.answer_to(7))["type"] == "ok"


async def test_a_frame_may_come_in_thousands_of_pieces(people: Witnesses) -> None:
    async with attacker(people) as socket:
        await socket.send('{"type":', is_final=False)
        for _ in range(3_000):
            await socket.send("", CONTINUATION, is_final=False)
        await socket.send('"ping","ref":7}', CONTINUATION)
        assert (await socket.answer_to(7))["type"] == "ok"


async def test_compression_is_not_negotiated(people: Witnesses) -> None:
    offer = "permessage-deflate; client_max_window_bits"
    socket = await RawSocket.connect(people.server.url, ATTACKED_ROOM, Sec_WebSocket_Extensions=offer)
    async with socket:
        assert b"extensions" not in socket.answer.lower()
        assert b"Sec-WebSocket-Protocol: chronoscribe.v1" in socket.answer


@pytest.mark.parametrize("opcode", [TEXT, PING, PONG])
async def test_a_storm_of_frames_ends_the_socket(people: Witnesses, opcode: int) -> None:
    async with attacker(people) as socket:
        payload = '{"type":"pong"}' if opcode == TEXT else "x"
        await socket.send_storm([payload] * STORM_FRAMES, opcode)
        assert await socket.closed() == 4405


async def test_of_a_storm_of_edits_what_was_acknowledged_is_stored(people: Witnesses) -> None:
    document = "storm.md"
    async with attacker(people, document) as socket:
        storm = [
            edit(ref=str(n), document=f'"{document}"', seq=str(n), base="0") for n in range(1, STORM_FRAMES)
        ]
        await socket.send_storm(storm)
        assert await socket.closed() == 4506
        heard = [json.loads(payload) for payload in socket.heard if payload.startswith(b"{")]
    acked = [event["seq"] for frame in heard for event in frame.get("events", ()) if event["event"] == "edit"]
    limited = [frame for frame in heard if frame.get("code") == "E_RATE"]
    assert limited
    assert all(frame["retry_after"] > 0 for frame in limited)
    assert acked == list(range(1, len(acked) + 1))
    found = stored(people, document)
    assert found["revision"] >= len(acked)
    assert found["text"] == "x" * found["revision"]


@pytest.mark.slow
async def test_edits_on_old_revisions_do_not_slow_others_down(people: Witnesses) -> None:
    document = "old.md"
    await _type_one_by_one(people.server.url, document, 1_100)
    async with attacker(people, document) as socket:
        assert (await socket.open(document, revision=0))["code"] == "E_VERSION_OLD"
        storm = [edit(ref=str(n), document=f'"{document}"', seq=str(n), base="0") for n in range(1, 301)]
        async with people.exchanging() as latencies:
            await socket.send_storm(storm)
            assert await socket.closed() == 4506
    print(f"{len(latencies)} exchanges meanwhile, the slowest {max(latencies):.3f} s")


async def _type_one_by_one(url: str, document: str, edits: int) -> None:
    async with Client(url, ATTACKED_ROOM, name="Honest", compose=False) as client:
        opened = await client.open(document, create=True)
        for _ in range(edits):
            opened.insert(0, "x")
        await opened.saved()


# Time.


@pytest.mark.slow
async def test_a_socket_that_does_not_say_hello_is_ended(people: Witnesses) -> None:
    """Neither silence, nor a frame that never ends, nor one that comes a byte at a time keeps a place."""
    silent, endless, dripping = [await RawSocket.connect(people.server.url, ATTACKED_ROOM) for _ in range(3)]
    async with silent, endless, dripping, people.undisturbed(silent, endless, dripping):
        await endless.send('{"type":', is_final=False)
        drops = iter(frame_bytes(b" " * 60_000))
        began = time.monotonic()
        closing = asyncio.create_task(silent.closed())
        while not closing.done() and time.monotonic() - began < HELLO_SECONDS:
            await endless.send(" ", CONTINUATION, is_final=False)
            await dripping.send_bytes(bytes([next(drops)]))
            await asyncio.sleep(0.1)
        assert await closing == 4502
        # What is still on its way to a socket that has been closed takes the code away from who sends it.
        assert await endless.closed() in {4502, None}
        assert await dripping.closed() in {4502, None}
        assert 5 <= time.monotonic() - began < HELLO_SECONDS


@pytest.mark.slow
async def test_a_reader_that_takes_nothing_is_cut_and_nobody_waits_for_it(people: Witnesses) -> None:
    """Too little to fill its queue, too much for the kernel's buffers: it is a matter of time."""
    document = "long.md"
    async with attacker(people, document) as writer:
        await _fill(writer, document, 6)
        await writer.ask(type="close", document=document)
    url = people.server.url
    async with await RawSocket.connect(url, ATTACKED_ROOM, receive_buffer=4_096) as socket:
        await socket.greet("never-reads")
        await socket.send_json(type="open", ref=1, document=document)
        await socket.send_json(type="open", ref=2, document=document)
        began = time.monotonic()
        async with people.exchanging() as latencies:
            await until(lambda: "never-reads" in {left.client for left in people.here.left}, SLOW_SECONDS)
        cut = time.monotonic() - began
    latencies.sort()
    typical, slow = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    print(f"cut after {cut:.1f} s; {len(latencies)} exchanges: p50 {typical:.4f} s, p99 {slow:.4f} s")
    assert cut > 5
    assert typical < 0.1


async def test_a_reader_that_lets_megabytes_queue_up_is_cut_at_once(people: Witnesses) -> None:
    document = "wide.md"
    url = people.server.url
    slow = await RawSocket.connect(url, ATTACKED_ROOM, receive_buffer=4_096)
    async with attacker(people, document) as writer, slow:
        await slow.greet("queues-up")
        await slow.send_json(type="open", ref=1, document=document)
        began = time.monotonic()
        await _fill(writer, document, 16)
        await writer.edit(document, 17, 16, [{"d": 16 * (OP_TEXT_BYTES - 2)}])
        await _fill(writer, document, 10, first=18)
        await until(lambda: "queues-up" in {left.client for left in people.here.left})
        assert time.monotonic() - began < 8, "it was cut for its silence, not for its queue"


async def _fill(socket: RawSocket, document: str, pieces: int, *, first: int = 1) -> None:
    """60 KB a piece, as edits from number `first` on."""
    for seq in range(first, first + pieces):
        answer = await socket.edit(document, seq, seq - 1, ["y" * (OP_TEXT_BYTES - 2)])
        assert answer["revision"] == seq


def stored(people: Witnesses, document: str) -> dict[str, Any]:
    found: dict[str, Any] = people.host.ask("GET", f"/api/rooms/{ATTACKED_ROOM}/documents/{document}")
    return found
