"""A working day of a team of six, as they see it and as the log has it: see `working_day`."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from domain.document import EditApplied
from domain.message import Deleted, Edited, Posted, ReactionAdded, ReactionRemoved
from interfaces.ws.chat_tail import MESSAGES_SHOWN
from tests.acceptance.working_day import AT_ONCE_SECONDS, BOOKS, CODE, MESSAGES, Day, drive
from tests.servers import running_server

pytestmark = pytest.mark.slow

Message = dict[str, Any]


@pytest.fixture(scope="module")
def day(new_database: Callable[[], str]) -> Iterator[Day]:
    dsn = new_database()
    with running_server(database_url=dsn) as server:
        day = asyncio.run(drive(server, dsn))
        wait_for_tables(day)
        yield day


def wait_for_tables(day: Day) -> None:
    """What is asked over HTTP is a moment behind the log."""
    deadline = time.monotonic() + AT_ONCE_SECONDS
    while min(standings(day).values()) < last_position(day):
        assert time.monotonic() < deadline, standings(day)
        time.sleep(0.05)


def last_position(day: Day) -> int:
    return day.log[-1].position


def standings(day: Day) -> dict[str, int]:
    projections = day.ask("Ada", "/readyz")["projections"]
    return {name: standing["position"] for name, standing in projections.items()}


def posted(day: Day) -> list[Posted]:
    return [r.event for r in day.log if isinstance(r.event, Posted)]


# The chat.


def test_everybody_has_seen_the_same_chat_at_the_same_time(day: Day) -> None:
    assert len(day.said) >= MESSAGES
    whole = day.chats["Ada"]
    assert [message["message"] for message in whole] == [event.message for event in posted(day)]
    for name, seen in day.chats.items():
        assert seen == whole[-len(seen) :], name
        assert len(seen) >= MESSAGES_SHOWN


def test_what_they_saw_is_what_the_log_and_the_tables_have(day: Day) -> None:
    page = day.ask("Finn", "./messages", limit=200)
    told = [{name: m[name] for name in page["messages"][0]} for m in day.chats["Ada"]]
    assert page["messages"] == told


def test_the_history_is_paged_both_ways_from_any_message(day: Day) -> None:
    whole = [event.message for event in posted(day)]
    middle = whole[60]
    around = day.ask("Eve", "./messages", around=middle, limit=11)
    pages = [[m["message"] for m in around["messages"]]]
    older, newer = around["older"], around["newer"]
    while older is not None:
        page = day.ask("Eve", "./messages", before=older, limit=17)
        pages.insert(0, [m["message"] for m in page["messages"]])
        older = page["older"]
    while newer is not None:
        page = day.ask("Eve", "./messages", after=newer, limit=17)
        pages.append([m["message"] for m in page["messages"]])
        newer = page["newer"]
    assert [message for page in pages for message in page] == whole


def test_an_edited_message_shows_its_last_text_and_keeps_the_others(day: Day) -> None:
    edited = day.marked["edited"]
    message = day.ask("Finn", f"./messages/{edited}")
    assert (message["edits"], message["mentions"]) == (2, [day.users["Ben"]])
    assert message["text"].startswith("The build is broken again, @")
    texts = day.ask("Finn", f"./messages/{edited}/history")["texts"]
    assert [text["text"] for text in texts] == [
        "The bild is broken again",
        "The build is broken again",
        message["text"],
    ]
    assert {text["by"] for text in texts} == {day.users["Eve"]}


def test_a_deleted_message_is_gone_for_all_but_its_author_and_the_owner(day: Day) -> None:
    for name in ("deleted", "moderated"):
        message = day.marked[name]
        shown = day.ask("Ben", f"./messages/{message}")
        assert (shown["text"], shown["deleted"] is not None) == ("", True)
        for reader in ("Eve", "Ada"):
            [text] = day.ask(reader, f"./messages/{message}/history")["texts"]
            assert text["text"] == day.said[message]
        assert refused(day, "Ben", f"./messages/{message}/history") == 403
    assert not day.ask("Ben", "./messages/search", q="hunter2")["found"]
    by = day.ask("Ada", f"./messages/{day.marked['moderated']}/history")["deleted_by"]
    assert by == day.users["Ada"]


def refused(day: Day, name: str, path: str) -> int:
    try:
        day.ask(name, path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_a_reply_knows_what_it_answers(day: Day) -> None:
    question, reply = day.marked["question"], day.marked["reply"]
    assert day.ask("Dora", f"./messages/{reply}")["reply_to"] == question
    replies = day.ask("Dora", "./messages", reply_to=question)["messages"]
    assert [message["message"] for message in replies] == [reply]


def test_who_is_mentioned_hears_of_it_where_they_are_and_finds_it_later(day: Day) -> None:
    [notice] = day.people["Lab"].heard["mentioned"]
    assert (notice.room, notice.message) == (day.room, day.marked["mention"])
    [ben] = day.people["Ben"].heard["mentioned"]
    assert ben.message == day.marked["edited"]
    inbox = day.ask("Finn", "/api/mentions")["messages"]
    assert [(m["room"], m["message"]) for m in inbox] == [(day.room, day.marked["mention"])]
    assert day.ask("Ada", "/api/mentions")["messages"] == []


def test_reactions_tell_who_reacted_with_what(day: Day) -> None:
    message = day.ask("Finn", f"./messages/{day.marked['question']}")
    assert message["reactions"] == {
        "👍": [day.users["Ben"], day.users["Cem"]],
        "❤️": [day.users["Dora"]],
        "👩‍💻": [day.users["Eve"]],
    }
    for emoji in ("👍", ""):
        found = day.ask("Finn", "./messages", emoji=emoji)["messages"]
        assert [m["message"] for m in found] == [day.marked["question"]]


def test_what_is_pinned_is_kept_in_sight(day: Day) -> None:
    pins = day.ask("Finn", "./pins")["messages"]
    assert [message["message"] for message in pins] == [day.marked["pinned"]]


def test_a_linked_passage_is_found_in_the_present_text(day: Day) -> None:
    link = day.ask("Finn", f"./messages/{day.marked['link']}/link")
    text = day.ask("Finn", f"./documents/{CODE}")["text"]
    assert text[link["start"] : link["end"]] == link["text"] == day.linked
    assert not link["is_gone"]
    assert link["start"] == 40 + len("// checked by Ben\n") + len("// and by Finn\n")
    assert day.marked["link"] in {
        m["message"] for m in day.ask("Finn", "./messages", document=CODE, limit=200)["messages"]
    }


def test_typing_is_seen_by_the_others(day: Day) -> None:
    signs = [sign for frame in day.people["Ada"].heard["presence"] for sign in frame.typing]
    typed = {sign["client"] for sign in signs if sign["document"] is None and sign["typing"]}
    names = {person.client.session.client for person in day.in_room if person.name in ("Ben", "Cem", "Eve")}
    assert names <= typed


# Delivered and read.


def test_pointers_only_go_forward_and_tell_what_is_unread(day: Day) -> None:
    places = {r.event.message: r.position for r in day.log if isinstance(r.event, Posted)}
    last, question = max(places.values()), places[day.marked["question"]]
    told = day.ask("Cem", "./receipts")
    receipts = {receipt["user"]: receipt for receipt in told["receipts"]}
    for name, user in day.users.items():
        assert receipts[user]["delivered"] >= last, name
        assert (receipts[user]["read"] == question) == (name == "Cem"), name
    behind = [event for event in posted(day) if places[event.message] > question]
    unread = [event for event in behind if event.actor != day.users["Cem"]]
    assert told["unread"] == len(unread)
    [here] = [room for room in day.ask("Cem", "/api/unread")["rooms"] if room["room"] == day.room]
    assert (here["unread"], here["read"]) == (len(unread), question)
    assert day.ask("Ada", "./receipts")["unread"] == 0


def test_it_is_known_who_has_read_a_message(day: Day) -> None:
    everybody = set(day.users.values())
    [early, late] = [posted(day)[0], posted(day)[-1]]
    assert set(day.ask("Ada", f"./messages/{early.message}/readers")["read"]) == everybody - {early.actor}
    readers = day.ask("Ada", f"./messages/{late.message}/readers")
    assert set(readers["read"]) == everybody - {late.actor, day.users["Cem"]}
    assert set(readers["delivered"]) == everybody - {late.actor}


# Looking for what was said.


def test_what_was_said_is_found_by_words_phrases_and_parts(day: Day) -> None:
    def found(**query: Any) -> list[str]:
        return [m["message"] for m in day.ask("Finn", "./messages/search", **query)["found"]]

    assert found(q="stand-up workshop") == [day.marked["pinned"]]
    assert found(q='"broken again"') == [day.marked["edited"]]
    assert day.ask("Finn", "./messages/search", q='"again broken"')["is_guess"]
    assert found(q="数える") == [day.marked["reply"]]
    assert found(q="ounte", author=day.users["Ada"]) == [day.marked["question"]]
    assert found(q="counter", emoji="👍") == [day.marked["question"]]
    assert found(q="come", mentions=day.users["Finn"]) == [day.marked["mention"]]
    assert day.marked["link"] in found(q="right", document=CODE)
    assert found(q="counter", to="2020-01-01") == []
    [hit] = day.ask("Finn", "./messages/search", q="stand-up workshop")["found"]
    assert "".join(piece["text"] for piece in hit["snippet"]) == day.said[day.marked["pinned"]]
    assert {piece["text"].lower() for piece in hit["snippet"] if piece["match"]} >= {"workshop"}


def test_all_that_one_has_said_is_found_in_the_room_and_beyond(day: Day) -> None:
    eve = day.users["Eve"]
    said = [event.message for event in posted(day) if event.actor == eve]
    in_room = day.ask("Finn", "./messages", author=eve, limit=200)["messages"]
    assert [message["message"] for message in in_room] == said
    everywhere = day.ask("Finn", "/api/messages", author=eve, limit=200)["messages"]
    assert [message["message"] for message in everywhere] == said[::-1]


# Saves and runs.


def test_saves_and_names_are_listed(day: Day) -> None:
    saves = day.ask("Finn", f"./documents/{CODE}/saves")
    assert [save["name"] for save in saves["saves"]] == [None, "First counter"]
    assert [notice.name for notice in day.people["Ada"].heard["revision_saved"]] == [None, "First counter"]
    assert [notice.outcome for notice in day.people["Ada"].heard["run_finished"]] == list(day.run)


# Statistics.


def test_the_statistics_are_a_plain_recount_of_the_log(day: Day) -> None:
    statistics = day.ask("Finn", "./statistics")
    counted = Counter(type(r.event) for r in day.log)
    totals = statistics["totals"]
    assert totals["messages"] == counted[Posted] == len(day.said)
    assert totals["message_edits"] == counted[Edited]
    assert totals["message_deletions"] == counted[Deleted]
    assert totals["reactions_added"] == counted[ReactionAdded]
    assert totals["reactions_removed"] == counted[ReactionRemoved]
    assert totals["document_edits"] == counted[EditApplied]
    people = {person["user"]: person for person in statistics["people"]}
    for user in day.users.values():
        by = Counter(type(r.event) for r in day.log if r.event.actor == user)
        told = people.get(user, {"messages": 0, "document_edits": 0})
        assert (told["messages"], told["document_edits"]) == (by[Posted], by[EditApplied])
    emoji = {used["emoji"]: used["uses"] for used in statistics["emoji"]}
    assert emoji == {"👍": 2, "❤️": 1, "👩‍💻": 1}
    assert sum(hour["messages"] for hour in statistics["hours"]) == counted[Posted]
    assert statistics["response_times"]["responses"] > 50


def test_the_statistics_were_told_live(day: Day) -> None:
    last = day.people["Ada"].heard["statistics"][-1].statistics
    statistics = day.ask("Finn", "./statistics")
    assert last["ever"]["totals"] == statistics["totals"]
    assert last["day"]["totals"]["messages"] == statistics["totals"]["messages"]


# Activity.


def activity(day: Day, **query: Any) -> list[Message]:
    """All lines, oldest first."""
    lines: list[Message] = []
    before: dict[str, Any] = {}
    while True:
        page = day.ask("Finn", "./activity", limit=50, **before, **query)
        lines += page["lines"]
        if page["next"] is None:
            return lines[::-1]
        before = {"before": page["next"]}


def test_the_activity_has_all_that_happened(day: Day) -> None:
    lines = activity(day)
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["said"] == len(day.said)
    assert kinds["ran"] == 3
    assert (kinds["saved"], kinds["named"]) == (1, 1)
    assert (kinds["pinned"], kinds["unpinned"]) == (2, 1)
    assert (kinds["opened"], kinds["renamed"], kinds["member_added"], kinds["role_changed"]) == (1, 1, 5, 1)
    assert kinds["listed"] == 2
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)


def test_bursts_have_every_edit_once(day: Day) -> None:
    lines = activity(day, kind="edited")
    for document in (CODE, BOOKS):
        edits = [
            r.event
            for r in day.log
            if isinstance(r.event, EditApplied) and r.event.originator_id.endswith(document)
        ]
        for user in {edit.actor for edit in edits}:
            bursts = [line for line in lines if (line["user"], line["document"]) == (user, document)]
            mine = [edit for edit in edits if edit.actor == user]
            assert sum(line["details"]["edits"] for line in bursts) == len(mine)
            assert bursts[0]["details"]["from"] == mine[0].revision - 1
            assert bursts[-1]["details"]["to"] == mine[-1].revision
            inserted = sum(len(part) for edit in mine for part in edit.op if isinstance(part, str))
            assert sum(line["details"]["inserted"] for line in bursts) == inserted


def test_runs_are_one_line_each_and_complete(day: Day) -> None:
    runs = {line["details"]["run"]: line["details"] for line in activity(day, kind="ran")}
    assert {run: details["outcome"] for run, details in runs.items()} == {
        run: outcome for outcome, run in day.run.items()
    }


def test_the_activity_is_filtered_by_person_kind_document_and_time(day: Day) -> None:
    lines = activity(day)
    ben = day.users["Ben"]
    assert activity(day, user=ben) == [line for line in lines if line["user"] == ben]
    assert activity(day, kind="ran,saved") == [line for line in lines if line["kind"] in ("ran", "saved")]
    assert activity(day, document=BOOKS) == [line for line in lines if line["document"] == BOOKS]
    assert activity(day, **{"from": "2000-01-01", "to": "2001-01-01"}) == []
    mine = day.ask("Ben", "/api/activity", limit=200)["lines"]
    assert mine[::-1] == activity(day, user=ben)
    rooms = {line["room"] for line in day.ask("Finn", "/api/activity")["lines"]}
    assert rooms == {day.room, day.lab}
    others = day.ask("Ben", "/api/activity", user=day.users["Finn"])["lines"]
    assert {line["room"] for line in others} == {day.room}


def test_the_activity_was_told_live(day: Day) -> None:
    """Every line that has changed since Ada began to watch, in the end as it is in the table."""
    notices = day.people["Ada"].heard["activity"]
    first = min(line["changed"] for line in notices[0].lines)
    told = {line["id"]: line for notice in notices for line in notice.lines}
    later = [line for line in activity(day) if first <= line["changed"] <= day.evening]
    assert len(later) > MESSAGES
    assert [told[line["id"]] | {"text": line["text"], "line": line["line"]} for line in later] == later


# Chat as a file.


def export(day: Day, format_: str, **query: Any) -> tuple[bytes, str]:
    """A file, and what it is called."""
    guest = day.guest("Ada")
    asked = urlencode({"format": format_, **query})
    url = f"{day.server.url}/api/rooms/{day.room}/messages/export?{asked}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=guest.headers), timeout=30) as answer:
        return answer.read(), answer.headers["Content-Disposition"]


def test_an_export_opens_in_a_json_parser_and_comes_back_into_another_room_unchanged(day: Day) -> None:
    file, name = export(day, "json")
    assert name.startswith("attachment")
    exported = json.loads(file)
    assert [message["message"] for message in exported["messages"]] == [e.message for e in posted(day)]
    other = day.ask("Ada", "/api/rooms", "POST", {"title": "Archive"})["room"]
    day.ask("Ada", f"/api/rooms/{other}/messages/import", "POST", exported)
    day.ask("Ada", f"/api/rooms/{other}/messages/import", "POST", exported)  # once more it adds nothing
    brought = without_place(wait_for_messages(day, other, len(exported["messages"])))
    assert {message["imported"]["room"] for message in brought} == {day.room}
    expected = without_place(exported["messages"])
    assert [m | {"imported": None, "client": None} for m in brought] == [
        m | {"client": None} for m in expected
    ]


def without_place(messages: list[Message]) -> list[Message]:
    return [
        {name: value for name, value in message.items() if name not in ("position", "reacted")}
        for message in messages
    ]


def wait_for_messages(day: Day, room: str, count: int) -> list[Message]:
    deadline = time.monotonic() + AT_ONCE_SECONDS
    while len(found := day.ask("Ada", f"/api/rooms/{room}/messages", limit=200)["messages"]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return list(found)


def test_an_export_opens_in_a_spreadsheet_and_as_text(day: Day) -> None:
    file, _ = export(day, "csv", author=day.users["Eve"])
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    mine = [event for event in posted(day) if event.actor == day.users["Eve"]]
    assert [row["message"] for row in rows] == [event.message for event in mine]
    text, _ = export(day, "txt")
    assert "数えるのは楽しい" in text.decode()
    assert "hunter2" not in text.decode()


def test_the_statistics_can_be_looked_at(day: Day) -> None:
    for suffix, begin in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        url = f"{day.server.url}/api/rooms/{day.room}/statistics/plot{suffix}"
        request = urllib.request.Request(url, headers=day.guest("Finn").headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read().startswith(begin)
