"""How much of anything the server takes in: every limit with its reason.

Code points are what Python's `len` counts; bytes of text are bytes of its UTF-8. A limit is the
largest value that is still allowed.
"""

from typing import Final

# JSON numbers beyond this are not exact in JavaScript (Number.MAX_SAFE_INTEGER), so that two
# parsers could read two different ops from the same bytes.
INTEGER_MAX: Final = 2**53 - 1

# What people type in one go is far below this; several times the frame sizes of other editors'
# servers is only needed for pastes, and those a client can send in pieces.
FRAME_BYTES: Final = 64 * 1024

# Inserted text of one op. Leaves a frame room for its other fields and for JSON's escapes.
OP_TEXT_BYTES: Final = 60 * 1024

# A frame of legal size could hold tens of thousands of components, and every op that is
# transformed over such an op walks over all of them. The largest multi-cursor edit in the
# recorded traces has 204.
OP_COMPONENTS: Final = 5_000

# About ten novels' chapters or 20,000 lines of code. It bounds what opening a document sends
# and what a server keeps in memory for it.
DOCUMENT_CODE_POINTS: Final = 1_000_000

# The same bound for texts outside ASCII, where one code point is up to four bytes: what is sent
# and stored is bytes.
DOCUMENT_BYTES: Final = 2 * 1024 * 1024

# A room's list of documents is sent whole to everybody who joins.
DOCUMENTS_PER_ROOM: Final = 1_000

# Longer chat messages are documents; a page of history (tens of messages) stays below the
# size of a frame or two.
CHAT_BYTES: Final = 8 * 1024

# Names and titles stand on one line of a screen and travel in every roster.
NAME_CODE_POINTS: Final = 64

# Room for a UUID with a prefix. Ids are keys in maps and indexes, so they must not be a way to
# fill memory.
ID_CODE_POINTS: Final = 64

# A room's members are sent whole to everybody who joins, as its documents are. A larger public is let in by
# the room's access for everyone, which names nobody.
MEMBERS_PER_ROOM: Final = 1_000

# Links that are out and not used up. Each is checked when one is accepted.
INVITATIONS_PER_ROOM: Final = 100

# A URL travels with its owner's name in every roster.
AVATAR_CODE_POINTS: Final = 512

# A cursor, a status or a sign of typing is a few small fields.
PRESENCE_BYTES: Final = 4 * 1024

# Each costs everybody in the room a notice, and mentions are how one wakes people up.
MENTIONS_PER_MESSAGE: Final = 50

# All of a message's edits are shown when somebody asks how it came about.
EDITS_PER_MESSAGE: Final = 200

# Reactions are shown in one line below a message, and who reacted is sent whole to everybody who joins.
EMOJI_PER_MESSAGE: Final = 50
REACTIONS_PER_MESSAGE: Final = 1_000

# Longer than any emoji of Unicode: a family of four with skin tones has 11 code points, 41 bytes.
EMOJI_CODE_POINTS: Final = 16

# They are looked through by eye, in a list.
NAMED_REVISIONS_PER_DOCUMENT: Final = 1_000

# What a run is called stands on one line.
RUN_TITLE_CODE_POINTS: Final = 200
