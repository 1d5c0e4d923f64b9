"""Frames that clients send: their shapes, checked strictly, once, here."""

from __future__ import annotations

import json
import unicodedata
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.errors import BadFrame, BadJson, ClientError, OpTooLarge, TextInvalid, UnknownFrame
from domain.ids import is_document_id, is_id
from domain.limits import (
    EMOJI_CODE_POINTS,
    INTEGER_MAX,
    NAME_CODE_POINTS,
    PRESENCE_BYTES,
    RUN_TITLE_CODE_POINTS,
)
from domain.names import as_name
from domain.rights import Action
from interfaces.emojis import as_emoji

# A place in a replay is three numbers.
PLACE_CHARACTERS: Final = 50

# Steps at once, either way: what is read again to go back stays a page.
STEPS_MAX: Final = 100


def _checked_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("no id: 1 to 64 of A-Z a-z 0-9 _ -")
    return value


def _checked_document_id(value: str) -> str:
    if not is_document_id(value):
        raise ValueError("no document id: 1 to 64 of A-Z a-z 0-9 _ - and single dots inside")
    return value


def _checked_name(value: str) -> str:
    name = as_name(value)
    if name is None:
        raise ValueError("no name: 1 to 64 characters that can be seen")
    return name


def _checked_emoji(value: str) -> str:
    emoji = as_emoji(value)
    if emoji is None:
        raise ValueError("not exactly one emoji")
    return emoji


def _checked_title(value: str) -> str:
    if not value.strip() or any(unicodedata.category(character) in _NOT_IN_TITLES for character in value):
        raise ValueError("no title: one line that can be seen")
    return value


_NOT_IN_TITLES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

Id = Annotated[str, AfterValidator(_checked_id)]
DocumentId = Annotated[str, AfterValidator(_checked_document_id)]
Name = Annotated[str, Field(max_length=4 * NAME_CODE_POINTS), AfterValidator(_checked_name)]
Emoji = Annotated[str, Field(max_length=EMOJI_CODE_POINTS), AfterValidator(_checked_emoji)]
Title = Annotated[str, Field(max_length=RUN_TITLE_CODE_POINTS), AfterValidator(_checked_title)]
# Slow enough to see each key, and fast enough for a day in twenty minutes.
Speed = Annotated[float, Field(ge=0.25, le=64)]
Integer = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Positive = Annotated[int, Field(ge=1, le=INTEGER_MAX)]


class Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Request(Frame):
    """`action` is what one must be allowed to do in the room to make this request, None for nothing but
    being in it. Every kind of request says it for itself. With `is_guarded` it is the command that looks at
    the right: what came true while it was there is answered so, when its answer was lost, also without it.
    """

    action: ClassVar[Action | None]
    is_guarded: ClassVar[bool] = False
    ref: Integer


class LinkField(Frame):
    """A range of a document in code points of the text of `revision`."""

    document: DocumentId
    revision: Integer
    start: Integer
    end: Integer


class Resume(Frame):
    epoch: Annotated[str, Field(max_length=64)]
    position: Integer


class Hello(Request):
    """`ticket` is for those who could not offer it as a subprotocol."""

    action = None
    type: Literal["hello"]
    protocol: Integer
    client: Id
    ticket: Annotated[str, Field(max_length=128)] | None = None
    at: Integer | None = None
    resume: Resume | None = None


class Refresh(Request):
    """The token that this socket was opened with is about to end; here is a ticket bought with another."""

    action = None
    type: Literal["refresh"]
    ticket: Annotated[str, Field(max_length=128)]


class Open(Request):
    action = Action.READ
    type: Literal["open"]
    document: DocumentId
    revision: Integer | None = None
    create: bool = False


class Close(Request):
    action = Action.READ
    type: Literal["close"]
    document: DocumentId


class EditFrame(Request):
    """`op` is checked by `text_op.parse`."""

    action = Action.EDIT
    is_guarded = True
    type: Literal["edit"]
    document: DocumentId
    seq: Positive
    base: Integer
    op: list[Any]


