"""What clients may send: shapes, and what is said of everything else."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from domain.errors import BadFrame, BadJson, ClientError, OpTooLarge, TextInvalid, UnknownFrame
from domain.limits import INTEGER_MAX, PRESENCE_BYTES
from interfaces.ws.frames import AnyRequest, find_ref, parse_frame

GOOD: dict[str, dict[str, Any]] = {
    "hello": {
        "protocol": 1,
        "client": "ada-1",
        "ticket": "t",
        "at": 5,
        "resume": {"epoch": "e", "position": 0},
    },
    "refresh": {"ticket": "t"},
    "open": {"document": "main.md", "revision": 3, "create": True},
    "close": {"document": "main.md"},
    "edit": {"document": "main.md", "seq": 1, "base": 0, "op": [1, "x", {"d": 1}]},
    "undo": {"document": "main.md", "revision": 3},
    "redo": {"document": "main.md", "revision": 3},
    "cursor": {"document": "main.md", "revision": 1, "anchor": 0, "head": 5},
    "typing": {"document": "main.md", "typing": True},
    "status": {"status": "running"},
    "post": {
        "message": "m1",
        "text": "Hello",
        "reply_to": "m0",
        "link": {"document": "main.md", "revision": 1, "start": 0, "end": 5},
    },
    "edit_message": {"message": "m1", "text": "Hello"},
    "delete_message": {"message": "m1"},
    "react": {"message": "m1", "emoji": "👩‍💻", "reacted": False},
    "pin_message": {"message": "m1", "pinned": True},
    "receipt": {"delivered": 7, "read": 5},
    "save_revision": {"document": "main.md", "revision": 1, "name": "Draft"},
    "start_run": {"run": "r1", "title": "pytest -q", "document": "main.md", "revision": 1},
    "finish_run": {"run": "r1", "outcome": "failed", "exit_code": -9},
    "subscribe": {"to": "activity", "after": 7},
    "unsubscribe": {"to": "statistics"},
    "replay": {"from": 5, "to": 7, "speed": 64, "skip_idle": False},
    "replay_play": {},
    "replay_pause": {},
    "replay_seek": {"place": "1-2-3"},
    "replay_speed": {"speed": 0.25, "skip_idle": True},
    "replay_step": {"by": -1},
    "replay_close": {},
    "catch_up": {"document": "main.md", "after": 0, "limit": 1000},
    "check": {"document": "main.md", "revision": 1, "hash": "0" * 64},
    "ping": {},
}

OPTIONAL = {
    "hello": {"ticket", "at", "resume"},
    "refresh": set(),
    "open": {"revision", "create"},
    "close": set(),
    "edit": set(),
    "undo": {"revision"},
    "redo": {"revision"},
    "cursor": set(),
    "typing": {"document"},
    "status": {"status"},
    "post": {"reply_to", "link"},
    "edit_message": set(),
    "delete_message": set(),
    "react": {"reacted"},
    "pin_message": set(),
    "receipt": {"delivered", "read"},
    "save_revision": {"name"},
    "start_run": {"document", "revision"},
    "finish_run": {"exit_code"},
    "subscribe": {"after"},
    "unsubscribe": set(),
    "replay": {"from", "to", "speed", "skip_idle"},
    "replay_play": set(),
    "replay_pause": set(),
    "replay_seek": {"place"},
    "replay_speed": {"speed", "skip_idle"},
    "replay_step": set(),
    "replay_close": set(),
    "catch_up": {"limit"},
    "check": set(),
    "ping": set(),
}


def test_every_request_has_a_good_example() -> None:
    kinds = {get_args(frame.model_fields["type"].annotation)[0] for frame in get_args(AnyRequest)}
    assert kinds == set(GOOD) == set(OPTIONAL)


def a_frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "ref": 1, **GOOD[kind], **fields})


@pytest.mark.parametrize("kind", GOOD)
def test_every_request_is_read_as_it_was_said(kind: str) -> None:
    frame = parse_frame(a_frame(kind))
    assert frame.model_dump(exclude_unset=True, by_alias=True) == {"type": kind, "ref": 1, **GOOD[kind]}


def test_a_pong_has_no_ref() -> None:
    assert parse_frame('{"type":"pong"}').model_dump() == {"type": "pong"}
    with pytest.raises(BadFrame):
        parse_frame('{"type":"pong","ref":1}')


@pytest.mark.parametrize(
    ("kind", "missing"),
    [(kind, field) for kind, fields in GOOD.items() for field in ("ref", *fields)],
)
def test_a_field_that_is_missing_is_named_or_has_a_default(kind: str, missing: str) -> None:
    fields = json.loads(a_frame(kind))
    del fields[missing]
    if missing in OPTIONAL[kind]:
        parse_frame(json.dumps(fields))
        return
    with pytest.raises(BadFrame) as refused:
        parse_frame(json.dumps(fields))
    assert refused.value.facts == {"field": missing}


# Who it is, is known by the ticket; when it was, by our clock.
IDENTITIES = ("user", "author", "actor", "name", "client", "session", "at", "role", "status", "colour")


@pytest.mark.parametrize("field", IDENTITIES)
@pytest.mark.parametrize("kind", GOOD)
def test_nobody_says_in_a_frame_who_they_are(kind: str, field: str) -> None:
    if field in GOOD[kind]:
        # A client's own id and clock, what it is doing, what it calls a revision.
        assert kind in {"hello", "status", "save_revision"}
        return
    with pytest.raises(BadFrame) as refused:
        parse_frame(a_frame(kind, **{field: "Ada"}))
    assert refused.value.facts == {"field": field}


@pytest.mark.parametrize("kind", ["cursor", "typing", "status"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_signs_of_presence_are_small_whatever_is_in_them(kind: str, *, is_whole: bool) -> None:
    frame = a_frame(kind) if is_whole else a_frame(kind, padding="x" * 10)
    parse_frame(a_frame(kind) + " " * (PRESENCE_BYTES - len(a_frame(kind))))
    with pytest.raises(OpTooLarge) as refused:
        parse_frame(frame + " " * (PRESENCE_BYTES + 1 - len(frame)))
    assert refused.value.facts == {"limit": PRESENCE_BYTES}


@pytest.mark.parametrize("kind", sorted({*GOOD} - {"cursor", "typing", "status"}))
def test_other_frames_may_be_larger(kind: str) -> None:
    parse_frame(a_frame(kind) + " " * PRESENCE_BYTES)


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_too_many_is_refused(kind: str) -> None:
    with pytest.raises(BadFrame) as refused:
        parse_frame(a_frame(kind, extra=1))
    assert refused.value.facts == {"field": "extra"}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("ping", "ref", -1),
        ("ping", "ref", 1.0),
        ("ping", "ref", "1"),
        ("ping", "ref", True),
        ("ping", "ref", None),
        ("ping", "ref", INTEGER_MAX + 1),
        ("hello", "client", ""),
        ("hello", "client", "a" * 65),
        ("hello", "client", "a b"),
        ("hello", "client", "a\n"),
        ("hello", "ticket", 5),
        ("hello", "ticket", "t" * 129),
        ("hello", "at", -1),
        ("hello", "at", 1.5),
        ("refresh", "ticket", None),
        ("refresh", "ticket", "t" * 129),
        ("hello", "protocol", "1"),
        ("hello", "resume", {"epoch": "e"}),
        ("hello", "resume", {"epoch": "e" * 65, "position": 0}),
        ("hello", "resume", {"epoch": "e", "position": -1}),
        ("open", "document", "../etc"),
        ("open", "document", "main.md\n"),
        ("open", "revision", -1),
        ("open", "create", 1),
        ("edit", "seq", 0),
        ("edit", "base", -1),
        ("edit", "op", "x"),
        ("edit", "op", {"d": 1}),
        ("cursor", "anchor", -1),
        ("cursor", "head", 0.5),
        ("typing", "document", "../etc"),
        ("typing", "typing", 1),
        ("typing", "typing", None),
        ("status", "status", "offline"),
        ("status", "status", ""),
        ("status", "status", "dancing"),
        ("post", "message", "a/b"),
        ("post", "text", 5),
        ("catch_up", "limit", 0),
        ("catch_up", "limit", 1001),
    ],
)
def test_a_field_of_another_shape_is_refused(kind: str, field: str, value: Any) -> None:
    with pytest.raises(BadFrame) as refused:
        parse_frame(a_frame(kind, **{field: value}))
    assert str(refused.value.facts["field"]).split(".")[0] == field


def test_the_largest_integer_is_one_that_javascript_can_count_to() -> None:
    assert parse_frame(a_frame("ping", ref=INTEGER_MAX)).model_dump()["ref"] == 2**53 - 1


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "hello",
        "[]",
        "5",
        "null",
        '"ping"',
        "{}",
        '{"ref":1}',
        "[" * 10_000,
        '{"type":"ping","ref":1',
    ],
)
def test_what_is_no_object_with_a_type_is_no_frame(data: str) -> None:
    with pytest.raises(BadJson):
        parse_frame(data)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_json_does_not_have_are_refused(value: str) -> None:
    with pytest.raises(ClientError):
        parse_frame(f'{{"type":"ping","ref":{value}}}')


@pytest.mark.parametrize("kind", ["dance", "", "HELLO", "welcome"])
def test_an_unknown_type_is_told_apart(kind: str) -> None:
    with pytest.raises(UnknownFrame):
        parse_frame(json.dumps({"type": kind, "ref": 1}))


@pytest.mark.parametrize("kind", [5, None, ["ping"]])
def test_a_type_that_is_no_text_is_refused(kind: Any) -> None:
    with pytest.raises(ClientError):
        parse_frame(json.dumps({"type": kind, "ref": 1}))


@pytest.mark.parametrize(
    "text", ["\\ud800", "x\\ud83d", "\\ud83dx", "\\udc00", "\\ud800\\u0041", "\\ud800\\ud800"]
)
def test_half_an_emoji_is_no_text_and_its_request_is_told(text: str) -> None:
    data = f'{{"type":"post","ref":5,"message":"m1","text":"{text}"}}'
    with pytest.raises(TextInvalid):
        parse_frame(data)
    assert find_ref(data) == 5


@pytest.mark.parametrize("text", ["\\u12", "\\ud83", "\\x41", "\n"])
def test_a_broken_escape_is_no_json(text: str) -> None:
    with pytest.raises(BadJson):
        parse_frame(f'{{"type":"post","ref":5,"message":"m1","text":"{text}"}}')


def test_what_is_nested_too_deep_is_no_json() -> None:
    deep = "[" * 500 + "]" * 500
    data = f'{{"type":"edit","ref":5,"document":"main.md","seq":1,"base":0,"op":{deep}}}'
    with pytest.raises(BadJson):
        parse_frame(data)
    assert find_ref(data) == 5


def test_a_pair_of_surrogates_is_one_character() -> None:
    frame = parse_frame('{"type":"post","ref":1,"message":"m1","text":"\\ud83d\\ude00"}')
    assert frame.model_dump()["text"] == "😀"


def test_an_error_tells_nothing_of_what_was_sent() -> None:
    for data in (a_frame("post", text={"secret": 1}), a_frame("edit", secret="hunter2")):
        with pytest.raises(ClientError) as refused:
            parse_frame(data)
        assert "hunter2" not in f"{refused.value.message} {refused.value.facts}"


def test_a_field_with_a_strange_name_is_not_repeated() -> None:
    with pytest.raises(BadFrame) as refused:
        parse_frame(a_frame("ping", **{"<script>": 1}))
    assert "script" not in str(refused.value.facts)


@pytest.mark.parametrize(
    ("data", "ref"),
    [
        ('{"type":"dance","ref":7}', 7),
        ('{"ref":7,"type":5}', 7),
        ('{"type":"ping"}', None),
        ('{"type":"ping","ref":"7"}', None),
        ('{"type":"ping","ref":-1}', None),
        ('{"type":"ping","ref":true}', None),
        ('{"type":"ping","ref":1.0}', None),
        (f'{{"type":"ping","ref":{INTEGER_MAX + 1}}}', None),
        (f'{{"ref":7,"type":{"[" * 50_000}', None),
        (f'{{"ref":7,"type":{"9" * 50_000}}}', None),
        ('{"type":"ping","ref":7,"x":NaN}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_a_refused_frame_is_answered_under_its_ref_where_it_has_one(data: str, ref: int | None) -> None:
    assert find_ref(data) == ref
