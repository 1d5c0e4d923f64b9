"""Who may do what on a socket, and what becomes of it when rights are taken away, as scripts in frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, get_args

import pytest

from domain.document import EditApplied
from domain.rights import Action, Role, may
from interfaces.ws import closes
from interfaces.ws.frames import AnyRequest, Request
from tests.interfaces.ws.scripts import EPOCH, Heard, ScriptedClient, World, turns

REQUESTS: Final[dict[str, type[Request]]] = {
    get_args(frame.model_fields["type"].annotation)[0]: frame for frame in get_args(AnyRequest)
}

ROWS: Final[dict[str, tuple[str, Action | None, Heard]]] = {
    "hello": ("hello", None, {"protocol": 1, "client": "mallory"}),
    "refresh": ("refresh", None, {}),
    "ping": ("ping", None, {}),
    "open": ("open", Action.READ, {"document": "main.md"}),
    "open a new one": ("open", Action.EDIT, {"document": "new.md", "create": True}),
    "close": ("close", Action.READ, {"document": "main.md"}),
    "catch_up": ("catch_up", Action.READ, {"document": "main.md", "after": 0}),
    "check": ("check", Action.READ, {"document": "main.md", "revision": 1, "hash": sha256(b"x").hexdigest()}),
    "cursor": ("cursor", Action.SHOW, {"document": "main.md", "revision": 1, "anchor": 0, "head": 1}),
    "typing": ("typing", Action.SHOW, {"document": None, "typing": True}),
    "status": ("status", Action.SHOW, {"status": "running"}),
    "post": ("post", Action.POST, {"message": "m1", "text": "Hello"}),
    "edit_message": ("edit_message", Action.POST, {"message": "mallorys", "text": "Ha"}),
    "delete_message": ("delete_message", Action.POST, {"message": "mallorys"}),
    "react": ("react", Action.POST, {"message": "adas", "emoji": "👍"}),
    "pin_message": ("pin_message", Action.EDIT, {"message": "adas", "pinned": True}),
    "receipt": ("receipt", Action.READ, {"delivered": 1, "read": 1}),
    "subscribe": ("subscribe", Action.READ, {"to": "activity"}),
    "unsubscribe": ("unsubscribe", None, {"to": "activity"}),
    "replay": ("replay", Action.READ, {}),
    "replay_play": ("replay_play", Action.READ, {}),
    "replay_pause": ("replay_pause", Action.READ, {}),
    "replay_seek": ("replay_seek", Action.READ, {"at": 1}),
    "replay_speed": ("replay_speed", Action.READ, {"speed": 2}),
    "replay_step": ("replay_step", Action.READ, {"by": 1}),
    "replay_close": ("replay_close", None, {}),
    "save_revision": ("save_revision", Action.EDIT, {"document": "main.md", "revision": 1}),
    "start_run": ("start_run", Action.EDIT, {"run": "r2", "title": "pytest"}),
    "finish_run": ("finish_run", Action.EDIT, {"run": "r1", "outcome": "passed"}),
    "undo": ("undo", Action.EDIT, {"document": "main.md"}),
    "redo": ("redo", Action.EDIT, {"document": "main.md"}),
    "edit": ("edit", Action.EDIT, {"document": "main.md", "seq": 1, "base": 1, "op": ["y"]}),
}
"""Every kind of request: its type, what one must be allowed for it, and its fields."""


@pytest.fixture
async def world() -> World:
    """A node with the room "demo", of which only members know, and the document "main.md" with a text."""
    world = await World().open_room("main.md", everyone=None)
    ada = await world.join("ada", "main.md")
    await ada.push(type="edit", document="main.md", seq=1, base=0, op=["x"])
    await ada.push(type="post", message="adas", text="Hello")
    await once_by_mallory(world)
    await world.forget()
    return world


async def once_by_mallory(world: World) -> None:
    """What they can change as long as they may: said and begun when they were a member."""
    services = world.services
    await world.add_member("Mallory", Role.EDITOR)
    await services.messages.post(
        "demo", "mallorys", client="mallory", text="Hello", documents={}, actor="Mallory"
    )
    started = await services.runs.start(
        "demo", "r1", client="mallory", title="pytest", document=None, revision=None, actor="Mallory"
    )
    await started
    await services.members.remove("demo", "Mallory", actor="Ada")


def an_edit(seq: int, base: int, op: list[Any]) -> Heard:
    return {"type": "edit", "document": "main.md", "seq": seq, "base": base, "op": op}


def edits_of(world: World, client: str) -> list[int]:
    edits = [r.event for r in world.store.log if isinstance(r.event, EditApplied)]
    return [edit.seq for edit in edits if edit.client == client]


# The table.


def test_every_request_says_for_itself_what_it_needs() -> None:
    assert {kind for kind, _, _ in ROWS.values()} == set(REQUESTS)
    for kind, frame in REQUESTS.items():
        assert "action" in vars(frame), f"{kind} has no action of its own"


@pytest.mark.parametrize("row", ROWS)
def test_what_a_request_needs_is_what_the_table_says(row: str) -> None:
    kind, action, _ = ROWS[row]
    # To open a document is to read; to create it is asked of the room when it is done.
    assert REQUESTS[kind].action == (Action.READ if row == "open a new one" else action)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_member", [True, False])
async def test_a_request_is_granted_or_refused_as_the_role_says(
    world: World, row: str, role: Role, *, is_member: bool
) -> None:
    if not is_member and role is Role.OWNER:
        pytest.skip("not everybody can be an owner")
    if not is_member:
        await world.services.rooms.change_access("demo", role, actor="Ada")
    witnesses = await world.witnesses()
    mallory = await world.join("mallory", "main.md", role=role if is_member else None)
    written = (len(world.store.log), len(world.presence.store.log))
    kind, action, fields = ROWS[row]
    if kind == "refresh":
        fields = {"ticket": world.tickets.make("Mallory")}
    ref = await mallory.push(type=kind, **fields)
    if action is None or may(role, action):
        await expect_granted(mallory, kind, ref)
        return
    await mallory.expect_error(ref, "E_FORBIDDEN", role=role.value)
    mallory.expect_no_end()
    await mallory.expect_silence()
    assert written == (len(world.store.log), len(world.presence.store.log))
    await witnesses.notice_nothing()


def a_row(kind: str) -> Heard:
    return next(fields for of, _, fields in ROWS.values() if of == kind)


async def expect_granted(client: ScriptedClient, kind: str, ref: int) -> None:
    match kind:
        case "hello":
            await client.expect_error(ref, "E_SCHEMA")  # it has been said, and that is all that is wrong
        case "edit":
            assert (await client.expect_event("edit"))["client"] == client.client
        case "post":
            assert (await client.expect_event("message"))["client"] == client.client
        case "cursor" | "typing":
            frame = await client.expect_frame("presence")
            assert [sign["client"] for sign in frame["moves"] + frame["typing"]] == [client.client]
        case "replay_play" | "replay_pause" | "replay_seek" | "replay_speed" | "replay_step":
            await client.expect_error(ref, "E_NOT_JOINED")  # none is open, and that is all that is wrong
        case _:
            assert (await client.expect_reply(ref))["type"] in {"ok", "opened", "edits", "replay_opened"}
    client.expect_no_end()


@pytest.mark.parametrize("kind", sorted(REQUESTS))
async def test_for_a_stranger_there_is_no_room_whatever_is_asked_for(world: World, kind: str) -> None:
    witnesses = await world.witnesses()
    mallory, lost = world.connect("mallory"), world.connect("mallory", "nowhere")
    answers = []
    for client in (mallory, lost):
        await client.authenticate()
        fields = {"ticket": world.tickets.make("Mallory")} if kind == "refresh" else a_row(kind)
        answers.append(await client.expect_reply(await client.push(type=kind, ref=1, **fields)))
        client.disconnect()
        await client.expect_silence()
    assert answers[0] == answers[1]
    assert mallory.code == lost.code == (closes.ACCESS_REMOVED if kind == "hello" else closes.BAD_HELLO)
    assert answers[0]["code"] == ("E_NOT_FOUND" if kind == "hello" else "E_NOT_JOINED")
    await witnesses.notice_nothing()


@pytest.mark.parametrize("kind", sorted(set(REQUESTS) - {"hello"}))
@pytest.mark.parametrize("field", ["user", "author", "actor", "name", "session", "role"])
async def test_who_says_in_a_frame_that_they_are_somebody_else_is_refused(
    world: World, kind: str, field: str
) -> None:
    ben, mallory = await world.join("ben", role="editor"), await world.join("mallory", role="editor")
    await mallory.request(type="open", document="main.md")
    await world.forget()
    fields = {"ticket": "t"} if kind == "refresh" else a_row(kind)
    written = len(world.store.log)
    if field in REQUESTS[kind].model_fields:
        pytest.skip("this is the name of a revision")
    await mallory.expect_error(
        await mallory.push(type=kind, **fields, **{field: "Ben"}), "E_SCHEMA", field=field
    )
    await ben.expect_silence()
    assert len(world.store.log) == written


async def test_a_viewer_is_not_told_more_of_a_document_than_that_it_is_not_there(world: World) -> None:
    ben = await world.join("ben", role="viewer")
    await ben.expect_error(await ben.push(type="open", document="none.md"), "E_NOT_FOUND")
    await ben.expect_error(await ben.push(type="open", document="none.md", create=True), "E_FORBIDDEN")


# Roles that change.


async def test_a_role_that_is_taken_away_is_gone_at_once(world: World) -> None:
    witnesses = await world.witnesses()
    ben = await world.join("ben", "main.md", role="editor")
    await ben.push(**an_edit(1, 1, ["a"]))
    await world.forget()
    await world.add_member("Ben", "viewer")
    assert (await ben.expect_event("role_changed"))["role"] == "viewer"
    for witness in witnesses.pairs[0]:
        await witness.expect_event("role_changed")
    await ben.expect_error(await ben.push(**an_edit(2, 2, ["b"])), "E_FORBIDDEN")
    await witnesses.notice_nothing()
    assert edits_of(world, "ben") == [1]
    assert (await ben.request(type="open", document="main.md"))["type"] == "opened"
    ben.expect_no_end()


async def test_who_may_do_more_may_do_it_at_once(world: World) -> None:
    ben = await world.join("ben", "main.md", role="viewer")
    await world.add_member("Ben", "editor")
    await world.forget()
    await ben.push(**an_edit(1, 1, ["a"]))
    await ben.expect_event("edit")


async def test_also_on_a_node_that_has_not_heard_of_it(world: World) -> None:
    await world.add_member("Ben", "viewer")
    elsewhere = world.another_node()
    ben = await elsewhere.join("ben", "main.md")
    world.feed()
    await world.add_member("Ben", "editor")
    await ben.push(**an_edit(1, 1, ["a"]))
    await ben.expect_frame("events")
    assert edits_of(world, "ben") == [1]


@pytest.mark.parametrize("is_elsewhere", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.add_member("Ben", "viewer"),
        lambda world: world.remove_member("Ben"),
        lambda world: world.services.rooms.close("demo", actor="Ada"),
    ],
    ids=["to a viewer", "removed", "closed"],
)
async def test_an_edit_in_the_queue_is_refused_when_its_right_is_taken_away_before_it(
    world: World, change: Callable[[World], Coroutine[Any, Any, None]], *, is_elsewhere: bool
) -> None:
    ben = await world.join("ben", "main.md", role="editor")
    await ben.push(**an_edit(1, 1, ["a"]))
    await ben.expect_event("edit")
    elsewhere = world.another_node()
    world.record.commits_by_itself = False
    place = elsewhere if is_elsewhere else world
    changing = asyncio.ensure_future(change(place))
    await turns()
    ref = await ben.push(**an_edit(2, 2, ["b"]))
    while not changing.done():
        world.record.commit()
        await turns()
    await changing
    world.record.commits_by_itself = True
    world.record.commit()
    await turns()
    assert edits_of(world, "ben") == [1]
    document = await world.services.documents.get("demo", "main.md")
    assert (document.revision, str(document.text)) == (2, "ax")
    if ben.code is None:
        await ben.expect_error(ref, "E_FORBIDDEN")
    else:
        ben.expect_end(closes.ACCESS_REMOVED)


async def test_what_was_acknowledged_before_stays(world: World) -> None:
    ben = await world.join("ben", "main.md", role="editor")
    world.record.commits_by_itself = False
    await ben.push(**an_edit(1, 1, ["a"]))
    world.record.commit()
    await ben.expect_event("edit")
    await ben.push(**an_edit(2, 2, ["b"]))
    world.record.commit(feed=False)  # in the log, though nobody has heard of it yet
    changing = asyncio.ensure_future(world.add_member("Ben", "viewer"))
    await turns()
    while not changing.done():
        world.record.commit()
        await turns()
    assert edits_of(world, "ben") == [1, 2]
    assert (await ben.expect_frame("events"))["events"][0]["seq"] == 2
    ben.expect_no_end()


# Who has to go.


async def test_a_removed_member_has_to_go_and_nobody_else(world: World) -> None:
    witnesses = await world.witnesses()
    ben, too = await world.join("ben", "main.md", role="editor"), await world.join("ben2", user="Ben")
    await world.forget()
    await world.remove_member("Ben")
    await turns()
    for client in (ben, too):
        client.expect_end(closes.ACCESS_REMOVED)
        assert (await client.expect_event("member_removed"))["user"] == "Ben"
        client.disconnect()
        await client.expect_silence()
    first, second = witnesses.pairs[0]
    for witness in (first, second):
        await witness.expect_event("member_removed")
        for _ in range(2):
            frame = await witness.expect_frame("events")
            assert {(event["event"], event["reason"]) for event in frame["events"]} == {("left", "removed")}
            if len(frame["events"]) == 2:
                break
    await witnesses.notice_nothing()


async def test_who_leaves_a_room_for_good_has_to_go_too(world: World) -> None:
    ben = await world.join("ben", role="viewer")
    await world.services.members.remove("demo", "Ben", actor="Ben")
    await turns()
    ben.expect_end(closes.ACCESS_REMOVED)


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_a_removal_on_another_node_ends_sockets_here_when_it_is_heard_of(
    world: World, *, is_in_memory: bool
) -> None:
    await world.add_member("Ben", "editor")
    elsewhere = world.another_node()
    ben, cem = await elsewhere.join("ben", "main.md"), elsewhere.connect("cem")
    await world.add_member("Cem", "viewer")
    elsewhere.feed()
    await cem.hello()
    await elsewhere.forget()
    world.feed()
    await world.remove_member("Ben")
    ben.expect_no_end()
    if not is_in_memory:
        elsewhere.evict()
    elsewhere.feed()
    if is_in_memory:
        ben.expect_end(closes.ACCESS_REMOVED)
    await turns()
    ben.expect_end(closes.ACCESS_REMOVED)
    cem.expect_no_end()


async def test_what_is_said_after_a_removal_is_not_for_the_removed_though_it_comes_with_it(
    world: World,
) -> None:
    ada = world.clients[0]
    await world.add_member("Ben", "editor")
    elsewhere = world.another_node()
    ben = await elsewhere.join("ben", "main.md")
    cem = await elsewhere.join("cem", "main.md", role="viewer")
    world.feed()
    await world.forget()
    await ada.push(type="post", message="m1", text="Before")
    await turns()
    await world.remove_member("Ben")
    await ada.push(type="post", message="m2", text="After")
    await ada.push(**an_edit(2, 1, ["secret"]))
    await turns()
    elsewhere.record.feed()  # all of it in one batch
    heard = [event for frame in ben.heard_frames("events") for event in frame["events"]]
    assert [event["event"] for event in heard] == ["message", "member_removed"]
    heard = [event for frame in cem.heard_frames("events") for event in frame["events"]]
    assert [event["event"] for event in heard] == ["message", "member_removed", "message", "edit"]


async def test_what_was_being_read_for_who_had_to_go_is_not_sent(world: World) -> None:
    ben = await world.join("ben", role="viewer")
    document = await world.services.documents.get("demo", "main.md")
    document.clients_forgotten = True  # so that opening reads
    world.store.hold_reads()
    opening = asyncio.ensure_future(ben.push(type="open", document="main.md"))
    await turns()
    ben.forget()
    await world.remove_member("Ben")
    await ben.expect_event("member_removed")
    ben.expect_end(closes.ACCESS_REMOVED)
    world.store.release_reads()
    await opening
    await ben.expect_silence()


async def test_who_is_removed_while_they_come_in_does_not_come_in(world: World) -> None:
    await world.add_member("Ben", "viewer")
    elsewhere = world.another_node()
    await elsewhere.meet("Ben")
    await elsewhere.services.rooms.get("demo")
    world.store.hold_reads()
    ben = elsewhere.connect("ben")
    greeting = asyncio.ensure_future(ben.push(**ben.a_hello()))
    await turns()
    removing = asyncio.ensure_future(world.remove_member("Ben"))
    await turns()
    elsewhere.feed()
    world.store.release_reads()
    ref, _ = await asyncio.gather(greeting, removing)
    ben.expect_end(closes.ACCESS_REMOVED)
    await ben.expect_error(ref, "E_NOT_FOUND")
    await ben.expect_silence()


async def test_who_was_removed_on_another_node_does_not_come_in_before_it_is_known_here(
    world: World,
) -> None:
    await world.add_member("Ben", "viewer")
    elsewhere = world.another_node()
    await elsewhere.services.rooms.get("demo")
    await elsewhere.meet("Ben")
    await world.remove_member("Ben")
    ben = elsewhere.connect("ben")
    await ben.expect_error(await ben.push(**ben.a_hello()), "E_NOT_FOUND")
    ben.expect_end(closes.ACCESS_REMOVED)


async def test_who_was_removed_is_told_no_more_than_of_a_room_that_is_not_there(world: World) -> None:
    ben = await world.join("ben", role="viewer")
    before = world.store.log[0].position
    await world.remove_member("Ben")
    ben.disconnect()
    await turns()
    back, lost = world.connect("ben"), world.connect("ben", "nowhere")
    answers = []
    for client in (back, lost):
        resume = {"epoch": EPOCH, "position": before}
        answers.append(await client.hello(resume=resume, ref=9))
        await client.expect_silence()
        client.expect_end(closes.ACCESS_REMOVED)
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "E_NOT_FOUND"


async def test_a_closed_room_is_left_by_everybody_and_found_by_nobody(world: World) -> None:
    ada, ben = world.clients[0], await world.join("ben", role="viewer")
    await world.services.rooms.close("demo", actor="Ada")
    await turns()
    for client in (ada, ben):
        client.expect_end(closes.ACCESS_REMOVED)
        await client.expect_event("room_closed")
        back, lost = world.connect(client.client), world.connect(client.client, "nowhere")
        assert await back.hello(ref=9) == await lost.hello(ref=9)
        back.expect_end(closes.ACCESS_REMOVED)


async def test_when_a_room_is_not_everybodys_any_more_its_members_stay(world: World) -> None:
    await world.services.rooms.change_access("demo", Role.VIEWER, actor="Ada")
    guest, member = await world.join("guest"), await world.join("ben", role="viewer")
    await world.forget()
    await world.services.rooms.change_access("demo", Role.EDITOR, actor="Ada")
    await turns()
    guest.expect_no_end()
    await world.services.rooms.change_access("demo", None, actor="Ada")
    await turns()
    guest.expect_end(closes.ACCESS_REMOVED)
    member.expect_no_end()


# What everybody hears.


async def test_what_becomes_of_a_room_is_told_to_all_who_are_in_it_and_nobody_else(world: World) -> None:
    viewer = await world.join("ben", role="viewer")
    await world.open_room(room="other")
    elsewhere = await world.join("cem", room="other")
    await world.forget()
    services = world.services
    await services.rooms.rename("demo", "Garden", actor="Ada")
    await services.rooms.change_access("demo", Role.VIEWER, actor="Ada")
    await services.members.put("demo", "Cem", Role.EDITOR, actor="Ada")
    await services.members.put("demo", "Cem", Role.OWNER, actor="Ada")
    await services.members.remove("demo", "Cem", actor="Ada")
    link = await services.members.invite(
        "demo", Role.EDITOR, lifetime=timedelta(hours=1), uses=2, actor="Ada"
    )
    await services.members.accept("demo", link.invitation, link.secret, actor="Dan")
    await services.members.revoke("demo", link.invitation, actor="Ada")
    await services.rooms.list_document("demo", "b.md", actor="Ada")
    await services.rooms.unlist_document("demo", "b.md", actor="Ada")
    await turns()
    frames = viewer.heard_frames("events")
    assert [[event["event"] for event in frame["events"]] for frame in frames] == [
        ["room_renamed"],
        ["access_changed"],
        ["member_added"],
        ["role_changed"],
        ["member_removed"],
        ["invitation_made"],
        ["member_added"],
        ["invitation_revoked"],
        ["document_listed"],
        ["document_unlisted"],
    ]
    assert world.clients[0].heard_frames("events") == frames
    await elsewhere.expect_silence()
    assert link.secret not in str(frames)