class UndoFrame(Request):
    """Take back the last thing that one has done in a document. `revision` is the newest that one has seen:
    asked once more with the same, it is not done twice.
    """

    action = Action.EDIT
    type: Literal["undo"]
    document: DocumentId
    revision: Integer | None = None


class RedoFrame(Request):
    """Take one's last undo back. `revision` is as there."""

    action = Action.EDIT
    type: Literal["redo"]
    document: DocumentId
    revision: Integer | None = None


class CursorFrame(Request):
    action = Action.SHOW
    type: Literal["cursor"]
    document: DocumentId
    revision: Integer
    anchor: Integer
    head: Integer


class TypingFrame(Request):
    """Without `document` it is in the chat."""

    action = Action.SHOW
    type: Literal["typing"]
    document: DocumentId | None = None
    typing: bool


class StatusFrame(Request):
    """Without `status`, or with null, it follows from what the client does."""

    action = Action.SHOW
    type: Literal["status"]
    status: Literal["editing", "running", "idle", "away"] | None = None


class Post(Request):
    action = Action.POST
    is_guarded = True
    type: Literal["post"]
    message: Id
    text: str
    reply_to: Id | None = None
    link: LinkField | None = None


class EditMessage(Request):
    action = Action.POST
    is_guarded = True
    type: Literal["edit_message"]
    message: Id
    text: str


class DeleteMessage(Request):
    action = Action.POST
    is_guarded = True
    type: Literal["delete_message"]
    message: Id


class React(Request):
    """Add one's reaction, or with `reacted` false take it back."""

    action = Action.POST
    is_guarded = True
    type: Literal["react"]
    message: Id
    emoji: Emoji
    reacted: bool = True


class PinMessage(Request):
    action = Action.EDIT
    is_guarded = True
    type: Literal["pin_message"]
    message: Id
    pinned: bool


class ReceiptFrame(Request):
    """Up to which notification ids the room's messages have been got and read. Neither ever goes back."""

    action = Action.READ
    type: Literal["receipt"]
    delivered: Integer = 0
    read: Integer = 0


class Subscribe(Request):
    """Watch a projection of this room; first, what has changed in it behind position `after`."""

    action = Action.READ
    type: Literal["subscribe"]
    to: Literal["activity", "statistics"]
    after: Integer | None = None


class Unsubscribe(Request):
    action = None
    type: Literal["unsubscribe"]
    to: Literal["activity", "statistics"]


# The past, played to one session.


class OpenReplay(Request):
    """Of what went on in the room between two moments; from its beginning until now when they are missing.
    One that is open is closed first.
    """

    action = Action.READ
    type: Literal["replay"]
    since: Annotated[Integer | None, Field(alias="from")] = None
    until: Annotated[Integer | None, Field(alias="to")] = None
    speed: Speed = 1.0
    skip_idle: bool = True


class PlayReplay(Request):
    action = Action.READ
    type: Literal["replay_play"]


class PauseReplay(Request):
    action = Action.READ
    type: Literal["replay_pause"]


class SeekReplay(Request):
    """Either to a moment or to a place that was told."""

    action = Action.READ
    type: Literal["replay_seek"]
    at: Integer | None = None
    place: Annotated[str, Field(max_length=PLACE_CHARACTERS)] | None = None


class SpeedReplay(Request):
    """What is missing stays as it is."""

    action = Action.READ
    type: Literal["replay_speed"]
    speed: Speed | None = None
    skip_idle: bool | None = None


class StepReplay(Request):
    """By so many steps, backward when it is negative; it is paused then."""

    action = Action.READ
    type: Literal["replay_step"]
    by: Annotated[int, Field(ge=-STEPS_MAX, le=STEPS_MAX)]


class CloseReplay(Request):
    action = None
    type: Literal["replay_close"]


# What people do beside typing.


class SaveRevision(Request):
    """`revision` is the one that the author sees; with a `name` it is a named one."""

    action = Action.EDIT
    is_guarded = True
    type: Literal["save_revision"]
    document: DocumentId
    revision: Integer
    name: Name | None = None


