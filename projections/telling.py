"""Tells a line of activity: as JSON, the same for everybody who asks or follows, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from domain.document import TYPED
from domain.instants import as_microseconds
from projections.activity import Kind, Line


def as_json(line: Line) -> dict[str, Any]:
    """Times are microseconds since the epoch."""
    return {
        "room": line.room,
        "id": line.id,
        "changed": line.changed,
        "kind": line.kind.value,
        "user": line.user,
        "document": line.document,
        "message": line.message,
        "at": as_microseconds(line.at),
        "until": as_microseconds(line.until),
        "text": line.text,
        "details": dict(line.details),
        "line": sentence(line),
    }


def sentence(line: Line) -> str:
    """What the line's user did, to stand behind their name: `edited main.py: 2 edits, +7 characters, …`."""
    details = line.details
    match line.kind:
        case Kind.JOINED:
            return "joined"
        case Kind.LEFT:
            return f"left{_reason(details)}"
        case Kind.RECONNECTED:
            return _away(line)
        case Kind.EDITED | Kind.UNDONE:
            return f"{_edited(line)}: {_amount(details)}"
        case Kind.RESTORED | Kind.BRANCHED | Kind.MERGED:
            return _copied(line)
        case Kind.SAVED:
            return f"saved {line.document} at revision {details['revision']}"
        case Kind.NAMED:
            return f"named revision {details['revision']} of {line.document} “{details['name']}”"
        case Kind.RAN:
            return _ran(details)
        case Kind.SAID:
            return "said something" if line.text is None else f"said: {_on_one_line(line.text)}"
        case Kind.IMPORTED:
            if "messages" in details:
                return f"imported {_number(details['messages'], 'message')} from {details['source']}"
            return f"imported {line.document}: {_amount(details)}"
        case Kind.PINNED | Kind.UNPINNED:
            return (
                f"{line.kind} a message" if line.text is None else f"{line.kind}: {_on_one_line(line.text)}"
            )
        case Kind.LISTED:
            return f"added the document {line.document}"
        case Kind.UNLISTED:
            return f"took the document {line.document} off the list"
        case Kind.OPENED:
            return f"opened the room “{details['title']}”"
        case Kind.RENAMED:
            before = f" “{details['from']}”" if details["from"] is not None else ""
            return f"renamed the room{before} to “{details['title']}”"
        case Kind.REDACTED:
            return _redacted(details)
        case Kind.CLOSED:
            return "closed the room"
        case Kind.ACCESS_CHANGED:
            role = details["everyone"]
            return f"let everyone in as {role}" if role is not None else "let only members in from now on"
        case Kind.MEMBER_ADDED | Kind.ROLE_CHANGED | Kind.MEMBER_REMOVED:
            return _about_member(line)
        case _ as unknown:
            assert_never(unknown)


def _reason(details: Mapping[str, Any]) -> str:
    return "" if details["reason"] == "left" else f" ({details['reason']})"


def _away(line: Line) -> str:
    times = line.details["times"]
    span = _span((line.until - line.at).total_seconds())
    how = f"for {span}" if times == 1 else f"{times} times within {span}"
    return f"was away {how}{_reason(line.details)}"


def _edited(line: Line) -> str:
    cause = line.details["cause"]
    if line.kind is Kind.EDITED:
        how = f" ({cause})" if cause != TYPED else ""
        return f"edited {line.document}{how}"
    undone = line.details.get("undone")
    what = "something" if undone is None else _number(undone, "edit")
    return f"undid {what} in {line.document}"


def _copied(line: Line) -> str:
    """What brings a text from elsewhere, or from before."""
    document, details = line.document, line.details
    if line.kind is Kind.BRANCHED:
        return f"branched {document} from {details['source']} at revision {details['revision']}"
    if line.kind is Kind.MERGED:
        return f"merged {details['source']} into {document}: {_amount(details)}"
    then = f" to revision {details['revision']}" if "revision" in details else ""
    return f"restored {document}{then}: {_amount(details)}"


def _amount(details: Mapping[str, Any]) -> str:
    """`14 edits, +120 −33 characters, revision 17 to 31`."""
    counted = [("+", details["inserted"]), ("−", details["deleted"])]
    parts = [f"{sign}{count:,}" for sign, count in counted if count]
    last = [count for _, count in counted if count][-1:]
    characters = f", {' '.join(parts)} {'character' if last == [1] else 'characters'}" if parts else ""
    edits = _number(details["edits"], "edit")
    return f"{edits}{characters}, revision {details['from']} to {details['to']}"


def _ran(details: Mapping[str, Any]) -> str:
    if details["outcome"] is None:
        return f"is running {details['title']}"
    exit_code = details["exit_code"]
    how = "" if exit_code is None else f" (exit code {exit_code})"
    return f"ran {details['title']}: {details['outcome']}{how} after {_span(details['seconds'])}"


def _redacted(details: Mapping[str, Any]) -> str:
    places = list(details["documents"])
    if messages := details["messages"]:
        places.append("a message" if messages == 1 else f"{messages:,} messages")
    where = f" from {', '.join(places)}" if places else ""
    whose = f" of {details['author']}" if details["author"] is not None else ""
    return f"removed text{whose}{where}, from the past as well: {details['reason']}"


def _about_member(line: Line) -> str:
    member, role, before = (line.details[name] for name in ("member", "role", "from"))
    was = f" (was {before})" if before is not None else ""
    match line.kind:
        case Kind.MEMBER_ADDED if member == line.user:
            return f"became {role} by invitation{was}"
        case Kind.MEMBER_ADDED:
            return f"made {member} a member, as {role}"
        case Kind.ROLE_CHANGED:
            return f"made {member} {role}{was}"
        case _:
            return f"is no member any more{was}" if member == line.user else f"removed {member}{was}"


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
