"""What comes in for the chat: what is said, and which messages are asked for."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from domain.limits import EMOJI_CODE_POINTS
from interfaces.emojis import as_emoji
from interfaces.http.bodies import Asked, Author, Count, DocumentId, Id, Moment, Text, Truth, Whole, whole
from interfaces.ws.frames import LinkField

# Two hundred of the longest messages are some megabytes.
CHAT_PAGE: Final = 50
CHAT_PAGE_MAX: Final = 200

# A sentence or two. Each word of it is looked for.
SEARCH_CODE_POINTS: Final = 256

ChatLimit = Annotated[int, Field(ge=1, le=CHAT_PAGE_MAX), BeforeValidator(whole)]


def _checked_emoji(value: str) -> str:
    if value and as_emoji(value) is None:
        raise ValueError("not exactly one emoji")
    return as_emoji(value) or ""


def _checked_search(value: str) -> str:
    if not value.strip():
        raise ValueError("nothing is looked for")
    return value


class NewMessage(Asked):
    """`message`: made by the server when it is missing. `link`: a range of a document, in code points of the
    text of `revision`.
    """

    message: Id | None = None
    text: str
    reply_to: Id | None = None
    link: LinkField | None = None


class MessageChange(Asked):
    text: str


class NewReceipt(Asked):
    """Up to which positions one has got and read a room's messages. Neither ever goes back."""

    delivered: Count = 0
    read: Count = 0


class ChosenQuery(Asked):
    """All that is given must apply. `emoji`: somebody has reacted with it, "" for any; `document`: it links
    to it, or its author had it open. `from` and `to` are about when it was said.
    """

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    author: Author | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    emoji: Annotated[str, Field(max_length=EMOJI_CODE_POINTS), AfterValidator(_checked_emoji)] | None = None
    mentions: Id | None = None
    document: DocumentId | None = None
    reply_to: Id | None = None
    pinned: Truth | None = None


class ChatQuery(ChosenQuery):
    limit: ChatLimit = CHAT_PAGE


class MessagesQuery(ChatQuery):
    """`before` and `after`: positions; `around`: a message."""

    before: Whole | None = None
    after: Whole | None = None
    around: Id | None = None


class SearchQuery(ChatQuery):
    """`q`: words and "phrases"; `after`: the `next` of the page before."""

    q: Annotated[Text, AfterValidator(_checked_search), Field(max_length=SEARCH_CODE_POINTS)]
    after: Annotated[str, Field(pattern=r"^-?\d{1,20}(\.\d{1,20})?(e-\d{1,2})?_\d{1,16}$")] | None = None


class BackwardsQuery(Asked):
    """`before`: a position."""

    before: Whole | None = None
    limit: ChatLimit = CHAT_PAGE


class AuthorQuery(BackwardsQuery):
    author: Author


class UnreadQuery(Asked):
    """`after`: a room."""

    after: Id | None = None
    limit: ChatLimit = CHAT_PAGE