class StartRun(Request):
    """`document` is what is run, when it is one document."""

    action = Action.EDIT
    is_guarded = True
    type: Literal["start_run"]
    run: Id
    title: Title
    document: DocumentId | None = None
    revision: Integer | None = None


class FinishRun(Request):
    action = Action.EDIT
    is_guarded = True
    type: Literal["finish_run"]
    run: Id
    outcome: Literal["passed", "failed", "stopped"]
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None


class CatchUp(Request):
    action = Action.READ
    type: Literal["catch_up"]
    document: DocumentId
    after: Integer
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


class Check(Request):
    """Whether the client's text of a revision is the server's: `hash` is the SHA-256 of its UTF-8, in hex."""

    action = Action.READ
    type: Literal["check"]
    document: DocumentId
    revision: Integer
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Ping(Request):
    action = None
    type: Literal["ping"]


class Pong(Frame):
    type: Literal["pong"]


ReplayRequest = OpenReplay | PlayReplay | PauseReplay | SeekReplay | SpeedReplay | StepReplay | CloseReplay
Command = Post | EditMessage | DeleteMessage | React | PinMessage | SaveRevision | StartRun | FinishRun
AnyRequest = (
    Hello
    | Refresh
    | Open
    | Close
    | EditFrame
    | UndoFrame
    | RedoFrame
    | CursorFrame
    | TypingFrame
    | StatusFrame
    | Command
    | ReceiptFrame
    | Subscribe
    | Unsubscribe
    | ReplayRequest
    | CatchUp
    | Check
    | Ping
)
AnyFrame = AnyRequest | Pong

FRAMES: Final[TypeAdapter[AnyFrame]] = TypeAdapter(Annotated[AnyFrame, Field(discriminator="type")])


def parse_frame(data: str | bytes) -> AnyFrame:
    """One frame. Raises `BadJson`, `UnknownFrame`, `BadFrame`, `TextInvalid` or `OpTooLarge`; nothing of
    the input is in the error.
    """
    try:
        frame = FRAMES.validate_json(data)
    except ValidationError as error:
        if len(data) > PRESENCE_BYTES and _is_presence(_parse_leniently(data)):
            raise _too_large() from None
        raise _refusal(data, error) from None
    if len(data) > PRESENCE_BYTES and isinstance(frame, CursorFrame | TypingFrame | StatusFrame):
        raise _too_large()
    return frame


def _is_presence(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("cursor", "typing", "status")


def _too_large() -> OpTooLarge:
    return OpTooLarge("this is more than anybody needs to know of a cursor", limit=PRESENCE_BYTES)


def _refusal(data: str | bytes, error: ValidationError) -> ClientError:
    first = error.errors(include_url=False, include_input=False)[0]
    kind = first["type"]
    if kind == "json_invalid":
        if "hex escape" in first["msg"] and isinstance(_parse_leniently(data), dict):
            return TextInvalid("a lone surrogate is no text")
        return BadJson("the frame is no JSON object")
    if kind == "union_tag_invalid":
        return UnknownFrame("there is no such type of frame")
    if (
        kind in {"union_tag_not_found", "model_attributes_type", "dict_type", "model_type"}
        and len(first["loc"]) == 0
    ):
        return BadJson("the frame is no JSON object with a type")
    field = ".".join(
        str(part) for part in first["loc"][1:] if isinstance(part, int) or str(part).isidentifier()
    )
    return BadFrame(first["msg"][:200], field=field[:64])


def find_ref(data: str | bytes) -> int | None:
    """The `ref` of a refused frame, so that its answer can name it; None when it has none."""
    value = _parse_leniently(data)
    ref = value.get("ref") if isinstance(value, dict) else None
    return ref if type(ref) is int and 0 <= ref <= INTEGER_MAX else None


def _parse_leniently(data: str | bytes) -> Any:
    """JSON in which lone surrogates may stand, None for what is no JSON even so.

    Half an emoji is what a client sends that cuts texts as JavaScript counts. Its request is to be told.
    """
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not in JSON")
